using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Attestation.Measurements;
using Cloister.Attestation.Tpm;
using Cloister.Cli.CommandLine;
using Cloister.Platform.Tpm;

namespace Cloister.Cli.Verbs;

internal static class ImageSealVerb
{
    private static readonly Option<string> Measurements = new("--measurements") { Description = "The image's measurements.json.", Required = true };
    private static readonly Option<string> BootPath = new("--path") { Description = "How it will boot: kernel or disk.", DefaultValueFactory = _ => "kernel" };
    private static readonly Option<string> To = new("--to") { Description = "The machine's TPM key: its storage or endorsement key's public area, or the endorsement key's certificate.", Required = true };
    private static readonly Option<string[]> Roots = new("--tpm-root") { Description = "The authority that must have issued the certificate, PEM; may be given several times." };
    private static readonly Option<string> In = new("--in") { Description = "The secret.", Required = true };
    private static readonly Option<string> Out = new("--out") { Description = "Where the sealed secret goes.", Required = true };
    private static readonly Option<bool> Debug = new("--debug") { Description = "Seal to a debug image too, whose operator reads the secret." };

    public static Command Create() => new Verb("seal", "Seal a secret to one machine's TPM and to an image that need not have booted yet.",
        "cloister image seal --measurements hello/measurements.json --to storage-key.pub --in secret --out secret.sealed",
        "cloister image seal --measurements hello/measurements.json --path disk --to ek-rsa2048.crt --tpm-root root.pem --in secret --out secret.sealed")
        { Measurements, BootPath, To, Roots, In, Out, Debug }
        .Runs(SealAsync);

    private static async Task SealAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        string file = parsed.GetRequiredValue(Measurements);
        Outcome<ImageMeasurements> read = ImageMeasurementsJson.Read(await LocalFile.ReadAsync(file, cancellation));
        if (!read.IsAccepted) throw new CommandException(ExitCode.BadInput, $"'{file}' are no measurements: {read.Field} {read.Reason}.");
        ImageMeasurements image = read.Value;
        if (image.Debug && !parsed.GetValue(Debug)) throw new CommandException(ExitCode.BadInput, $"'{image.Name}' is a debug image: its operator can look in and read the secret. --debug seals to it all the same.");
        BootPath path = PathOf(parsed.GetRequiredValue(BootPath), image);
        (TpmPublic key, bool vouched) = await TpmKeyFile.ReadAsync(parsed.GetRequiredValue(To), parsed.GetValue(Roots) ?? [], TimeProvider.System.GetUtcNow(), cancellation);

        byte[] secret = await LocalFile.ReadAsync(parsed.GetRequiredValue(In), cancellation, TpmSealedSecret.MaximumSecret);
        string target = parsed.GetRequiredValue(Out), name = Convert.ToHexStringLower(key.Name.Span);
        try
        {
            await LocalFile.WriteAsync(target, TpmSealedSecret.SealFor(key, image, path, secret).Encode(), cancellation);
        }
        catch (ArgumentException unusable)
        {
            throw new CommandException(ExitCode.BadInput, unusable.Message, unusable);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
        screen.Result(
            $"""
            sealed to '{image.Name}' (product {image.Product}, version {image.Version}, boot path {path}) on the TPM with the key {name}
            {(vouched ? "an authority that you named vouches for that key" : "nobody vouches for that key: whoever made it reads the secret")}
            wrote '{target}'
            """,
            new JsonObject { ["file"] = target, ["image"] = image.Name, ["path"] = $"{path}", ["key"] = name, ["vouched"] = vouched });
    }

    private static BootPath PathOf(string text, ImageMeasurements image) => Enum.TryParse(text, ignoreCase: true, out BootPath path) && !int.TryParse(text, out _) && image.Pcrs.ContainsKey(path)
        ? path
        : throw new CommandException(ExitCode.Usage, $"'{text}' is no boot path of this image. It has: {string.Join(", ", image.Pcrs.Keys).ToLowerInvariant()}.");
}
