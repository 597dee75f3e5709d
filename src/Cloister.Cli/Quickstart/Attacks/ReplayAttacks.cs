using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Trust;

namespace Cloister.Cli.Quickstart.Attacks;

/// <summary>Genuine evidence, at another time or for another key.</summary>
internal sealed class ReplayAttacks(Stack stack)
{
    public IEnumerable<Attack> All() =>
    [
        new("a coordinator's quote is replayed: genuine, but for an old nonce", OldNonceAsync),
        new("a workload's quote is replayed under another TLS key: genuine and fresh, but another instance's", OtherKeyAsync),
    ];

    private async Task<AttackOutcome> OldNonceAsync(CancellationToken cancellation)
    {
        byte[] old = RandomNumberGenerator.GetBytes(NonceText.OwnBytes), fresh = RandomNumberGenerator.GetBytes(NonceText.OwnBytes);
        using var eavesdropper = new Eavesdropper();
        Uri coordinator = Peer.Address(stack.ClientAddress);
        EvidenceV3 evidence = await eavesdropper.GetAsync(coordinator, $"{RestPaths.EvidenceV3}?nonce={NonceText.Encode(old)}", RestJson.Strict.JSendEvidenceV3, cancellation);
        ManifestV3 manifest = await eavesdropper.GetAsync(coordinator, RestPaths.ManifestV3, RestJson.Strict.JSendManifestV3, cancellation);
        using X509Certificate2 presented = eavesdropper.Peer!;
        CoordinatorPolicy policy = await Peer.ReadPolicyAsync(Path.Combine(stack.Workspace.Client, "policy.json"), cancellation);
        CoordinatorPresentation replayed = CoordinatorPresentation.FromRest(evidence, manifest, presented.PublicKey.ExportSubjectPublicKeyInfo());
        VerificationTime now = VerificationTime.At(TimeProvider.System.GetUtcNow());
        CoordinatorAppraiser.Judge(replayed, old, policy, VerifierRegistry.CreateDefault(), now).RequireVerified(); // genuine, when it was made
        return Outcome("the client", CoordinatorAppraiser.Judge(replayed, fresh, policy, VerifierRegistry.CreateDefault(), now).Result);
    }

    private async Task<AttackOutcome> OtherKeyAsync(CancellationToken cancellation)
    {
        await using CloisterProcess second = CloisterProcess.Start(
            Workspace.ExecutableIn(stack.Workspace.Workload), stack.ServeArguments(stack.Workspace.Store, "uuid-second"));
        JsonObject serving = await second.WaitForAsync("serving", cancellation);
        var otherAddress = new Uri($"https://127.0.0.1:{(string)serving["port"]!}");

        byte[] nonce = RandomNumberGenerator.GetBytes(NonceText.OwnBytes);
        using var eavesdropper = new Eavesdropper();
        string path = $"{RestPaths.WorkloadEvidence}?nonce={NonceText.Encode(nonce)}";
        await eavesdropper.GetAsync(otherAddress, path, RestJson.Strict.JSendWorkloadEvidenceV3, cancellation);
        using X509Certificate2 otherCertificate = eavesdropper.Peer!;
        WorkloadEvidenceV3 first = await eavesdropper.GetAsync(Peer.Address(stack.WorkloadAddress), path, RestJson.Strict.JSendWorkloadEvidenceV3, cancellation);

        CoordinatorPolicy policy = await Peer.ReadPolicyAsync(Path.Combine(stack.Workspace.Client, "policy.json"), cancellation);
        VerifiedDeployment deployment = await new DeploymentVerifier().VerifyCoordinatorAsync(Peer.Address(stack.ClientAddress), policy, cancellation);
        var replayed = new WorkloadPresentation { Certificate = otherCertificate.RawDataMemory, Evidence = first.Evidence };
        return Outcome("the client", WorkloadAppraiser.Judge(
            replayed, nonce, StoryManifest.MarbleType, deployment.Trust, deployment.Manifest!, VerifierRegistry.CreateDefault(), VerificationTime.At(TimeProvider.System.GetUtcNow())).Result);
    }

    private static AttackOutcome Outcome(string by, AttestationResult result) =>
        result.Refused is { } refused ? AttackOutcome.RefusedBy(by, Explanation.Refused(refused)) : AttackOutcome.Accepted(by);
}
