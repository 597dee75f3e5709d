using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class RecoveryEncryptVerb
{
    private static readonly Argument<string> Share = new("file") { Description = "The recovery secret as bytes: as the coordinator gave it, or decrypted." };
    private static readonly Option<string> Coordinator = new("--coordinator-pub-key") { Description = "The coordinator's recovery key, PEM, from public-key.", Required = true };
    private static readonly RecoveryKey Key = new();
    private static readonly Option<string> Output = new("--output", "-o") { Description = "The file for the encrypted secret.", Required = true };

    public static Command Create() => Key.AddTo(new Verb("encrypt-secret", "Encrypt a recovery secret to the coordinator; no coordinator is asked.",
            "cloister recover-with-signature encrypt-secret share.bin --coordinator-pub-key coordinator-key.pem --key recovery.pem -o share.enc") { Share, Coordinator, Output })
        .Runs(async (parsed, screen, cancellation) =>
        {
            using RSA coordinator = await ReadKeyAsync(parsed.GetRequiredValue(Coordinator), cancellation);
            byte[] share = await LocalFile.ReadAsync(parsed.GetRequiredValue(Share), cancellation, RecoverWithSignatureVerb.MaxShare);
            using OpenedRecoveryKey? key = await Key.OpenAsync(parsed, cancellation);
            byte[] plain = RecoveryKey.Plain(share, key);
            byte[] encrypted = coordinator.Encrypt(plain, RSAEncryptionPadding.OaepSHA256);
            CryptographicOperations.ZeroMemory(plain);
            string path = parsed.GetRequiredValue(Output);
            await LocalFile.WriteAsync(path, encrypted, cancellation);
            screen.Result($"wrote the encrypted recovery secret to '{path}'", new JsonObject { ["file"] = path });
        });

    private static async Task<RSA> ReadKeyAsync(string path, CancellationToken cancellation)
    {
        string pem = await LocalFile.ReadTextAsync(path, cancellation);
        var rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(pem);
            return rsa;
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            rsa.Dispose();
            throw new CommandException(ExitCode.BadInput, $"'{path}' is no RSA public key in PEM. Get it with: cloister recover-with-signature public-key", exception);
        }
    }
}
