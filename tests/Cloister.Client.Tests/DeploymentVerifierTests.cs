using System.Net.Security;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Trust;
using Cloister.Tests.Mesh;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cloister.Client.Tests;

/// <summary>A client in front of a real coordinator, and of those who pretend to be one.</summary>
public sealed class DeploymentVerifierTests
{
    [Fact]
    public async Task AnHonestCoordinatorIsVerifiedAndEveryStepIsListed()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        VerifiedDeployment deployment = await mesh.VerifyAsync();
        Assert.All(deployment.Result.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
        foreach (string step in new[] { "coordinator.statement", "coordinator.chain", "coordinator.tls-key", "manifest.expected", "manifest.owner", "manifest.bytes", "manifest.document" })
            Assert.Contains(deployment.Result.Checks, check => check.Id == step);
        Assert.True(deployment.Simulated);
        Assert.True(deployment.Manifest!.Marbles.ContainsKey(TestMesh.Type));
        Assert.Equal(deployment.Fingerprint, deployment.Manifest.Fingerprint);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(deployment.ManifestBytes.Span)), deployment.Fingerprint);
    }

    [Fact]
    public async Task BeforeTheManifestOnlyWhoeverIsAboutToSetItIsContent()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(withManifest: false);
        VerifiedDeployment empty = await new DeploymentVerifier().VerifyCoordinatorAsync(mesh.ClientApi, mesh.Policy.BeforeManifest());
        Assert.Null(empty.Manifest);
        Assert.Equal("", empty.Fingerprint);
        await RefusesAsync(mesh.ClientApi, mesh.Policy, Refusal.ManifestPresence);

        await mesh.SetManifestAsync(mesh.Manifest());
        await RefusesAsync(mesh.ClientApi, mesh.Policy.BeforeManifest(), Refusal.ManifestPresence);
        Assert.NotNull((await mesh.VerifyAsync()).Manifest);
    }

    [Fact]
    public async Task AnotherProgramOrHostIsRefused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        await RefusesAsync(mesh.ClientApi, mesh.Policy with { Coordinator = mesh.WorkloadIssuer.Policy }, Refusal.MeasurementNotAccepted);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        SimulationPolicy policy = mesh.CoordinatorIssuer.Policy with { HostKeys = [stranger.ExportSubjectPublicKeyInfo()] };
        await RefusesAsync(mesh.ClientApi, mesh.Policy with { Coordinator = policy }, Refusal.HostKeyNotAccepted);
    }

    [Fact]
    public async Task AnotherManifestIsRefused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        await RefusesAsync(mesh.ClientApi, mesh.Policy with { Manifest = new ManifestRequirement.Exactly(new string('a', 64)) }, Refusal.ManifestFingerprintMismatch);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await RefusesAsync(mesh.ClientApi, mesh.Policy with { Owners = new OwnerRequirement.SignedBy([stranger.ExportSubjectPublicKeyInfo()]) }, Refusal.OwnerSignatureMissing);
    }

    [Fact]
    public async Task AManInTheMiddleIsRefusedThoughHePassesFreshEvidenceOn()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        await using var middle = new ManInTheMiddle(mesh.Coordinator.ClientAddress.Port, SslApplicationProtocol.Http11);
        PeerRefusedException refused = await RefusesAsync(new Uri($"https://localhost:{middle.Port}"), mesh.Policy, Refusal.KeyMismatch);
        Assert.NotEmpty(middle.Seen);
        Assert.Contains(refused.Result.Checks, check => check.Verdict == Verdict.NotReached);
    }

    [Fact]
    public async Task AReplayingCoordinatorIsRefusedForItsNonce()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        var recorded = new Dictionary<string, byte[]>();
        using (var http = new PinnedHttp(mesh.ClientApi, new ClientOptions()))
        {
            recorded[RestPaths.EvidenceV3] = (await http.GetAsync($"{RestPaths.EvidenceV3}?nonce={NonceText.Encode(new byte[32])}", 1 << 20, CancellationToken.None)).Body;
            recorded[RestPaths.ManifestV3] = (await http.GetAsync(RestPaths.ManifestV3, 1 << 20, CancellationToken.None)).Body;
        }
        await using TestWorkload replayer = await TestWorkload.StartAsync(TestCertificate.Context(), application =>
        {
            foreach (var (path, body) in recorded)
                application.MapGet(path, () => Results.Bytes(body, "application/json"));
        });
        await RefusesAsync(replayer.Address, mesh.Policy, Refusal.NonceMismatch);
    }

    [Theory]
    [InlineData("{}", ClientError.AnswerMalformed)]
    [InlineData("not json", ClientError.AnswerMalformed)]
    [InlineData("""{"status":"success","data":{"evidence":"AAAA","certificateChain":"","marbleRoot":"","simulated":true,"more":1}}""", ClientError.AnswerMalformed)]
    [InlineData("""{"status":"success","data":{"evidence":"AAAA","certificateChain":"","marbleRoot":"","simulated":true}}""", ClientError.AnswerMalformed)]
    public async Task AnAnswerThatIsNoneIsRefused(string body, ClientError error)
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        await using TestWorkload server = await TestWorkload.StartAsync(TestCertificate.Context(), application => application.MapGet(RestPaths.EvidenceV3, () => Results.Text(body, "application/json")));
        Assert.Equal(error, (await FailsAsync(server.Address, mesh.Policy)).Error);
    }

    [Fact]
    public async Task ARedirectAnErrorAndAFloodAreRefused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        await using (TestWorkload server = await TestWorkload.StartAsync(TestCertificate.Context(), application => application.MapGet(RestPaths.EvidenceV3, () => Results.Redirect(mesh.ClientApi + "api/v3/evidence"))))
        {
            ClientException e = await FailsAsync(server.Address, mesh.Policy);
            Assert.Equal((ClientError.RefusedByServer, 302), (e.Error, e.HttpStatus));
        }
        await using (TestWorkload server = await TestWorkload.StartAsync(TestCertificate.Context(), application => application.MapGet(RestPaths.EvidenceV3, async (HttpContext http) =>
        {
            byte[] flood = new byte[1 << 20];
            for (int i = 0; i < 64; i++)
                await http.Response.Body.WriteAsync(flood, http.RequestAborted);
        })))
        {
            Assert.Equal(ClientError.AnswerTooLarge, (await FailsAsync(server.Address, mesh.Policy)).Error);
        }
    }

    [Fact]
    public async Task ASilentPeerIsLeftAfterItsTime()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using TestWorkload server = await TestWorkload.StartAsync(TestCertificate.Context(), application => application.MapGet(RestPaths.EvidenceV3, async (HttpContext http) =>
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
        }));
        var verifier = new DeploymentVerifier(new ClientOptions { Time = time });
        var e = await Assert.ThrowsAsync<ClientException>(() => verifier.VerifyCoordinatorAsync(server.Address, mesh.Policy));
        Assert.Equal(ClientError.Timeout, e.Error);
    }

    [Fact]
    public async Task OnlyHttpsIsSpoken()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        await Assert.ThrowsAsync<ArgumentException>(() => new DeploymentVerifier().VerifyCoordinatorAsync(new Uri("http://localhost:1"), mesh.Policy));
    }

    private static async Task<PeerRefusedException> RefusesAsync(Uri coordinator, CoordinatorPolicy policy, Refusal refusal)
    {
        var e = await Assert.ThrowsAsync<PeerRefusedException>(() => new DeploymentVerifier().VerifyCoordinatorAsync(coordinator, policy));
        Assert.Equal(refusal, e.Refusal);
        Assert.Equal(e.Check, e.Result.Refused);
        return e;
    }

    private static Task<ClientException> FailsAsync(Uri coordinator, CoordinatorPolicy policy) =>
        Assert.ThrowsAsync<ClientException>(() => new DeploymentVerifier().VerifyCoordinatorAsync(coordinator, policy));
}
