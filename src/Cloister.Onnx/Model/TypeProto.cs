namespace Cloister.Onnx.Model;

/// <summary>A type (onnx.proto, TypeProto). Sequences, maps and the like stay as unknown fields.</summary>
public sealed record TypeProto : OnnxMessage
{
    private const int Alternative = 1;

    /// <summary>For a tensor, its type; null for anything else.</summary>
    public TensorTypeProto? TensorType { get; init; }

    internal static TypeProto Read(ProtoReader reader)
    {
        TensorTypeProto? tensor = null;
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1: tensor = reader.Once(Alternative).Message(TensorTypeProto.Read); break;
                case 4 or 5 or 7 or 8 or 9: reader.Once(Alternative).KeepUnknown(); break;
                default: reader.KeepUnknown(); break;
            }
        }

        return new TypeProto { TensorType = tensor, UnknownFields = reader.Unknown(), Origin = reader.Origin };
    }

    internal override void WriteFields(ProtoWriter writer) => writer.Message(1, TensorType);
}
