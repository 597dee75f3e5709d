using System.Text;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;

namespace Cloister.Serving.OpenInference;

/// <summary>Reads an inference request. Members may stand in any order; unknown and repeated ones are refused.</summary>
internal static class InferRequestReader
{
    private const int MaximumIdBytes = 1024, MaximumClasses = 100_000;

    /// <exception cref="ServingException">The body is not a request that the model can answer; the text says where and why.</exception>
    public static InferRequest Read(ReadOnlySpan<byte> body, ServedModel model, TensorPool pool)
    {
        var cursor = new JsonCursor(body);
        var request = new InferRequest(model);
        try
        {
            var seen = new MemberSet();
            cursor.OpenObject("the request");
            while (cursor.NextMember(out ReadOnlySpan<byte> name))
            {
                if (seen.Adds(ref cursor, name, 0, "id"u8)) request.Id = cursor.ReadText("'id'", MaximumIdBytes);
                else if (seen.Adds(ref cursor, name, 1, "parameters"u8)) ReadRequestParameters(ref cursor, request);
                else if (seen.Adds(ref cursor, name, 2, "inputs"u8)) ReadInputs(ref cursor, request, model, pool);
                else if (seen.Adds(ref cursor, name, 3, "outputs"u8)) ReadOutputs(ref cursor, request, model);
                else throw Unknown(ref cursor, name, "the request", "id, parameters, inputs, outputs");
            }
            cursor.End();
            for (int i = 0; i < request.Inputs.Length; i++)
                if (request.Inputs[i] is null) throw model.MissingInput(i);
            return request;
        }
        catch
        {
            request.Dispose();
            throw;
        }
    }

    private static void ReadInputs(ref JsonCursor cursor, InferRequest request, ServedModel model, TensorPool pool)
    {
        cursor.OpenArray("'inputs'");
        while (cursor.NextElement())
        {
            int at = cursor.Position;
            (int index, Tensor tensor) = InferInputReader.Read(ref cursor, model, pool);
            if (request.Inputs[index] is not null)
            {
                tensor.Dispose();
                throw cursor.Invalid($"input '{model.Engine.Inputs[index].Name}' stands there twice", at);
            }
            request.Inputs[index] = tensor;
        }
    }

    private static void ReadOutputs(ref JsonCursor cursor, InferRequest request, ServedModel model)
    {
        cursor.OpenArray("'outputs'");
        while (cursor.NextElement())
        {
            int at = cursor.Position, classes = 0;
            string? output = null;
            var seen = new MemberSet();
            cursor.OpenObject("an output");
            while (cursor.NextMember(out ReadOnlySpan<byte> name))
            {
                if (seen.Adds(ref cursor, name, 0, "name"u8)) output = cursor.ReadText("an output's 'name'");
                else if (seen.Adds(ref cursor, name, 1, "parameters"u8)) classes = ReadOutputParameters(ref cursor);
                else throw Unknown(ref cursor, name, "an output", "name, parameters");
            }
            if (output is null) throw cursor.Invalid("an output has no 'name'", at);
            int index = model.IndexOfOutput(output);
            if (request.Outputs.Exists(other => other.Index == index)) throw cursor.Invalid($"output '{output}' stands there twice", at);
            request.Outputs.Add(new RequestedOutput(index, classes));
        }
    }

    // Parameters that change the answer's meaning are refused where they are not understood: to ignore them would answer another question.
    private static void ReadRequestParameters(ref JsonCursor cursor, InferRequest request)
    {
        cursor.OpenObject("'parameters'");
        while (cursor.NextMember(out ReadOnlySpan<byte> name))
        {
            if (name.SequenceEqual("timeout"u8)) request.Timeout = TimeSpan.FromMicroseconds(cursor.ReadInteger("'timeout' (microseconds)", 1, 86_400_000_000));
            else if (name.SequenceEqual("content_type"u8)) cursor.Skip();
            else if (name.SequenceEqual("binary_data_output"u8)) DemandNoBinary(ref cursor, "'binary_data_output'");
            else throw Unknown(ref cursor, name, "the request's parameters", "timeout, content_type");
        }
    }

    private static int ReadOutputParameters(ref JsonCursor cursor)
    {
        int classes = 0;
        cursor.OpenObject("an output's 'parameters'");
        while (cursor.NextMember(out ReadOnlySpan<byte> name))
        {
            if (name.SequenceEqual("classification"u8)) classes = (int)cursor.ReadInteger("'classification'", 1, MaximumClasses);
            else if (name.SequenceEqual("content_type"u8)) cursor.Skip();
            else if (name.SequenceEqual("binary_data"u8)) DemandNoBinary(ref cursor, "'binary_data'");
            else throw Unknown(ref cursor, name, "an output's parameters", "classification, content_type");
        }
        return classes;
    }

    private static void DemandNoBinary(ref JsonCursor cursor, string what)
    {
        if (cursor.ReadBoolean(what))
            throw new ServingException(ServingError.Unsupported, $"{what} asks for the binary tensor extension, which this server does not offer; send and take JSON.");
    }

    internal static ServingException Unknown(ref JsonCursor cursor, ReadOnlySpan<byte> name, string where, string known) =>
        cursor.Invalid($"member '{Encoding.UTF8.GetString(name[..Math.Min(name.Length, 64)])}' of {where} is unknown; known are {known}");
}
