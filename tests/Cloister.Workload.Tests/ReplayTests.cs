using System.Net.Security;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Cloister.Tests.Mesh;
using Google.Protobuf;

namespace Cloister.Workload.Tests;

/// <summary>Somebody who recorded what a real coordinator said, and says it again.</summary>
public sealed class ReplayTests
{
    [Fact]
    public async Task ARecordedAnswerIsRefusedForItsNonce()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        ChallengeResp recorded = await RecordAsync(mesh, RandomNumberGenerator.GetBytes(32));
        await RefusesAsync(mesh, _ => recorded, Refusal.NonceMismatch);
    }

    [Fact]
    public async Task ARecordedAnswerThatClaimsTheNewNonceIsRefusedForItsKey()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        ChallengeResp recorded = await RecordAsync(mesh, RandomNumberGenerator.GetBytes(32));
        EvidenceSet evidence = EvidenceCodec.Decode(recorded.CoordinatorEvidence.Span).Value;
        await RefusesAsync(mesh, request => Claiming(recorded, evidence with { Stated = new Binding(AttesterRole.Coordinator, request.Nonce.Memory, evidence.Stated.SubjectPublicKeyInfo) }), Refusal.KeyMismatch);
    }

    [Fact]
    public async Task ARecordedAnswerThatClaimsNonceAndKeyIsRefusedForItsSignedField()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        ChallengeResp recorded = await RecordAsync(mesh, RandomNumberGenerator.GetBytes(32));
        EvidenceSet evidence = EvidenceCodec.Decode(recorded.CoordinatorEvidence.Span).Value;
        await using var keyed = await KeyedFakeAsync(recorded, evidence);
        await RefusesAsync(mesh, keyed.Coordinator, Refusal.ReportDataMismatch);
    }

    [Fact]
    public async Task AWorkloadsEvidenceIsNoCoordinators()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        ChallengeResp recorded = await RecordAsync(mesh, RandomNumberGenerator.GetBytes(32));
        EvidenceSet evidence = EvidenceCodec.Decode(recorded.CoordinatorEvidence.Span).Value;
        await RefusesAsync(mesh, request => Claiming(recorded, evidence with { Stated = new Binding(AttesterRole.Workload, request.Nonce.Memory, evidence.Stated.SubjectPublicKeyInfo) }), Refusal.RoleMismatch);
    }

    [Fact]
    public async Task AnAnswerThatIsNoneIsRefused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        ChallengeResp recorded = await RecordAsync(mesh, RandomNumberGenerator.GetBytes(32));
        ChallengeResp bare = recorded.Clone();
        bare.CertificateChain.RemoveAt(0);
        await using FakeCoordinator fake = await FakeCoordinator.StartAsync(_ => bare);
        var e = await Assert.ThrowsAsync<WorkloadException>(() => mesh.Activator(address: fake.Address).ActivateAsync());
        Assert.Equal(WorkloadError.InvalidAnswer, e.Error);
        Assert.Equal(0, fake.Activations);
    }

    private static async Task RefusesAsync(TestMesh mesh, Func<ChallengeReq, ChallengeResp> challenge, Refusal refusal)
    {
        await using FakeCoordinator fake = await FakeCoordinator.StartAsync(challenge);
        await RefusesAsync(mesh, fake, refusal);
    }

    private static async Task RefusesAsync(TestMesh mesh, FakeCoordinator fake, Refusal refusal)
    {
        var issuer = new CountingIssuer(mesh.WorkloadIssuer);
        var e = await Assert.ThrowsAsync<WorkloadException>(() => mesh.Activator(issuer: issuer, address: fake.Address).ActivateAsync());
        Assert.Equal(WorkloadError.CoordinatorRefused, e.Error);
        Assert.Equal(refusal, e.Coordinator!.Refused!.Refusal);
        Assert.Equal((0, 0), (issuer.Issued, fake.Activations));
    }

    // A fake's own key is known only once a connection was made to it: it asks itself.
    private static async Task<Keyed> KeyedFakeAsync(ChallengeResp recorded, EvidenceSet evidence)
    {
        byte[] key = [];
        FakeCoordinator fake = await FakeCoordinator.StartAsync(request =>
            Claiming(recorded, key.Length == 0 ? evidence : evidence with { Stated = new Binding(AttesterRole.Coordinator, request.Nonce.Memory, key) }));
        using var connection = Connect(fake.Address);
        await connection.Channel.UnaryAsync(MarbleService.ChallengePath, new ChallengeReq { Nonce = ByteString.CopyFrom(new byte[32]) }, ChallengeResp.Parser);
        key = connection.PeerKey.ToArray();
        return new Keyed(fake);
    }

    private static async Task<ChallengeResp> RecordAsync(TestMesh mesh, byte[] nonce)
    {
        using CoordinatorConnection connection = Connect(mesh.MeshAddress);
        return await connection.Channel.UnaryAsync(MarbleService.ChallengePath, new ChallengeReq { Nonce = ByteString.CopyFrom(nonce) }, ChallengeResp.Parser, new GrpcCallOptions());
    }

    private static CoordinatorConnection Connect(string address)
    {
        using var key = new WorkloadKey();
        return new CoordinatorConnection(new Uri("https://" + address), SslStreamCertificateContext.Create(key.CreateSelfSigned(DateTimeOffset.UtcNow), null, offline: true), TimeProvider.System);
    }

    private static ChallengeResp Claiming(ChallengeResp recorded, EvidenceSet evidence)
    {
        ChallengeResp forged = recorded.Clone();
        forged.CoordinatorEvidence = ByteString.CopyFrom(EvidenceCodec.Encode(evidence));
        return forged;
    }

    private sealed record Keyed(FakeCoordinator Coordinator) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Coordinator.DisposeAsync();
    }
}
