using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Heuristic;

/// <summary>
/// A second, independent classifier with a size and a preprocessing of its own: the judge of the paper's method (IRValNet), or the public
/// model that an observer of answers has at hand. Safe for many threads; a run takes one.
/// </summary>
public sealed class Oracle : IDisposable
{
    // Probabilities of 32-bit floats sum to 1 within this, for any number of classes that is in use.
    private const double SumTolerance = 1e-3;

    private readonly OrtSession _session;
    private readonly Preprocessing _preprocessing;
    private readonly int _output;
    private readonly long[] _shape;

    private Oracle(OrtSession session, Preprocessing preprocessing, PictureSize size, int output)
    {
        (_session, _preprocessing, Size, _output) = (session, preprocessing, size, output);
        _shape = [1, size.Channels, size.Height, size.Width];
    }

    /// <summary>The size of its pictures.</summary>
    public PictureSize Size { get; }

    /// <summary>The number of its classes.</summary>
    public int Classes { get; private set; }

    /// <summary>What its output says, found by trying it on pictures made up.</summary>
    public AnswerForm Form { get; private set; }

    /// <summary>Opens a classifier and tries it.</summary>
    /// <param name="model">The model: one input of 32-bit floats [1 or free, channels, height, width].</param>
    /// <param name="preprocessing">How a picture becomes its input.</param>
    /// <param name="size">The size of its pictures; null takes it from the model.</param>
    /// <param name="output">The name of the output that holds the answer; null takes the first.</param>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.ClassifierRefused"/>: the text says what does not fit.</exception>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime does not run the model.</exception>
    /// <exception cref="PictureException">The preprocessing does not make the channels that the model asks for.</exception>
    public static Oracle Open(ModelProto model, Preprocessing preprocessing, PictureSize? size = null, string? output = null)
    {
        var session = OrtSession.FromMemory(model.ToBytes(), new OrtSessionOptions { IntraThreads = 1 });
        try
        {
            var oracle = new Oracle(session, preprocessing, size ?? SizeOf(session), OutputOf(session, output));
            if (session.Inputs is not [{ Type: TensorElementType.Float } input] || input.Mismatch(TensorElementType.Float, oracle._shape) is not null)
                throw Refused($"it must have one input of 32-bit floats that takes [{string.Join(", ", oracle._shape)}]");
            oracle.Try();
            return oracle;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>What it says of a picture of any size: a probability a class, sum 1.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.ClassifierRefused"/>: the answer is not finite.</exception>
    public double[] Answer(Picture picture) => Probabilities(Raw(picture), Form);

    /// <summary>What it says of a picture of an assessment.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.ClassifierRefused"/>: the answer is not finite.</exception>
    public double[] Answer(AssessedPicture picture, PictureSize size) => Answer(PixelSpace.ToPicture(picture.Pixels, size));

    /// <summary>Lets go of the model; runs that go on finish first.</summary>
    public void Dispose() => _session.Dispose();

    internal static AnswerForm FormOf(IEnumerable<float[]> answers) =>
        answers.All(answer => answer.All(value => value >= 0) && Math.Abs(answer.Sum(value => (double)value) - 1) <= SumTolerance)
            ? AnswerForm.Probabilities
            : AnswerForm.Logits;

    internal static double[] Probabilities(ReadOnlySpan<float> raw, AnswerForm form)
    {
        var probabilities = new double[raw.Length];
        double largest = double.NegativeInfinity, sum = 0;
        foreach (float value in raw)
        {
            if (!float.IsFinite(value))
                throw Refused($"it answered {value}, which is no number to compare");
            largest = Math.Max(largest, value);
        }
        for (int i = 0; i < raw.Length; i++)
            sum += probabilities[i] = form == AnswerForm.Logits ? Math.Exp(raw[i] - largest) : Math.Max(raw[i], 0f);
        if (sum <= 0)
            throw Refused("it answered no probability at all");
        for (int i = 0; i < raw.Length; i++)
            probabilities[i] /= sum;
        return probabilities;
    }

    private static PictureSize SizeOf(OrtSession session) =>
        session.Inputs is [{ Shape: [_, > 0 and var channels, > 0 and var height, > 0 and var width] }]
            ? new PictureSize(checked((int)channels), checked((int)height), checked((int)width))
            : throw Refused("it must have one input of [N, channels, height, width]; where a dimension is free, say the size");

    private static int OutputOf(OrtSession session, string? name)
    {
        int place = name is null ? 0 : session.Outputs.ToList().FindIndex(output => output.Name == name);
        return place >= 0 && place < session.Outputs.Count && session.Outputs[place].Type == TensorElementType.Float
            ? place
            : throw Refused($"it has no output {(name is null ? "" : $"'{name}' ")}of 32-bit floats");
    }

    private static PartitioningException Refused(string why) => new(PartitioningError.ClassifierRefused, $"The second classifier is refused: {why}.");

    // Flat, slanted and random pictures: no network answers all of them with logits that happen to be probabilities.
    private void Try()
    {
        var random = new SplitMix64(1);
        int width = Size.Width, height = Size.Height;
        float[][] answers =
        [
            .. new Func<int, int>[] { _ => 128, place => place % width * 255 / width, _ => random.Below(256), _ => random.Below(256) }
                .Select(shade => Raw(new Picture(width, height, [.. Enumerable.Range(0, width * height).SelectMany(place => Enumerable.Repeat((byte)shade(place), 3))])))
        ];
        Classes = answers[0].Length;
        if (Classes < 2)
            throw Refused($"it must tell two classes or more apart; it answers {Classes} value");
        Form = FormOf(answers);
    }

    private float[] Raw(Picture picture)
    {
        var input = new float[Size.Elements];
        _preprocessing.ToTensor(picture, Size.Channels, Size.Height, Size.Width, input, ResizeMode.Bilinear);
        using OrtTensor tensor = OrtTensor.OverPinned(input.AsMemory(), _shape);
        var outputs = new OrtTensor?[_session.Outputs.Count];
        _session.Run([tensor], outputs);
        try
        {
            float[] answer = outputs[_output]!.Span<float>().ToArray();
            if (Classes != 0 && answer.Length != Classes)
                throw Refused($"it answered {answer.Length} values after {Classes}");
            return answer;
        }
        finally
        {
            foreach (OrtTensor? output in outputs)
                output?.Dispose();
        }
    }
}
