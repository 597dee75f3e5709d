using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client.MarbleRun;

namespace Cloister.Cli.Verbs;

internal static class RecoverVerb
{
    private static readonly Argument<string> Share = new("file") { Description = "The recovery secret as bytes: as the coordinator gave it, encrypted to the recovery key, or decrypted." };
    private static readonly Reach Coordinator = new(Trust.Fresh);
    private static readonly RecoveryKey Key = new();

    public static Command Create() => Key.AddTo(Coordinator.AddTo(new Verb("recover", "Hand in a recovery secret: decrypted and signed by the recovery key, after the coordinator was verified.",
            "cloister recover share.bin localhost:4433 --policy owner/policy.json --key recovery.pem",
            "cloister recover share.bin localhost:4433 --era-config coordinator-era.json --pkcs11-config token.json --pkcs11-key-label recovery") { Share }))
        .Runs(async (parsed, screen, cancellation) =>
        {
            byte[] share = await LocalFile.ReadAsync(parsed.GetRequiredValue(Share), cancellation, RecoverWithSignatureVerb.MaxShare);
            using OpenedRecoveryKey? key = await Key.OpenAsync(parsed, cancellation);
            byte[] plain = RecoveryKey.Plain(share, key);
            try
            {
                byte[] signature = RecoveryKey.Sign(plain, key);
                ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation, adjust: policy => policy.BeforeManifest());
                using MarbleRunClient client = reached.Client();
                Say(await client.RecoverAsync(plain, signature, cancellation), screen);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(plain);
            }
        });

    public static void Say(MarbleRunRecovery recovery, Screen screen) => screen.Result(
        recovery.Remaining == 0 ? "the coordinator has recovered" : $"the recovery secret was taken; {recovery.Remaining} more {(recovery.Remaining == 1 ? "is" : "are")} needed",
        new JsonObject { ["remaining"] = recovery.Remaining, ["recovered"] = recovery.Remaining == 0 });
}
