namespace Cloister.Onnx.Model;

/// <summary>A tensor's type (onnx.proto, TypeProto.Tensor).</summary>
public sealed record TensorTypeProto : OnnxMessage
{
    /// <summary>The element type.</summary>
    public TensorDataType ElementType { get; init; }

    /// <summary>The shape; null where even the rank is unknown.</summary>
    public TensorShapeProto? Shape { get; init; }

    internal static TensorTypeProto Read(ProtoReader reader)
    {
        int elementType = 0;
        TensorShapeProto? shape = null;
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1: elementType = reader.Once().Int32(); break;
                case 2: shape = reader.Once().Message(TensorShapeProto.Read); break;
                default: reader.KeepUnknown(); break;
            }
        }

        return new TensorTypeProto { ElementType = (TensorDataType)elementType, Shape = shape, UnknownFields = reader.Unknown(), Origin = reader.Origin };
    }

    internal override void WriteFields(ProtoWriter writer)
    {
        writer.Int64(1, (long)ElementType);
        writer.Message(2, Shape);
    }
}
