using System.Collections.Immutable;
using System.Text;

namespace Cloister.Onnx.Model;

/// <summary>A named constant of a node (onnx.proto, AttributeProto). <see cref="Type"/> says which value counts.</summary>
public sealed record AttributeProto : OnnxMessage
{
    /// <summary>The attribute's name, such as <c>strides</c>.</summary>
    public string Name { get; init; } = "";

    /// <summary>Which of the values below counts.</summary>
    public AttributeType Type { get; init; }

    /// <summary>For <see cref="AttributeType.Float"/>.</summary>
    public float? Float { get; init; }

    /// <summary>For <see cref="AttributeType.Int"/>.</summary>
    public long? Int { get; init; }

    /// <summary>For <see cref="AttributeType.String"/>: bytes, by convention UTF-8.</summary>
    public ReadOnlyMemory<byte>? String { get; init; }

    /// <summary>For <see cref="AttributeType.Tensor"/>.</summary>
    public TensorProto? Tensor { get; init; }

    /// <summary>For <see cref="AttributeType.Graph"/>: the body of If, Loop, Scan.</summary>
    public GraphProto? Graph { get; init; }

    /// <summary>For <see cref="AttributeType.Floats"/>.</summary>
    public ImmutableArray<float> Floats { get; init; } = [];

    /// <summary>For <see cref="AttributeType.Ints"/>.</summary>
    public ImmutableArray<long> Ints { get; init; } = [];

    /// <summary>For <see cref="AttributeType.Strings"/>.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> Strings { get; init; } = [];

    /// <summary>For <see cref="AttributeType.Tensors"/>.</summary>
    public ImmutableArray<TensorProto> Tensors { get; init; } = [];

    /// <summary>For <see cref="AttributeType.Graphs"/>.</summary>
    public ImmutableArray<GraphProto> Graphs { get; init; } = [];

    /// <summary>A float attribute.</summary>
    public static AttributeProto Of(string name, float value) => new() { Name = name, Type = AttributeType.Float, Float = value };

    /// <summary>An integer attribute.</summary>
    public static AttributeProto Of(string name, long value) => new() { Name = name, Type = AttributeType.Int, Int = value };

    /// <summary>A text attribute.</summary>
    public static AttributeProto Of(string name, string value) =>
        new() { Name = name, Type = AttributeType.String, String = Encoding.UTF8.GetBytes(value) };

    /// <summary>A tensor attribute.</summary>
    public static AttributeProto Of(string name, TensorProto value) => new() { Name = name, Type = AttributeType.Tensor, Tensor = value };

    /// <summary>An attribute of integers.</summary>
    public static AttributeProto Of(string name, params ReadOnlySpan<long> values) =>
        new() { Name = name, Type = AttributeType.Ints, Ints = [.. values] };

    /// <summary>An attribute of floats.</summary>
    public static AttributeProto Of(string name, params ReadOnlySpan<float> values) =>
        new() { Name = name, Type = AttributeType.Floats, Floats = [.. values] };

    internal static AttributeProto Read(ProtoReader reader)
    {
        string name = "";
        AttributeType type = AttributeType.Undefined;
        float? number = null;
        long? integer = null;
        ReadOnlyMemory<byte>? text = null;
        TensorProto? tensor = null;
        GraphProto? graph = null;
        var floats = ImmutableArray.CreateBuilder<float>();
        var ints = ImmutableArray.CreateBuilder<long>();
        var strings = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        var tensors = ImmutableArray.CreateBuilder<TensorProto>();
        var graphs = ImmutableArray.CreateBuilder<GraphProto>();
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1: name = reader.Once().Text(); break;
                case 2: number = reader.Once().Float(); break;
                case 3: integer = reader.Once().Int64(); break;
                case 4: text = reader.Once().Bytes(); break;
                case 5: tensor = reader.Once().Message(TensorProto.Read); break;
                case 6: graph = reader.Once().Message(GraphProto.Read); break;
                case 7: reader.Floats(floats); break;
                case 8: reader.Int64s(ints); break;
                case 9: strings.Add(reader.Bytes()); break;
                case 10: tensors.Add(reader.Message(TensorProto.Read)); break;
                case 11: graphs.Add(reader.Message(GraphProto.Read)); break;
                case 20: type = (AttributeType)reader.Once().Int32(); break;
                default: reader.KeepUnknown(); break;
            }
        }

        return new AttributeProto
        {
            Name = name,
            Type = type,
            Float = number,
            Int = integer,
            String = text,
            Tensor = tensor,
            Graph = graph,
            Floats = floats.DrainToImmutable(),
            Ints = ints.DrainToImmutable(),
            Strings = strings.DrainToImmutable(),
            Tensors = tensors.DrainToImmutable(),
            Graphs = graphs.DrainToImmutable(),
            UnknownFields = reader.Unknown(),
            Origin = reader.Origin,
        };
    }

    internal override void WriteFields(ProtoWriter writer)
    {
        writer.Text(1, Name);
        if (Float is { } number)
            writer.Float(2, number);
        writer.Int64(3, Int);
        if (String is { } text)
            writer.Bytes(4, text);
        writer.Message(5, Tensor);
        writer.Message(6, Graph);
        foreach (float value in Floats)
            writer.Float(7, value);
        writer.Int64s(8, Ints);
        foreach (ReadOnlyMemory<byte> value in Strings)
            writer.Bytes(9, value);
        writer.Messages(10, Tensors);
        writer.Messages(11, Graphs);
        writer.Int64(20, (long)Type);
    }
}
