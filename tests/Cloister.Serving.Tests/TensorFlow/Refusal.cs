using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cloister.Serving.Tests.TensorFlow;

/// <summary>TF Serving's error body.</summary>
internal static class Refusal
{
    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Body(string reason) => $"{{\n    \"error\": {JsonSerializer.Serialize(reason, Options)}\n}}";

    public static string Reason(string body)
    {
        using JsonDocument document = JsonDocument.Parse(body);
        string reason = document.RootElement.GetProperty("error").GetString()!;
        Assert.Equal(Body(reason), body);
        return reason;
    }
}
