using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Protocol.Manifest;

namespace Cloister.Cli.CommandLine;

/// <summary>
/// A manifest in a file: JSON is taken byte for byte; what is no JSON is read as YAML and written as JSON in the one way in which
/// MarbleRun's CLI does (members sorted, nothing between them), so that both give it the same fingerprint.
/// </summary>
internal static class ManifestFile
{
    public static async Task<byte[]> ReadAsync(string path, CancellationToken cancellation)
    {
        byte[] bytes = await LocalFile.ReadAsync(path, cancellation, ManifestReader.MaxBytes);
        if (IsJson(bytes))
            return bytes;
        try
        {
            using var document = JsonDocument.Parse(YamlDocument.ToJson(bytes), new JsonDocumentOptions { AllowDuplicateProperties = false });
            // A sentence is YAML too: only an object can be a manifest.
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new FormatException("not an object");
            var output = new ArrayBufferWriter<byte>();
            using (var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
                WriteSorted(document.RootElement, writer);
            return AsGoEscapes(output.WrittenSpan);
        }
        catch (Exception malformed) when (malformed is FormatException or JsonException)
        {
            throw new CommandException(ExitCode.BadInput, $"'{path}' is no manifest in JSON or YAML: {malformed.Message}", malformed);
        }
    }

    /// <summary>The fingerprint that was given, or that of the file that was given.</summary>
    public static async Task<string> FingerprintAsync(string expected, CancellationToken cancellation)
    {
        if (File.Exists(expected))
            return ManifestFingerprint.Of(await ReadAsync(expected, cancellation));
        string lower = expected.ToLowerInvariant();
        return ManifestFingerprint.IsValid(lower) ? lower : throw new CommandException(ExitCode.BadInput, $"'{expected}' is neither a file nor a fingerprint (64 hexadecimal digits).");
    }

    /// <summary>A manifest with the security versions that package updates have raised, by the update log.</summary>
    public static string WithUpdates(ReadOnlyMemory<byte> manifest, IEnumerable<string> log)
    {
        try
        {
            JsonObject document = JsonNode.Parse(manifest.Span)!.AsObject();
            foreach (string line in log)
            {
                if (JsonNode.Parse(line) is not JsonObject entry || entry["package"] is not JsonValue package || entry["new version"] is not JsonValue version)
                    continue;
                if (document["Packages"]?[package.GetValue<string>()] is not JsonObject named)
                    throw new CommandException(ExitCode.BadInput, $"The update log names the package '{package}', which the manifest has not.");
                named["SecurityVersion"] = version.DeepClone();
            }
            return document.ToJsonString(new JsonSerializerOptions { WriteIndented = true, IndentSize = 4, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new CommandException(ExitCode.BadInput, $"The manifest or the update log that came is not usable: {malformed.Message}", malformed);
        }
    }

    private static bool IsJson(byte[] bytes)
    {
        try
        {
            JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 1000 }).Dispose();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static void WriteSorted(JsonElement element, Utf8JsonWriter writer)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (JsonProperty member in element.EnumerateObject().OrderBy(member => member.Name, Utf8Order.Instance))
                {
                    writer.WritePropertyName(member.Name);
                    WriteSorted(member.Value, writer);
                }
                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (JsonElement item in element.EnumerateArray())
                    WriteSorted(item, writer);
                writer.WriteEndArray();
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }

    /// <summary>Go writes &lt;, &gt;, &amp; and the two line separators as escapes, and no others beyond what JSON must.</summary>
    private static byte[] AsGoEscapes(ReadOnlySpan<byte> json) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(json)
        .Replace("<", "\\u003c", StringComparison.Ordinal)
        .Replace(">", "\\u003e", StringComparison.Ordinal)
        .Replace("&", "\\u0026", StringComparison.Ordinal)
        .Replace("\u2028", "\\u2028", StringComparison.Ordinal)
        .Replace("\u2029", "\\u2029", StringComparison.Ordinal));

    /// <summary>Go sorts by bytes.</summary>
    private sealed class Utf8Order : IComparer<string>
    {
        public static Utf8Order Instance { get; } = new();

        public int Compare(string? x, string? y) => Encoding.UTF8.GetBytes(x ?? "").AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y ?? ""));
    }
}
