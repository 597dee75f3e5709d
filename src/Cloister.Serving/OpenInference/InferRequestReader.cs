using System.Text;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;

namespace Cloister.Serving.OpenInference;

/// <summary>Reads an inference request's JSON. Members may stand in any order; unknown and repeated ones are refused.</summary>
internal static class InferRequestReader
{
    /// <summary>Reads a request that is JSON alone.</summary>
    /// <exception cref="ServingException">The body is not a request that the model can answer; the text says where and why.</exception>
    public static InferRequest Read(ReadOnlySpan<byte> body, ServedModel model, TensorPool pool)
    {
        var binary = new List<BinaryInput>();
        InferRequest request = ReadHeader(body, model, pool, binary);
        try
        {
            // KServe's client announces binary data of no bytes without a header, for there is nothing that it would set apart.
            if (binary.Exists(input => input.Size > 0))
                throw new ServingException(ServingError.BinaryDataRefused,
                    "'binary_data_size' announces binary data, but no header Inference-Header-Content-Length says where the JSON ends.");
            using var empty = new BinaryInputs(request, binary, pool);
            request.DemandInputs();
            return request;
        }
        catch
        {
            request.Dispose();
            throw;
        }
    }

    /// <summary>Reads the JSON of a request whose binary data, if any, follows.</summary>
    /// <param name="header">The JSON.</param>
    /// <param name="model">The model that is asked.</param>
    /// <param name="pool">Where memory comes from.</param>
    /// <param name="binary">Filled with the inputs whose data follows, in order.</param>
    /// <exception cref="ServingException">As <see cref="Read"/>.</exception>
    public static InferRequest ReadHeader(ReadOnlySpan<byte> header, ServedModel model, TensorPool pool, List<BinaryInput> binary)
    {
        var cursor = new JsonCursor(header);
        var request = new InferRequest(model);
        try
        {
            var seen = new MemberSet();
            cursor.OpenObject("the request");
            while (cursor.NextMember(out ReadOnlySpan<byte> name))
            {
                if (seen.Adds(ref cursor, name, 0, "id"u8)) request.Id = IsNull(ref cursor) ? null : cursor.ReadText("'id'", InferRequest.MaximumIdBytes);
                else if (seen.Adds(ref cursor, name, 1, "parameters"u8)) ReadRequestParameters(ref cursor, request);
                else if (seen.Adds(ref cursor, name, 2, "inputs"u8)) ReadInputs(ref cursor, request, pool, binary);
                else if (seen.Adds(ref cursor, name, 3, "outputs"u8)) ReadOutputs(ref cursor, request);
                else if (seen.Adds(ref cursor, name, 4, "model_name"u8)) DemandAddressed(ref cursor, model.Name, "'model_name'");
                else if (seen.Adds(ref cursor, name, 5, "model_version"u8))
                    DemandAddressed(ref cursor, model.Version.ToString(System.Globalization.CultureInfo.InvariantCulture), "'model_version'");
                else throw Unknown(ref cursor, name, "the request", "id, parameters, inputs, outputs, model_name, model_version");
            }
            cursor.End();
            return request;
        }
        catch
        {
            request.Dispose();
            throw;
        }
    }

    /// <summary>Takes an optional member that some clients send as null; false if it has a value.</summary>
    internal static bool IsNull(ref JsonCursor cursor)
    {
        if (cursor.Peek() != JsonKind.Null) return false;
        cursor.ReadNull();
        return true;
    }

    internal static ServingException Unknown(ref JsonCursor cursor, ReadOnlySpan<byte> name, string where, string known) =>
        cursor.Invalid($"member '{Encoding.UTF8.GetString(name[..Math.Min(name.Length, 64)])}' of {where} is unknown; known are {known}");

    private static void ReadInputs(ref JsonCursor cursor, InferRequest request, TensorPool pool, List<BinaryInput> binary)
    {
        cursor.OpenArray("'inputs'");
        while (cursor.NextElement())
        {
            int at = cursor.Position;
            (AnnouncedInput input, Tensor? tensor, long? size) = InferInputReader.Read(ref cursor, request.Model, pool);
            if (request.Inputs[input.Index] is not null || binary.Exists(other => other.Input.Index == input.Index))
            {
                tensor?.Dispose();
                throw cursor.Invalid($"input '{input.Name}' stands there twice", at);
            }
            request.Inputs[input.Index] = tensor;
            if (size is { } bytes) binary.Add(new BinaryInput(input, bytes));
        }
    }

    private static void ReadOutputs(ref JsonCursor cursor, InferRequest request)
    {
        if (IsNull(ref cursor)) return;
        cursor.OpenArray("'outputs'");
        while (cursor.NextElement())
        {
            int at = cursor.Position;
            RequestedOutput output = default;
            string? called = null;
            var seen = new MemberSet();
            cursor.OpenObject("an output");
            while (cursor.NextMember(out ReadOnlySpan<byte> name))
            {
                if (seen.Adds(ref cursor, name, 0, "name"u8)) called = cursor.ReadText("an output's 'name'");
                else if (seen.Adds(ref cursor, name, 1, "parameters"u8)) output = ReadOutputParameters(ref cursor);
                else throw Unknown(ref cursor, name, "an output", "name, parameters");
            }
            if (called is null) throw cursor.Invalid("an output has no 'name'", at);
            int index = request.Model.IndexOfOutput(called);
            if (request.Outputs.Exists(other => other.Index == index)) throw cursor.Invalid($"output '{called}' stands there twice", at);
            request.Outputs.Add(output with { Index = index });
        }
    }

    private static void ReadRequestParameters(ref JsonCursor cursor, InferRequest request)
    {
        if (IsNull(ref cursor)) return;
        cursor.OpenObject("'parameters'");
        while (cursor.NextMember(out ReadOnlySpan<byte> name))
        {
            string parameter = ParameterReader.Name(ref cursor, name);
            InferParameters.OfRequest(request, parameter, ParameterReader.Value(ref cursor, parameter));
        }
    }

    private static RequestedOutput ReadOutputParameters(ref JsonCursor cursor)
    {
        RequestedOutput output = default;
        if (IsNull(ref cursor)) return output;
        cursor.OpenObject("an output's 'parameters'");
        while (cursor.NextMember(out ReadOnlySpan<byte> name))
        {
            string parameter = ParameterReader.Name(ref cursor, name);
            output = InferParameters.OfOutput(output, parameter, ParameterReader.Value(ref cursor, parameter));
        }
        return output;
    }

    // KServe's client repeats the model in the body; another one than the address names would be answered by the wrong model.
    private static void DemandAddressed(ref JsonCursor cursor, string addressed, string what)
    {
        if (IsNull(ref cursor)) return;
        int at = cursor.Position;
        string asked = cursor.ReadText(what);
        if (asked.Length > 0 && asked != addressed) throw cursor.Invalid($"{what} is '{asked}', but the address leads to '{addressed}'", at);
    }
}
