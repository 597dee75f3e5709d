using System.Buffers;
using Cloister.Onnx.Runtime;
using Cloister.Protocol.Grpc;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.ProtocolBuffers;
using Cloister.Serving.Repository;

namespace Cloister.Serving.OpenInference.Grpc;

/// <summary>
/// Reads a <c>ModelInferRequest</c> where it lies. The i-th of <c>raw_input_contents</c> belongs to the i-th of <c>inputs</c> and is
/// copied once, into the memory that the engine computes on; fields that are not known are passed over, as protobuf's readers do.
/// </summary>
internal static class ModelInferReader
{
    /// <summary>Reads it; the caller disposes the request.</summary>
    /// <param name="message">The request.</param>
    /// <param name="address">What <see cref="ModelAddress.Read"/> found in it.</param>
    /// <param name="model">The model that it asks.</param>
    /// <param name="pool">Where memory comes from.</param>
    /// <exception cref="GrpcException">The message is malformed.</exception>
    /// <exception cref="ServingException">It is not a request that the model can answer.</exception>
    public static InferRequest Read(in ReadOnlySequence<byte> message, ModelAddress address, ServedModel model, TensorPool pool)
    {
        if (message.Length > model.MaximumRequestBytes)
            throw new ServingException(ServingError.TooLarge, $"The request is larger than the {model.MaximumRequestBytes} bytes that this model takes; send fewer instances at once.");
        if (address.Raw > 0 && address.Raw != address.Inputs)
            throw new ServingException(ServingError.InvalidRequest, $"The request has {address.Inputs} inputs but {address.Raw} raw_input_contents: each input has one, or none has.");
        var request = new InferRequest(model);
        try
        {
            var reader = new WireReader(message);
            var raws = new WireReader(message);
            while (reader.Next(out int field, out WireType type))
            {
                switch (field)
                {
                    case ModelInferFields.Id: request.Id = reader.Text("'id'", InferRequest.MaximumIdBytes); break;
                    case ModelInferFields.Parameters: ReadParameter(reader.Bytes(), request); break;
                    case ModelInferFields.Inputs: ReadInput(reader.Bytes(), address.Raw > 0 ? NextRaw(ref raws) : null, request, pool); break;
                    case ModelInferFields.Outputs: ReadOutput(reader.Bytes(), request); break;
                    default: reader.Skip(type); break;
                }
            }
            request.DemandInputs();
            return request;
        }
        catch
        {
            request.Dispose();
            throw;
        }
    }

    /// <summary>The parameter by which a client of <c>ModelStreamInfer</c> asks to be told which answer is a request's last.</summary>
    public const string FinalResponseParameter = "triton_enable_empty_final_response";

    private static void ReadParameter(in ReadOnlySequence<byte> entry, InferRequest request)
    {
        (string name, ParameterValue value) = ParameterMap.ReadEntry(entry);
        if (name == FinalResponseParameter) request.TellsFinal = value.Boolean(name);
        else InferParameters.OfRequest(request, name, value);
    }

    private static ReadOnlySequence<byte>? NextRaw(ref WireReader raws)
    {
        while (raws.Next(out int field, out WireType type))
        {
            if (field == ModelInferFields.RawInputContents) return raws.Bytes();
            raws.Skip(type);
        }
        return null;
    }

    private static void ReadInput(in ReadOnlySequence<byte> message, ReadOnlySequence<byte>? raw, InferRequest request, TensorPool pool)
    {
        string name = "", datatype = "";
        Span<long> dimensions = stackalloc long[ValueReader.MaximumRank];
        int rank = 0;
        var reader = new WireReader(message);
        while (reader.Next(out int field, out WireType type))
        {
            if (field is >= ModelInferFields.TensorName and <= ModelInferFields.TensorContents && field != ModelInferFields.TensorShape) WireReader.Demand(field, type, WireType.Bytes);
            switch (field)
            {
                case ModelInferFields.TensorName: name = reader.Text("an input's name"); break;
                case ModelInferFields.TensorDatatype: datatype = reader.Text("an input's datatype", 16); break;
                case ModelInferFields.TensorShape when type == WireType.Varint: dimensions[Place(rank++, name)] = Dimension(ref reader, name); break;
                case ModelInferFields.TensorShape:
                    WireReader.Demand(field, type, WireType.Bytes);
                    for (var packed = new WireReader(reader.Bytes()); !packed.IsAtEnd;) dimensions[Place(rank++, name)] = Dimension(ref packed, name);
                    break;
                case ModelInferFields.TensorParameters: InferParameters.OfInput(ParameterMap.ReadEntry(reader.Bytes()).Name); break;
                default: reader.Skip(type); break;
            }
        }
        AnnouncedInput input = AnnouncedInput.Of(request.Model, name, datatype, dimensions[..rank].ToArray());
        if (request.Inputs[input.Index] is not null) throw new ServingException(ServingError.InvalidRequest, $"Input '{name}' stands there twice.");
        request.Inputs[input.Index] = raw is { } data ? FromRaw(message, data, input, pool) : TypedContents.Read(message, input, pool);
    }

    private static Tensor FromRaw(in ReadOnlySequence<byte> message, in ReadOnlySequence<byte> raw, AnnouncedInput input, TensorPool pool)
    {
        if (TypedContents.IsIn(message))
            throw new ServingException(ServingError.InvalidRequest, $"Input '{input.Name}' has 'contents' beside raw_input_contents; it may have one of them.");
        if (input.Type == TensorElementType.String) return Joined(raw, input, pool);
        if (raw.Length != input.ByteLength) throw input.WrongSize(raw.Length);
        Tensor tensor = input.Rent(pool);
        raw.CopyTo(tensor.Bytes);
        input.Demand(tensor);
        return tensor;
    }

    private static Tensor Joined(in ReadOnlySequence<byte> raw, AnnouncedInput input, TensorPool pool)
    {
        if (raw.IsSingleSegment) return BytesElements.Read(raw.FirstSpan, input, pool);
        byte[] joined = ArrayPool<byte>.Shared.Rent((int)raw.Length);
        try
        {
            raw.CopyTo(joined);
            return BytesElements.Read(joined.AsSpan(0, (int)raw.Length), input, pool);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(joined, clearArray: true);
        }
    }

    private static void ReadOutput(in ReadOnlySequence<byte> message, InferRequest request)
    {
        string name = "";
        RequestedOutput output = default;
        var reader = new WireReader(message);
        while (reader.Next(out int field, out WireType type))
        {
            if (field is ModelInferFields.RequestedName or ModelInferFields.RequestedParameters) WireReader.Demand(field, type, WireType.Bytes);
            switch (field)
            {
                case ModelInferFields.RequestedName: name = reader.Text("an output's name"); break;
                case ModelInferFields.RequestedParameters:
                    (string parameter, ParameterValue value) = ParameterMap.ReadEntry(reader.Bytes());
                    output = InferParameters.OfOutput(output, parameter, value);
                    break;
                default: reader.Skip(type); break;
            }
        }
        int index = request.Model.IndexOfOutput(name);
        if (request.Outputs.Exists(other => other.Index == index)) throw new ServingException(ServingError.InvalidRequest, $"Output '{name}' stands there twice.");
        request.Outputs.Add(output with { Index = index });
    }

    private static int Place(int rank, string name) => rank < ValueReader.MaximumRank
        ? rank
        : throw new ServingException(ServingError.WrongShape, $"The shape of input '{name}' has more than {ValueReader.MaximumRank} dimensions.");

    private static long Dimension(ref WireReader reader, string name) => (long)reader.Varint() is >= 0 and <= int.MaxValue and var dimension
        ? dimension
        : throw new ServingException(ServingError.WrongShape, $"A dimension of input '{name}' is not a number from 0 to {int.MaxValue}.");
}
