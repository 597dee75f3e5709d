using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Homomorphic.Models;
using Cloister.Protocol.Trust;

namespace Cloister.Cli.Quickstart.Encrypted;

/// <summary>The client: it verifies the deployment, makes a key that stays here, and asks.</summary>
internal sealed class EncryptedRows(Stack stack)
{
    public async Task<IReadOnlyList<ModelAnswer>> AskAsync(Step step, string model, IReadOnlyList<AskedRow> rows, CancellationToken cancellation)
    {
        CoordinatorPolicy policy = await Peer.ReadPolicyAsync(Path.Combine(stack.Workspace.Client, "policy.json"), cancellation);
        VerifiedDeployment deployment = await new DeploymentVerifier().VerifyCoordinatorAsync(new Uri(stack.ClientAddress), policy, cancellation);
        string token = (await LocalFile.ReadTextAsync(Path.Combine(stack.Workspace.Client, "token"), cancellation)).Trim();
        using var client = new EncryptedModelClient(new AttestedHttpHandler(deployment, StoryManifest.MarbleType), new Uri(stack.WorkloadAddress), token);
        ClientSpecification specification = await client.DescribeAsync(model, cancellation: cancellation);
        using EncryptedSession session = client.Open(model, specification);
        IReadOnlyList<ModelAnswer> answers = await session.PredictAsync([.. rows.Select(row => row.Values)], cancellation);
        step.Say($"verified the coordinator, manifest {deployment.Fingerprint}");
        step.Say($"made key {session.KeyId}; {rows.Count} rows of {specification.Features.Count} features went as {session.Traffic.Sent:N0} bytes, and came back as {session.Traffic.Received:N0}");
        return answers;
    }
}
