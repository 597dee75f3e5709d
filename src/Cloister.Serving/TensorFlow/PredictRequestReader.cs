using System.Text;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;

namespace Cloister.Serving.TensorFlow;

/// <summary>
/// Reads a predict request in row format (<c>instances</c>: a list of items) or column format (<c>inputs</c>: a tensor, or one by name).
/// TF Serving passes over members it does not know; they are refused here.
/// </summary>
internal static class PredictRequestReader
{
    private const string DefaultSignature = "serving_default";

    /// <exception cref="ServingException">The body is not a request that the model can answer; the text says where and why.</exception>
    public static PredictRequest Read(ReadOnlySpan<byte> body, ServedModel model, TensorPool pool)
    {
        if (body.IsEmpty) throw new ServingException(ServingError.MalformedJson, "The body is not valid JSON: it is empty.");
        var cursor = new JsonCursor(body);
        var request = new PredictRequest(model);
        try
        {
            bool row = false, column = false;
            var seen = new MemberSet();
            cursor.OpenObject("the request");
            while (cursor.NextMember(out ReadOnlySpan<byte> name))
            {
                if (seen.Adds(ref cursor, name, 0, "signature_name"u8)) DemandSignature(ref cursor);
                else if (seen.Adds(ref cursor, name, 1, "instances"u8)) row = true;
                else if (seen.Adds(ref cursor, name, 2, "inputs"u8)) column = true;
                else throw cursor.Invalid($"member '{Encoding.UTF8.GetString(name[..Math.Min(name.Length, 64)])}' of the request is unknown; known are signature_name, instances, inputs");
                if (row && column) throw cursor.Invalid("only one of 'inputs' and 'instances' may be given");
                if (name.SequenceEqual("signature_name"u8)) continue;
                using var tensors = new PredictTensors(model, pool);
                if (row) ReadInstances(ref cursor, tensors);
                else ReadInputs(ref cursor, tensors, model);
                tensors.MoveTo(request.Inputs, row);
            }
            cursor.End();
            if (!row && !column) throw cursor.Invalid("the request has neither 'inputs' nor 'instances'");
            request.IsRow = row;
            return request;
        }
        catch
        {
            request.Dispose();
            throw;
        }
    }

    private static void DemandSignature(ref JsonCursor cursor)
    {
        string signature = cursor.ReadText("'signature_name'");
        if (signature is not ("" or DefaultSignature))
            throw cursor.Invalid($"serving signature name \"{signature}\" not found in signature def; there is \"{DefaultSignature}\"");
    }

    private static void ReadInstances(ref JsonCursor cursor, PredictTensors tensors)
    {
        if (cursor.Peek() != JsonKind.Array) throw cursor.Invalid("'instances' must be a list");
        if (!FirstItemIsNamed(cursor))
        {
            tensors.ReadOnly(ref cursor, "'instances' is a plain list");
            if (tensors.Items == 0) throw cursor.Invalid("'instances' is empty");
            return;
        }
        cursor.OpenArray("'instances'");
        for (int item = 0; cursor.NextElement(); item++)
        {
            int at = cursor.Position;
            if (cursor.Peek() != JsonKind.Object) throw cursor.Invalid($"item {item} of 'instances' must be an object like the others");
            cursor.OpenObject("an instance");
            while (cursor.NextMember(out ReadOnlySpan<byte> name)) tensors.Read(ref cursor, Encoding.UTF8.GetString(name));
            tensors.EndItem(item, at);
        }
    }

    private static void ReadInputs(ref JsonCursor cursor, PredictTensors tensors, ServedModel model)
    {
        if (cursor.Peek() != JsonKind.Object || IsBase64(cursor))
        {
            tensors.ReadOnly(ref cursor, "'inputs' is a plain value");
            return;
        }
        int at = cursor.Position;
        cursor.OpenObject("'inputs'");
        while (cursor.NextMember(out ReadOnlySpan<byte> name)) tensors.Read(ref cursor, Encoding.UTF8.GetString(name));
        tensors.EndItem(0, at);
    }

    // Both look ahead with a copy of the cursor.
    private static bool FirstItemIsNamed(JsonCursor cursor)
    {
        cursor.OpenArray("'instances'");
        return cursor.Peek() == JsonKind.Object && !IsBase64(cursor);
    }

    private static bool IsBase64(JsonCursor cursor)
    {
        cursor.OpenObject("the value");
        return cursor.NextMember(out ReadOnlySpan<byte> name) && name.SequenceEqual("b64"u8) && cursor.Peek() == JsonKind.String;
    }
}
