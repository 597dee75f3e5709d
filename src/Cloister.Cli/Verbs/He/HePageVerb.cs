using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Cli.Page;
using Cloister.Client;

namespace Cloister.Cli.Verbs;

internal static class HePageVerb
{
    private static readonly Option<string> Coordinator = Peer.Coordinator();
    private static readonly Option<string> Policy = Peer.Policy();
    private static readonly Option<string> Workload = new("--workload") { Description = "The inference workload's address.", Required = true };
    private static readonly Option<string> Type = new("--type") { Description = "The type that the workload must have.", Required = true };
    private static readonly Option<string> Model = new("--model") { Description = "The encrypted model's name.", Required = true };
    private static readonly Option<string?> Token = new("--token") { Description = "A file with the caller's bearer token." };
    private static readonly Option<string?> Certificate = Peer.Certificate();
    private static readonly Option<string?> Key = Peer.Key();
    private static readonly Option<string> Folder = new("--folder") { Description = "The page's folder, for example samples/EncryptedPage.", Required = true };
    private static readonly Option<int> Port = new("--port") { Description = "The port of 127.0.0.1; 0 takes a free one.", DefaultValueFactory = _ => 8600 };

    public static Command Create() => new Verb("page", "Verify a deployment, and serve a page on this machine that asks its model in the browser: what is typed is encrypted there.",
        "cloister he page --coordinator https://localhost:4433 --policy client/policy.json --workload https://localhost:8501 --type inference --model spam --token client/token --folder samples/EncryptedPage")
        { Coordinator, Policy, Workload, Type, Model, Token, Certificate, Key, Folder, Port }
        .Runs(ServeAsync);

    private static async Task ServeAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        PageFiles files = await PageFiles.ReadAsync(parsed.GetRequiredValue(Folder), cancellation);
        string? token = parsed.GetValue(Token) is { } file ? (await LocalFile.ReadTextAsync(file, cancellation)).Trim() : null;
        using X509Certificate2? caller = parsed.GetValue(Certificate) is { } certificate ? await Peer.ReadIdentityAsync(certificate, parsed.GetValue(Key), cancellation) : null;
        VerifiedDeployment deployment = await Peer.VerifyAsync(
            Peer.Address(parsed.GetRequiredValue(Coordinator)), await Peer.ReadPolicyAsync(parsed.GetRequiredValue(Policy), cancellation), screen, cancellation);
        var handler = new AttestedHttpHandler(deployment, parsed.GetRequiredValue(Type), caller);
        var target = new PageTarget(Peer.Address(parsed.GetRequiredValue(Workload)), parsed.GetRequiredValue(Model), token, deployment.Fingerprint, deployment.Simulated);
        await using PageServer server = await PageServer.StartAsync(files, handler, target, parsed.GetValue(Port), cancellation);
        screen.Result($"verified the coordinator, manifest {deployment.Fingerprint}\nopen {server.Address} in a browser on this machine; Ctrl+C ends it",
            new JsonObject { ["event"] = "page", ["address"] = server.Address.AbsoluteUri, ["manifestFingerprint"] = deployment.Fingerprint, ["simulated"] = deployment.Simulated });
        await Stop.WaitAsync(cancellation);
    }
}
