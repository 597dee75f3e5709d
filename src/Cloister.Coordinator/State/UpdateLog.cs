using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cloister.Coordinator.State;

/// <summary>Lines of the update log: who changed what and when. A line never holds a secret's value.</summary>
internal static class UpdateLog
{
    public static string ManifestSet(DateTimeOffset at, string fingerprint, IEnumerable<string> owners) => Line(at, writer =>
    {
        writer.WriteString("update", "initial manifest set");
        writer.WriteString("fingerprint", fingerprint);
        writer.WriteStartArray("owners");
        foreach (string owner in owners)
            writer.WriteStringValue(owner);
        writer.WriteEndArray();
    });

    public static string Recovered(DateTimeOffset at, IEnumerable<string> holders) => Line(at, writer =>
    {
        writer.WriteString("update", "state recovered");
        writer.WriteStartArray("recoveryKeys");
        foreach (string holder in holders)
            writer.WriteStringValue(holder);
        writer.WriteEndArray();
    });

    public static string SecretSet(DateTimeOffset at, string user, string secret, string type) => Line(at, writer =>
    {
        writer.WriteString("update", "secret set");
        writer.WriteString("user", user);
        writer.WriteString("secret", secret);
        writer.WriteString("type", type);
    });

    private static string Line(DateTimeOffset at, Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.Default }))
        {
            writer.WriteStartObject();
            writer.WriteString("time", at.UtcDateTime);
            members(writer);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
