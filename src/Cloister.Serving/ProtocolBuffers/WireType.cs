namespace Cloister.Serving.ProtocolBuffers;

/// <summary>How a field's value is written (protobuf.dev, "Encoding"). Groups, which proto3 has not, are refused.</summary>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}
