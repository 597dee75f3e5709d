using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Platform;
using Cloister.Platform.Tpm;

namespace Cloister.Cli.Verbs;

internal static class ImageUnsealVerb
{
    private static readonly Option<string?> Tpm = new("--tpm") { Description = "This machine's TPM (or CLOISTER_TPM; /dev/tpmrm0)." };
    private static readonly Option<string> In = new("--in") { Description = "The sealed secret.", Required = true };
    private static readonly Option<string> Out = new("--out") { Description = "Where the secret goes; keep it in memory, such as under /run.", Required = true };

    public static Command Create() => new Verb("unseal", "Inside the machine: open a secret that was sealed to its TPM and to the image that booted.",
        "cloister image unseal --tpm /dev/tpmrm0 --in secret.sealed --out /run/secret") { Tpm, In, Out }
        .Runs(UnsealAsync);

    private static async Task UnsealAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        string where = parsed.GetValue(Tpm) ?? PlatformOptions.FromEnvironment().Tpm ?? "/dev/tpmrm0", target = parsed.GetRequiredValue(Out);
        byte[] secret;
        try
        {
            var sealedSecret = TpmSealedSecret.Parse(await LocalFile.ReadAsync(parsed.GetRequiredValue(In), cancellation));
            using var device = new TpmDevice(where);
            secret = await device.UnsealAsync(sealedSecret, default, cancellation);
        }
        catch (PlatformException refused) when (refused.Error is PlatformError.TpmSealedInvalid or PlatformError.TpmSealedElsewhere or PlatformError.TpmPolicyRefused)
        {
            throw new CommandException(ExitCode.BadInput, refused.Message, refused);
        }
        try
        {
            await LocalFile.WritePrivateAsync(target, secret, cancellation);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
        screen.Result($"wrote '{target}'", new JsonObject { ["file"] = target });
    }
}
