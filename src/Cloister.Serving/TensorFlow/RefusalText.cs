using System.Text;
using Cloister.Serving.Json;
using Cloister.Serving.TensorFlow.Json;

namespace Cloister.Serving.TensorFlow;

/// <summary>What TF Serving says of a body that none of its JSON requests is (tensorflow/serving, util/json_tensor.cc).</summary>
internal static class RefusalText
{
    /// <summary>Reads over the document.</summary>
    /// <param name="body">The body.</param>
    /// <param name="document">The object that it is.</param>
    /// <returns>What is wrong; null if nothing is.</returns>
    public static string? Document(ReadOnlySpan<byte> body, out JsonView document)
    {
        document = default;
        if (body.IsEmpty) return "JSON Parse error: The document is empty";
        int start = body.StartsWith("\uFEFF"u8) ? 3 : 0, at = start;
        if (DocumentScanner.Scan(body, ref at) is { } fault) return $"JSON Parse error: {fault} at offset: {at}";
        document = new JsonView(body, start);
        return document.Kind == JsonKind.Object ? null : Of(document, "Is not object");
    }

    /// <summary>Reads the signature's name.</summary>
    /// <param name="document">The request.</param>
    /// <param name="name">The name; empty if there is none.</param>
    /// <returns>What is wrong; null if nothing is.</returns>
    public static string? Signature(JsonView document, out string name)
    {
        name = "";
        if (!document.TryFind("signature_name"u8, out JsonView value)) return null;
        if (value.Kind != JsonKind.String) return Of(document, "not formatted correctly. 'signature_name' key must be a string value.");
        name = Encoding.UTF8.GetString(value.Text[..Math.Min(value.Text.Length, 1024)]);
        return null;
    }

    /// <summary>A sentence about a value, which is shown before it.</summary>
    public static string Of(JsonView value, string reason) => $"JSON Value: {JsonEcho.Of(value)} {reason}";
}
