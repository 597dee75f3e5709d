using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;

namespace Cloister.Cli.Verbs;

internal static class VerifyVerb
{
    private static readonly Option<string> Coordinator = Peer.Coordinator();
    private static readonly Option<string> Policy = Peer.Policy();
    private static readonly Option<string?> Workload = new("--workload") { Description = "Also verify the workload at this address." };
    private static readonly Option<string?> Type = new("--type") { Description = "The type that the workload must have." };

    public static Command Create() => new Verb("verify", "Verify a deployment with fresh evidence, down to the policy's anchors; print every check.",
        "cloister verify --coordinator https://localhost:4433 --policy client/policy.json",
        "cloister verify --coordinator https://localhost:4433 --policy client/policy.json --workload https://localhost:8501 --type inference")
        { Coordinator, Policy, Workload, Type }
        .Runs(VerifyAsync);

    private static async Task VerifyAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        Uri address = Peer.Address(parsed.GetRequiredValue(Coordinator));
        VerifiedDeployment deployment = await Peer.VerifyAsync(address, await Peer.ReadPolicyAsync(parsed.GetRequiredValue(Policy), cancellation), screen, cancellation);
        Peer.Print(deployment.Result, screen);
        var document = new JsonObject
        {
            ["manifestFingerprint"] = deployment.Fingerprint,
            ["measurement"] = deployment.Trust.Measurement,
            ["simulated"] = deployment.Simulated,
            ["modes"] = deployment.Manifest is { } manifest ? ModeText.ToJson(manifest) : new JsonObject(),
            ["checks"] = Peer.ToJson(deployment.Result),
        };
        string text = string.Join('\n', [$"verified the coordinator at {address}", $"manifest {deployment.Fingerprint}", .. deployment.Manifest is { } stated ? ModeText.Of(stated) : []]);
        if (parsed.GetValue(Workload) is { } workload)
        {
            string type = parsed.GetValue(Type) ?? throw new CommandException(ExitCode.Usage, "--workload needs --type, the type that it must have.");
            AttestedWorkload verified = await new WorkloadVerifier(deployment, type).VerifyAsync(Peer.Address(workload), cancellation);
            text += $"\nverified the workload at {workload}: {verified.Workload.Type} {verified.Workload.Uuid}"
                + (verified.Workload.Modes.IsEmpty ? "" : $"\nits evidence states {string.Join(", ", verified.Workload.Modes.Select(one => $"{one.Key} {one.Value}"))}");
            document["workload"] = new JsonObject
            {
                ["type"] = verified.Workload.Type,
                ["uuid"] = verified.Workload.Uuid,
                ["measurement"] = verified.Workload.Measurement,
                ["modes"] = ModeText.ToJson(verified.Workload.Modes),
            };
        }
        screen.Result(text, document);
    }
}
