namespace Cloister.Onnx.Model;

/// <summary>A value's name and type (onnx.proto, ValueInfoProto).</summary>
public sealed record ValueInfoProto : OnnxMessage
{
    /// <summary>The value's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>The value's type, if known.</summary>
    public TypeProto? Type { get; init; }

    /// <summary>A tensor value.</summary>
    /// <param name="name">The value's name.</param>
    /// <param name="elementType">Its element type.</param>
    /// <param name="shape">Its dimensions; <c>"N"</c> and the like name a free one.</param>
    public static ValueInfoProto Tensor(string name, TensorDataType elementType, params ReadOnlySpan<Dimension> shape) => new()
    {
        Name = name,
        Type = new TypeProto
        {
            TensorType = new TensorTypeProto { ElementType = elementType, Shape = new TensorShapeProto { Dimensions = [.. shape] } },
        },
    };

    internal static ValueInfoProto Read(ProtoReader reader)
    {
        string name = "";
        TypeProto? type = null;
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1: name = reader.Once().Text(); break;
                case 2: type = reader.Once().Message(TypeProto.Read); break;
                default: reader.KeepUnknown(); break;
            }
        }

        return new ValueInfoProto { Name = name, Type = type, UnknownFields = reader.Unknown(), Origin = reader.Origin };
    }

    internal override void WriteFields(ProtoWriter writer)
    {
        writer.Text(1, Name);
        writer.Message(2, Type);
    }
}
