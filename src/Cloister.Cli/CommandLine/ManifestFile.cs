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
            using var document = JsonDocument.Parse(YamlDocument.ToJson(bytes, unambiguous: true), new JsonDocumentOptions { AllowDuplicateProperties = false });
            // A sentence is YAML too: only an object can be a manifest.
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new FormatException("not an object");
            return GoJsonText.Of(document.RootElement);
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
}
