using System.Buffers;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Templates;
using Google.Protobuf;

namespace Cloister.Coordinator.Activation;

/// <summary>MarbleRun's transparent TLS: the connections of a marble's tags, with their certificates, as one JSON document for its runtime.</summary>
internal static class TtlsEnvironment
{
    public const string Variable = "MARBLE_TTLS_CONFIG";

    // Members and connections in ordinal order, as Go writes its maps; a later tag's connection replaces an earlier one of the same name.
    /// <summary>The document, or null where the marble has no tag.</summary>
    /// <exception cref="CoordinatorException">AwaitingSecrets, or ParametersRefused: a named secret is no certificate.</exception>
    public static ByteString? Build(CoordinatorSnapshot snapshot, MarblePlan plan, TemplateData data)
    {
        if (plan.Marble.Tls.IsEmpty)
            return null;
        var incoming = new SortedDictionary<string, ManifestTlsEntry>(StringComparer.Ordinal);
        var outgoing = new SortedDictionary<string, ManifestTlsEntry>(StringComparer.Ordinal);
        foreach (string name in plan.Marble.Tls)
        {
            ManifestTlsTag tag = snapshot.Manifest!.Document.Tls[name];
            foreach (ManifestTlsEntry entry in tag.Outgoing)
                outgoing[$"{entry.Addr}:{entry.Port}"] = entry;
            foreach (ManifestTlsEntry entry in tag.Incoming)
                incoming[$"*:{entry.Port}"] = entry;
        }
        string authority = MarblePem.Certificate(snapshot.Authority.MarbleRoot.RawData);
        TemplateSecretValue own = data.MarbleCertificate!.Value!;
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("tls");
            writer.WriteStartObject("Incoming");
            foreach ((string name, ManifestTlsEntry entry) in incoming)
                WriteConnection(writer, name, authority, entry.Cert.Length == 0 ? own : Named(plan, entry.Cert, data), clientAuthentication: entry.Cert.Length == 0 || !entry.DisableClientAuth);
            writer.WriteEndObject();
            writer.WriteStartObject("Outgoing");
            foreach (string name in outgoing.Keys)
                WriteConnection(writer, name, authority, own, clientAuthentication: null);
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        ByteString document = ByteString.CopyFrom(buffer.WrittenSpan);
        // The private keys stand in the answer alone.
        buffer.Clear();
        return document;
    }

    private static void WriteConnection(Utf8JsonWriter writer, string name, string authority, TemplateSecretValue certificate, bool? clientAuthentication)
    {
        writer.WriteStartObject(name);
        writer.WriteString("cacrt", authority);
        writer.WriteString("clicrt", MarblePem.Certificate(certificate.Certificate.Span));
        if (clientAuthentication is { } required)
            writer.WriteBoolean("clientAuth", required);
        writer.WriteString("clikey", MarblePem.PrivateKey(certificate.Private.Span));
        writer.WriteEndObject();
    }

    private static TemplateSecretValue Named(MarblePlan plan, string secret, TemplateData data)
    {
        if (!data.Secrets.TryGet(secret, out TemplateSecret? found))
            throw new CoordinatorException(CoordinatorError.ParametersRefused, $"A TLS tag of workload type '{plan.Type}' names the secret '{secret}', which the manifest does not define.");
        TemplateSecretValue value = found.Value ?? throw NeededSecrets.Awaiting([secret]);
        return value.Certificate.IsEmpty
            ? throw new CoordinatorException(CoordinatorError.ParametersRefused, $"A TLS tag of workload type '{plan.Type}' names the secret '{secret}', which is no certificate.")
            : value;
    }
}

/// <summary>PEM as Go writes it: one line feed at the end.</summary>
internal static class MarblePem
{
    public static string Certificate(ReadOnlySpan<byte> der) => PemEncoding.WriteString("CERTIFICATE", der) + "\n";

    public static string PrivateKey(ReadOnlySpan<byte> der) => PemEncoding.WriteString("PRIVATE KEY", der) + "\n";
}
