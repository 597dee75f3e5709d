using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

internal static class RecoverySignVerb
{
    private static readonly Argument<string> Share = new("file") { Description = "The recovery secret as bytes: as the coordinator gave it, or decrypted." };
    private static readonly RecoveryKey Key = new();
    private static readonly Option<string> Output = new("--output", "-o") { Description = "The file for the signature.", Required = true };

    public static Command Create() => Key.AddTo(new Verb("sign-secret", "Sign a recovery secret with the recovery key; no coordinator is asked.",
            "cloister recover-with-signature sign-secret share.bin --key recovery.pem -o share.sig",
            "cloister recover-with-signature sign-secret share.bin --pkcs11-config token.json --pkcs11-key-label recovery -o share.sig") { Share, Output })
        .Runs(async (parsed, screen, cancellation) =>
        {
            byte[] share = await LocalFile.ReadAsync(parsed.GetRequiredValue(Share), cancellation, RecoverWithSignatureVerb.MaxShare);
            using OpenedRecoveryKey? key = await Key.OpenAsync(parsed, cancellation);
            byte[] plain = RecoveryKey.Plain(share, key), signature = RecoveryKey.Sign(plain, key);
            CryptographicOperations.ZeroMemory(plain);
            string path = parsed.GetRequiredValue(Output);
            await LocalFile.WriteAsync(path, signature, cancellation);
            screen.Result($"wrote the signature to '{path}'", new JsonObject { ["file"] = path });
        });
}
