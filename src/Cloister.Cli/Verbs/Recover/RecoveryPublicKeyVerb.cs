using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client.MarbleRun;

namespace Cloister.Cli.Verbs;

internal static class RecoveryPublicKeyVerb
{
    private static readonly Reach Coordinator = new(Trust.Fresh);
    private static readonly Option<string?> Output = new("--output", "-o") { Description = "Write the key to this file, PEM." };

    public static Command Create() => Coordinator.AddTo(new Verb("public-key", "Verify the coordinator, and get the key that recovery secrets are encrypted to on their way. It lasts until the coordinator restarts.",
            "cloister recover-with-signature public-key localhost:4433 --policy owner/policy.json -o coordinator-key.pem") { Output })
        .Runs(async (parsed, screen, cancellation) =>
        {
            ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation, adjust: policy => policy.BeforeManifest());
            using MarbleRunClient client = reached.Client();
            byte[] key = await client.GetRecoveryKeyAsync(cancellation);
            string pem = PemEncoding.WriteString("PUBLIC KEY", key) + "\n";
            if (parsed.GetValue(Output) is { } path)
                await LocalFile.WriteAsync(path, Encoding.ASCII.GetBytes(pem), cancellation);
            screen.Result(parsed.GetValue(Output) is { } file ? $"wrote the coordinator's recovery key to '{file}'" : pem.TrimEnd(), new JsonObject { ["publicKey"] = pem });
        });
}
