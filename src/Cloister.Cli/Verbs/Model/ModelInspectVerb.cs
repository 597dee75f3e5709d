using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Protocol.Manifest;
using Cloister.Sealing;
using Cloister.Serving.Partitioned;

namespace Cloister.Cli.Verbs;

internal static class ModelInspectVerb
{
    private static readonly Argument<string> SealedPath = new("file") { Description = "The sealed file." };

    public static Command Create() => new Verb("inspect", "Show what a sealed file says of itself; needs no key.", "cloister model inspect store/shapes.sealed") { SealedPath }
        .Runs((parsed, screen, _) =>
        {
            string path = parsed.GetRequiredValue(SealedPath);
            using FileStream file = Open(path);
            SealedInspection inspection = SealedFile.Inspect(file);
            SealedHeader header = inspection.Header;
            string mode = PartitionEntries.ModeOf(header.Entries.Select(entry => entry.Name));
            screen.Result(
                $"""
                '{header.Name}' version {header.Version}, format {header.FormatVersion}, {header.ChunkCount} chunks of {header.ChunkSize:N0} bytes
                made for  mode {mode}: {ModelModes.Meaning(mode)}
                digest    {inspection.Digest}
                maker     {inspection.Maker}
                signature {(inspection.SignatureValid ? "valid for that maker's key; whether the key is the right one is for you to say" : "NOT VALID")}
                {string.Join('\n', header.Entries.Select(entry => $"  {entry.Length,15:N0}  {entry.Name}"))}
                """,
                new JsonObject
                {
                    ["name"] = header.Name,
                    ["version"] = header.Version,
                    ["formatVersion"] = header.FormatVersion,
                    ["mode"] = mode,
                    ["digest"] = inspection.Digest,
                    ["maker"] = inspection.Maker.Fingerprint,
                    ["makerKey"] = Convert.ToBase64String(inspection.Maker.SubjectPublicKeyInfo.Span),
                    ["signatureValid"] = inspection.SignatureValid,
                    ["entries"] = new JsonArray([.. header.Entries.Select(entry => (JsonNode)new JsonObject { ["name"] = entry.Name, ["bytes"] = entry.Length })]),
                });
            return Task.FromResult(inspection.SignatureValid ? ExitCode.Success : ExitCode.Refused);
        });

    public static FileStream Open(string path)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.BadInput, $"'{path}' cannot be read: {exception.Message}", exception);
        }
    }
}
