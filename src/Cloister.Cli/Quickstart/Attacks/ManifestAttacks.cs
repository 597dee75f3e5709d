using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Protocol.Rest;

namespace Cloister.Cli.Quickstart.Attacks;

/// <summary>An operator who shows one manifest and runs another.</summary>
internal sealed class ManifestAttacks(Stack stack)
{
    private string Folder => Path.Combine(stack.Workspace.Operator, "second-coordinator");

    private string Policy => Path.Combine(stack.Workspace.Operator, "policy.json");

    public IEnumerable<Attack> All() =>
    [
        new("the manifest is changed between the owner's verification and the release of the key", ChangedAfterVerificationAsync),
        new("a client is offered a deployment under another manifest", OtherManifestAsync),
        new("a manifest that its owner did not sign", UnsignedAsync),
    ];

    /// <summary>The operator keeps a copy of the empty state, lets the owner verify, then restores the copy and sets another manifest under the same root key.</summary>
    private async Task<AttackOutcome> ChangedAfterVerificationAsync(CancellationToken cancellation)
    {
        (CloisterProcess process, string client, string mesh) = await StartAsync("127.0.0.1:0", "127.0.0.1:0", cancellation);
        string copy = Folder + "-copy";
        await process.DisposeAsync();
        Workspace.CopyFolder(Folder, copy);
        VerifiedDeployment verified;
        (process, _, _) = await StartAsync(client, mesh, cancellation);
        await using (process)
        {
            await SetAsync(stack.ManifestFile, client, cancellation);
            verified = await new DeploymentVerifier().VerifyCoordinatorAsync(Peer.Address(client), await Peer.ReadPolicyAsync(Policy, cancellation), cancellation);
        }
        Directory.Delete(Folder, recursive: true);
        Workspace.CopyFolder(copy, Folder);
        (process, _, _) = await StartAsync(client, mesh, cancellation);
        await using (process)
        {
            await SetAsync(await ChangedManifestAsync(cancellation), client, cancellation);
            using X509Certificate2 owner = await Peer.ReadIdentityAsync(
                Path.Combine(stack.Workspace.Owner, StoryManifest.User + ".crt"), Path.Combine(stack.Workspace.Owner, StoryManifest.User + ".key"), cancellation);
            using var upload = new CoordinatorClient(verified, owner);
            try
            {
                await upload.SetSecretsAsync(new Dictionary<string, SecretValue> { [StoryManifest.Secret] = new(Key: new byte[32]) }, cancellation);
                return AttackOutcome.Accepted("the coordinator");
            }
            catch (ClientException refused) when (refused.Error == ClientError.RefusedByServer)
            {
                return AttackOutcome.RefusedBy("the coordinator", refused.Message);
            }
        }
    }

    /// <summary>The second coordinator is still there in state, with the changed manifest in force.</summary>
    private async Task<AttackOutcome> OtherManifestAsync(CancellationToken cancellation)
    {
        (CloisterProcess process, string client, _) = await StartAsync("127.0.0.1:0", "127.0.0.1:0", cancellation);
        await using (process)
        {
            try
            {
                string policy = Path.Combine(stack.Workspace.Client, "policy.json");
                await new DeploymentVerifier().VerifyCoordinatorAsync(Peer.Address(client), await Peer.ReadPolicyAsync(policy, cancellation), cancellation);
                return AttackOutcome.Accepted("the client");
            }
            catch (PeerRefusedException refused)
            {
                return AttackOutcome.RefusedBy("the client", refused.Message);
            }
        }
    }

    private async Task<AttackOutcome> UnsignedAsync(CancellationToken cancellation)
    {
        string state = Folder + "-unsigned";
        await using CloisterProcess process = stack.Start(Workspace.Program, stack.CoordinatorArguments(state));
        string client = "https://" + (string)(await process.WaitForAsync("listening", cancellation))["clientAddress"]!;
        try
        {
            await Stack.RunAsync(new Step(), ["manifest", "set", await ChangedManifestAsync(cancellation), "--coordinator", client, "--policy", Policy], cancellation);
            return AttackOutcome.Accepted("the coordinator");
        }
        catch (CommandException refused)
        {
            return AttackOutcome.RefusedBy("the coordinator", refused.Message);
        }
    }

    private async Task<(CloisterProcess Process, string Client, string Mesh)> StartAsync(string client, string mesh, CancellationToken cancellation)
    {
        CloisterProcess process = stack.Start(Workspace.Program, stack.CoordinatorArguments(Folder, client, mesh));
        JsonObject listening = await process.WaitForAsync("listening", cancellation);
        return (process, (string)listening["clientAddress"]!, (string)listening["meshAddress"]!);
    }

    private Task<JsonObject> SetAsync(string manifest, string client, CancellationToken cancellation) => Stack.RunAsync(new Step(),
        ["manifest", "set", manifest, "--coordinator", client, "--policy", Policy, "--owner-key", Path.Combine(stack.Workspace.Operator, "operator.key")], cancellation);

    /// <summary>The same, but for a package that is the coordinator's own program: somebody the owner never heard of would get the key.</summary>
    private async Task<string> ChangedManifestAsync(CancellationToken cancellation)
    {
        string path = Path.Combine(stack.Workspace.Operator, "changed-manifest.json");
        string manifest = await File.ReadAllTextAsync(stack.ManifestFile, cancellation);
        await File.WriteAllTextAsync(path, manifest.Replace(stack.WorkloadDigest, stack.CoordinatorDigest, StringComparison.Ordinal), cancellation);
        return path;
    }
}
