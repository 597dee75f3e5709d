using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Sealing;

namespace Cloister.Cli.Verbs;

internal static class ModelOpenVerb
{
    private static readonly Argument<string> SealedPath = new("file") { Description = "The sealed file." };
    private static readonly Option<string> Key = new("--key") { Description = "The model's key.", Required = true };
    private static readonly Option<string> Maker = new("--maker-public") { Description = "The maker's public key, PEM.", Required = true };
    private static readonly Option<string?> Digest = new("--digest") { Description = "Refuse another digest than this (hex)." };
    private static readonly Option<long> Minimum = new("--minimum-version") { Description = "Refuse an older version.", DefaultValueFactory = _ => 0 };
    private static readonly Option<string?> Extract = new("--extract") { Description = "Also write this entry, in the clear, to --out." };
    private static readonly Option<string?> Out = new("--out") { Description = "The file that --extract writes." };

    public static Command Create() => new Verb("open", "Check a sealed file whole, as a workload would, decrypting it in memory only.",
        "cloister model open store/shapes.sealed --key owner/model.key --maker-public owner/maker.pub",
        "cloister model open store/shapes.sealed --key owner/model.key --maker-public owner/maker.pub --extract labels.txt --out labels.txt")
        { SealedPath, Key, Maker, Digest, Minimum, Extract, Out }
        .Runs(OpenAsync);

    private static async Task OpenAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        using SecretBytes key = await KeyFile.ReadAsync(parsed.GetRequiredValue(Key), cancellation);
        var trust = new SealedTrust(
            MakerPublicKey.FromPem(await LocalFile.ReadTextAsync(parsed.GetRequiredValue(Maker), cancellation)),
            parsed.GetValue(Digest) is { } digest ? ParseDigest(digest) : (ReadOnlyMemory<byte>?)null,
            parsed.GetValue(Minimum),
            ExpectedName: null);
        await using FileStream file = ModelInspectVerb.Open(parsed.GetRequiredValue(SealedPath));
        await using SealedReader reader = await SealedFile.OpenAsync(file, trust, key.Memory, cancellation);
        await screen.ProgressAsync("opening", reader.Header.ContentLength, async progress =>
        {
            await reader.VerifyAsync(progress, cancellation);
            return true;
        });
        if (parsed.GetValue(Extract) is { } entry)
        {
            string path = parsed.GetValue(Out) ?? throw new CommandException(ExitCode.Usage, "--extract needs --out, the file to write.");
            byte[] bytes = new byte[reader.LengthOf(entry)];
            await reader.ReadAsync(entry, bytes, cancellation: cancellation);
            await LocalFile.WriteAsync(path, bytes, cancellation);
        }
        screen.Result(
            $"opened '{reader.Header.Name}' version {reader.Header.Version}: every chunk is genuine, {reader.Header.ContentLength:N0} bytes",
            new JsonObject { ["name"] = reader.Header.Name, ["version"] = reader.Header.Version, ["digest"] = reader.Digest, ["bytes"] = reader.Header.ContentLength });
    }

    private static byte[] ParseDigest(string hex)
    {
        try
        {
            return Convert.FromHexString(hex);
        }
        catch (FormatException exception)
        {
            throw new CommandException(ExitCode.Usage, "--digest is not hexadecimal.", exception);
        }
    }
}
