using System.Buffers;
using Cloister.Protocol.Grpc;
using Cloister.Serving.ProtocolBuffers;

namespace Cloister.Serving.OpenInference.Grpc;

/// <summary>One entry of <c>map&lt;string, InferParameter&gt;</c>.</summary>
internal static class ParameterMap
{
    /// <summary>Reads it.</summary>
    /// <exception cref="GrpcException">The message is malformed.</exception>
    /// <exception cref="ServingException">The parameter has no value.</exception>
    public static (string Name, ParameterValue Value) ReadEntry(in ReadOnlySequence<byte> entry)
    {
        string name = "";
        ParameterValue? value = null;
        var reader = new WireReader(entry);
        while (reader.Next(out int field, out WireType type))
        {
            if (field is ModelInferFields.MapKey or ModelInferFields.MapValue) WireReader.Demand(field, type, WireType.Bytes);
            if (field == ModelInferFields.MapKey) name = reader.Text("a parameter's name");
            else if (field == ModelInferFields.MapValue) value = ReadValue(reader.Bytes(), name) ?? value;
            else reader.Skip(type);
        }
        return (name, value ?? throw new ServingException(ServingError.InvalidRequest, $"Parameter '{name}' has no value."));
    }

    private static ParameterValue? ReadValue(in ReadOnlySequence<byte> message, string name)
    {
        ParameterValue? value = null;
        var reader = new WireReader(message);
        while (reader.Next(out int field, out WireType type))
        {
            switch ((field, type))
            {
                case (ModelInferFields.BoolParameter, WireType.Varint): value = ParameterValue.Of(reader.Varint() != 0); break;
                case (ModelInferFields.Int64Parameter, WireType.Varint): value = ParameterValue.Of((long)reader.Varint()); break;
                case (ModelInferFields.StringParameter, WireType.Bytes): value = ParameterValue.Of(reader.Text($"Parameter '{name}'", 64 << 10)); break;
                case (ModelInferFields.DoubleParameter, WireType.Fixed64): value = ParameterValue.Of(BitConverter.UInt64BitsToDouble(reader.Fixed64())); break;
                case (ModelInferFields.UInt64Parameter, WireType.Varint): value = ParameterValue.Of(reader.Varint()); break;
                case ( >= ModelInferFields.BoolParameter and <= ModelInferFields.UInt64Parameter, _): throw WireReader.Malformed($"the value of parameter '{name}' is not written as its type is");
                default: reader.Skip(type); break;
            }
        }
        return value;
    }
}
