using System.Security.Cryptography;
using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Assessment;

/// <summary>A model of an assessment: the one that is cut, the second opinion, or a public one it is compared with.</summary>
public sealed class AssessedModel
{
    private AssessedModel(string name, ReadOnlyMemory<byte> bytes, ModelProto proto, string input, PictureSize size, Preprocessing preprocessing)
    {
        Name = name;
        Digest = Convert.ToHexStringLower(SHA256.HashData(bytes.Span));
        Proto = proto;
        Input = input;
        Size = size;
        Preprocessing = preprocessing;
    }

    /// <summary>For people.</summary>
    public string Name { get; }

    /// <summary>SHA-256 of its file, hexadecimal.</summary>
    public string Digest { get; }

    /// <summary>The model.</summary>
    public ModelProto Proto { get; }

    /// <summary>The name of its one input.</summary>
    public string Input { get; }

    /// <summary>The pictures that it reads.</summary>
    public PictureSize Size { get; }

    /// <summary>How a picture becomes its input.</summary>
    public Preprocessing Preprocessing { get; }

    internal string Preprocess => Preprocessing.Name;

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
        var weights = proto.Graph.Initializers.Select(weight => weight.Name).ToHashSet(StringComparer.Ordinal);
        ValueInfoProto[] inputs = [.. proto.Graph.Inputs.Where(input => !weights.Contains(input.Name))];
        if (inputs is not [{ Type.TensorType: { ElementType: TensorDataType.Float, Shape.Dimensions: [_, var channels, var height, var width] } } only])
            throw Refused(name, $"pictures are assessed: it must have one input of 32-bit floats, [items, channels, height, width]; it has {inputs.Length} input{(inputs.Length == 1 ? " of another type or shape" : "s")}.");
        return new AssessedModel(name, bytes, proto, only.Name, new PictureSize(
            Fixed(name, "channels", channels, null),
            Fixed(name, "height", height, size?.Height),
            Fixed(name, "width", width, size?.Width)), preprocessing);
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
