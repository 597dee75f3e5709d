using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cloister.Coordinator.Manifest;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.State;

/// <summary>
/// Lines of the update log: who changed what and when, in MarbleRun's words and members. A line never holds a secret's value.
/// What MarbleRun has no line for - owners, secrets that are withheld - is said in the same way.
/// </summary>
internal static class UpdateLog
{
    public static string ManifestSet(DateTimeOffset at, ManifestInForce manifest) => Line(at, "Initial manifest set", writer =>
    {
        if (manifest.Dialect == ManifestDialect.MarbleRun)
            return;
        Fingerprint(writer, manifest.Fingerprint);
        Names(writer, "owners", manifest.OwnerSignatures.Select(ManifestIntake.OwnerName));
    });

    public static string Recovered(DateTimeOffset at, IEnumerable<string> holders) => Line(at, "State recovered", writer => Names(writer, "recoveryKeys", holders));

    public static string SecretSet(DateTimeOffset at, string user, string secret, string type) => Line(at, "Secret set", writer =>
    {
        writer.WriteString("user", user);
        writer.WriteString("secret", secret);
        writer.WriteString("type", type);
    });

    public static string SecurityVersionIncreased(DateTimeOffset at, string user, string package, ulong version) => Line(at, "SecurityVersion increased", writer =>
    {
        writer.WriteString("user", user);
        writer.WriteString("package", package);
        writer.WriteNumber("new version", version);
    });

    public static string UpdateSent(DateTimeOffset at, string user, int missing, ImmutableArray<string> missingUsers, string fingerprint) => missing == 0
        ? Line(at, "Complete Manifest update initiated by user. No further acknowledgements required", writer =>
        {
            writer.WriteString("user", user);
            Fingerprint(writer, fingerprint);
        })
        : Line(at, "Complete Manifest update initiated by user. Waiting for acknowledgments to apply the update", writer => Standing(writer, user, missing, missingUsers, fingerprint));

    public static string UpdateAcknowledged(DateTimeOffset at, string user, int missing, ImmutableArray<string> missingUsers, string fingerprint) =>
        Line(at, "Complete Manifest update acknowledged by user", writer => Standing(writer, user, missing, missingUsers, fingerprint));

    public static string UpdateCancelled(DateTimeOffset at, string user, string fingerprint) => Line(at, "Complete Manifest update cancelled by user", writer =>
    {
        writer.WriteString("user", user);
        Fingerprint(writer, fingerprint);
    });

    public static string ManifestUpdated(DateTimeOffset at, string fingerprint) =>
        Line(at, "Complete Manifest updated", writer => Fingerprint(writer, fingerprint));

    public static string SecretWithheld(DateTimeOffset at, string secret, string fingerprint) => Line(at, "Secret withheld until its owner acknowledges the manifest", writer =>
    {
        writer.WriteString("secret", secret);
        Fingerprint(writer, fingerprint);
    });

    public static string SecretForgotten(DateTimeOffset at, string secret, string fingerprint) => Line(at, "Secret forgotten: others than before may open the state", writer =>
    {
        writer.WriteString("secret", secret);
        Fingerprint(writer, fingerprint);
    });

    public static string SecretAcknowledged(DateTimeOffset at, string user, string secret, string fingerprint) => Line(at, "Manifest acknowledged for secret", writer =>
    {
        writer.WriteString("user", user);
        writer.WriteString("secret", secret);
        Fingerprint(writer, fingerprint);
    });

    private static void Standing(Utf8JsonWriter writer, string user, int missing, ImmutableArray<string> missingUsers, string fingerprint)
    {
        writer.WriteString("user", user);
        writer.WriteNumber("missingAcknowledgments", missing);
        Names(writer, "missingUsers", missingUsers);
        Fingerprint(writer, fingerprint);
    }

    private static void Fingerprint(Utf8JsonWriter writer, string fingerprint) => writer.WriteString("manifestFingerprint", fingerprint);

    private static void Names(Utf8JsonWriter writer, string member, IEnumerable<string> names)
    {
        writer.WriteStartArray(member);
        foreach (string name in names)
            writer.WriteStringValue(name);
        writer.WriteEndArray();
    }

    private static string Line(DateTimeOffset at, string update, Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>();
        // MarbleRun's logger escapes what JSON demands and nothing else.
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("time", at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            writer.WriteString("update", update);
            members(writer);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
