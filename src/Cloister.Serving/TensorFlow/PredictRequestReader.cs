using System.Text;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow.Json;

namespace Cloister.Serving.TensorFlow;

/// <summary>
/// Reads a predict request in row format (<c>instances</c>: a list of items) or column format (<c>inputs</c>: a tensor, or one by
/// name), as TF Serving does: members it does not know, and what follows the document, are passed over. A member that stands there
/// twice is refused, for TF Serving would obey one and ignore the other. What is refused is refused in TF Serving's words.
/// </summary>
internal static class PredictRequestReader
{
    /// <exception cref="ServingException">The body is not a request that the model can answer; the text says why.</exception>
    public static PredictRequest Read(ReadOnlySpan<byte> body, ServedModel model, TensorPool pool)
    {
        var request = new PredictRequest(model);
        try
        {
            ReadDocument(body, request, model, pool);
            return request;
        }
        catch (ServingException refusal)
        {
            request.Dispose();
            throw PredictRefusal.Of(refusal, body, model);
        }
        catch
        {
            request.Dispose();
            throw;
        }
    }

    private static void ReadDocument(ReadOnlySpan<byte> body, PredictRequest request, ServedModel model, TensorPool pool)
    {
        var cursor = new JsonCursor(body);
        bool row = false, column = false;
        var seen = new MemberSet();
        cursor.OpenObject("the request");
        while (cursor.NextMember(out ReadOnlySpan<byte> name))
        {
            if (seen.Adds(ref cursor, name, 0, "signature_name"u8))
            {
                DemandSignature(ref cursor);
                continue;
            }
            if (seen.Adds(ref cursor, name, 1, "instances"u8)) row = true;
            else if (seen.Adds(ref cursor, name, 2, "inputs"u8)) column = true;
            else
            {
                PassOver(ref cursor);
                continue;
            }
            if (row && column) throw cursor.Invalid("only one of 'inputs' and 'instances' may be given");
            using var tensors = new PredictTensors(model, pool);
            if (row) ReadInstances(ref cursor, tensors);
            else ReadInputs(ref cursor, tensors, model);
            tensors.MoveTo(request.Inputs, row);
        }
        if (!row && !column) throw cursor.Invalid("the request has neither 'inputs' nor 'instances'");
        request.IsRow = row;
    }

    private static void DemandSignature(ref JsonCursor cursor)
    {
        string signature = cursor.ReadText("'signature_name'");
        if (!ModelSignatures.IsPredict(signature))
            throw new ServingException(ServingError.InvalidRequest, $"Serving signature name: \"{signature}\" not found in signature def");
    }

    private static void PassOver(ref JsonCursor cursor)
    {
        ReadOnlySpan<byte> rest = cursor.Rest;
        int at = 0;
        if (DocumentScanner.Scan(rest, ref at) is { } fault) throw cursor.Malformed(fault, cursor.Position + at);
        cursor.Advance(at);
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
        while (cursor.NextMember(out ReadOnlySpan<byte> name))
        {
            if (model.TryIndexOfInput(Encoding.UTF8.GetString(name), out _)) tensors.Read(ref cursor, Encoding.UTF8.GetString(name));
            else PassOver(ref cursor);
        }
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
        if (!cursor.NextMember(out ReadOnlySpan<byte> name) || !name.SequenceEqual("b64"u8) || cursor.Peek() != JsonKind.String) return false;
        cursor.ReadString();
        return !cursor.NextMember(out _);
    }
}
