using System.CommandLine;
using Cloister.Cli.CommandLine;
using Cloister.Client.MarbleRun;

namespace Cloister.Cli.Verbs;

/// <summary>Recovery with a key that is kept offline: the share is signed, and encrypted to the coordinator, on another machine.</summary>
internal static class RecoverWithSignatureVerb
{
    public const int MaxShare = 16 << 10;

    private static readonly Argument<string> Share = new("file") { Description = "The recovery secret as bytes: decrypted, or encrypted to the coordinator with encrypt-secret." };
    private static readonly Reach Coordinator = new(Trust.Fresh);
    private static readonly Option<string?> Signature = new("--signature", "-s") { Description = "The signature's file, from sign-secret." };

    public static Command Create() => Coordinator.AddTo(new Verb("recover-with-signature", "Hand in a recovery secret that was signed elsewhere; the recovery key is not needed here.",
            "cloister recover-with-signature share.enc localhost:4433 --policy owner/policy.json --signature share.sig",
            "cloister recover-with-signature public-key localhost:4433 --policy owner/policy.json -o coordinator-key.pem",
            "cloister recover-with-signature encrypt-secret share.bin --coordinator-pub-key coordinator-key.pem --key recovery.pem -o share.enc",
            "cloister recover-with-signature sign-secret share.bin --key recovery.pem -o share.sig")
        { Share, Signature, RecoveryPublicKeyVerb.Create(), RecoveryEncryptVerb.Create(), RecoverySignVerb.Create() })
        .Runs(async (parsed, screen, cancellation) =>
        {
            string path = parsed.GetValue(Signature) ?? throw new CommandException(ExitCode.Usage, "Name the signature's file with --signature; make it with: cloister recover-with-signature sign-secret");
            byte[] signature = await LocalFile.ReadAsync(path, cancellation, MaxShare), share = await LocalFile.ReadAsync(parsed.GetRequiredValue(Share), cancellation, MaxShare);
            ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation, adjust: policy => policy.BeforeManifest());
            using MarbleRunClient client = reached.Client();
            RecoverVerb.Say(await client.RecoverAsync(share, signature, cancellation), screen);
        });
}
