using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Assessment;

/// <summary>A model of an assessment: the one that is cut, the second opinion, or a public one it is compared with.</summary>
public sealed class AssessedModel
{
    private readonly Preprocessing? _preprocessing;

    private AssessedModel(string name, ReadOnlyMemory<byte> bytes, ModelProto proto, string input, PictureSize size, long[] shape, Preprocessing? preprocessing)
    {
        Name = name;
        Digest = Convert.ToHexStringLower(SHA256.HashData(bytes.Span));
        Proto = proto;
        Input = input;
        Size = size;
        Shape = [.. shape];
        _preprocessing = preprocessing;
    }

    /// <summary>For people.</summary>
    public string Name { get; }

    /// <summary>SHA-256 of its file, hexadecimal.</summary>
    public string Digest { get; }

    /// <summary>The model.</summary>
    public ModelProto Proto { get; }

    /// <summary>The name of its one input.</summary>
    public string Input { get; }

    /// <summary>The pictures that it reads; empty where it reads texts.</summary>
    public PictureSize Size { get; }

    /// <summary>The shape of one item.</summary>
    public ImmutableArray<long> Shape { get; }

    /// <summary>Whether it reads texts of token ids, and no pictures.</summary>
    public bool ReadsTexts => _preprocessing is null;

    /// <summary>How a picture becomes its input.</summary>
    /// <exception cref="InvalidOperationException">It reads texts.</exception>
    public Preprocessing Preprocessing => _preprocessing ?? throw new InvalidOperationException("The model reads texts.");

    internal string Preprocess => _preprocessing?.Name ?? "token ids";

    /// <summary>Reads a model of one input of pictures: 32-bit floats, [items, channels, height, width].</summary>
    /// <param name="name">For people, such as the file's name.</param>
    /// <param name="bytes">The ONNX file, whose weights are in it; not copied.</param>
    /// <param name="preprocessing">How a picture becomes the input.</param>
    /// <param name="size">Height and width, where the model leaves them open.</param>
    /// <exception cref="OnnxModelException">It is no ONNX model.</exception>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.ModelRefused"/>: it reads something else.</exception>
    public static AssessedModel Read(string name, ReadOnlyMemory<byte> bytes, Preprocessing preprocessing, (int Height, int Width)? size = null)
    {
        ModelProto proto = OnnxModel.Parse(bytes);
        ValueInfoProto[] inputs = InputsOf(proto);
        if (inputs is not [{ Type.TensorType: { ElementType: TensorDataType.Float, Shape.Dimensions: [_, var channels, var height, var width] } } only])
            throw Refused(name, $"pictures are assessed: it must have one input of 32-bit floats, [items, channels, height, width]; it has {inputs.Length} input{(inputs.Length == 1 ? " of another type or shape" : "s")}.");
        var pictures = new PictureSize(Fixed(name, "channels", channels, null), Fixed(name, "height", height, size?.Height), Fixed(name, "width", width, size?.Width));
        return new AssessedModel(name, bytes, proto, only.Name, pictures, [1, pictures.Channels, pictures.Height, pictures.Width], preprocessing);
    }

    /// <summary>Reads a model of one input of texts: token ids of 32 or 64 bits, [items, tokens].</summary>
    /// <param name="name">For people, such as the file's name.</param>
    /// <param name="bytes">The ONNX file, whose weights are in it; not copied.</param>
    /// <param name="length">Tokens a text, where the model leaves them open.</param>
    /// <exception cref="OnnxModelException">It is no ONNX model.</exception>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.ModelRefused"/>: it reads something else.</exception>
    /// <exception cref="GraphException">It reads something else and cannot be cut: <see cref="GraphError.LanguageModel"/> above all.</exception>
    public static AssessedModel ReadTexts(string name, ReadOnlyMemory<byte> bytes, int length)
    {
        ModelProto proto = OnnxModel.Parse(bytes);
        if (InputsOf(proto) is not [{ Type.TensorType: { ElementType: TensorDataType.Int32 or TensorDataType.Int64, Shape.Dimensions: [_, var tokens] } } only])
        {
            // A language model has more inputs, and the reason that matters is another.
            GraphCutter.Demand(ModelGraph.Read(proto));
            throw Refused(name, "texts are assessed: it must have one input of token ids, [items, tokens].");
        }
        return new AssessedModel(name, bytes, proto, only.Name, default, [1, tokens.Value is > 0 and var stated ? stated : length], null);
    }

    private static ValueInfoProto[] InputsOf(ModelProto proto)
    {
        var weights = proto.Graph.Initializers.Select(weight => weight.Name).ToHashSet(StringComparer.Ordinal);
        return [.. proto.Graph.Inputs.Where(input => !weights.Contains(input.Name))];
    }

    private static int Fixed(string name, string what, Dimension dimension, int? said)
    {
        int value = dimension.Value is > 0 and var stated ? (int)Math.Min(stated, int.MaxValue) : said ?? throw Refused(name, $"its {what} is open: say the size.");
        if (said is { } other && other != value) throw Refused(name, $"its {what} is {value}, not {other}.");
        if (what == "channels" ? value is not (1 or 3) : value is < 1 or > 4096) throw Refused(name, $"its {what} is {value}; pictures have 1 or 3 channels, and 1 to 4096 rows and columns.");
        return value;
    }

    private static PartitioningException Refused(string name, string why) => new(PartitioningError.ModelRefused, $"'{name}' is refused: {why}");
}
