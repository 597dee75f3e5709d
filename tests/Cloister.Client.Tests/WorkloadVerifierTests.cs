using System.Collections.Immutable;
using System.Net.Security;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Trust;
using Cloister.Tests.Mesh;
using Cloister.Workload;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cloister.Client.Tests;

/// <summary>A client in front of a real workload, and of those who pretend to be one.</summary>
public sealed class WorkloadVerifierTests
{
    [Fact]
    public async Task AnHonestWorkloadIsVerifiedAndEveryStepIsListed()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using Activation activation = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity);
        AttestedWorkload attested = await new WorkloadVerifier(await mesh.VerifyAsync(), TestMesh.OtherType).VerifyAsync(workload.Address);
        Assert.All(attested.Result.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
        Assert.Equal((TestMesh.OtherType, activation.Uuid.ToString("D")), (attested.Workload.Type, attested.Workload.Uuid));
        Assert.Equal(activation.Identity.Current.Leaf.RawData, attested.Certificate.ToArray());
        Assert.True(attested.Simulated);
    }

    [Fact]
    public async Task TheModesOfItsModelsAreThoseOfTheManifestOrItIsRefused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(withManifest: false);
        JsonNode manifest = JsonNode.Parse(mesh.Manifest())!;
        manifest["Models"]!["digits"]!["Mode"] = ModelModes.Enclave;
        await mesh.SetManifestAsync(manifest.ToJsonString());
        await mesh.SetModelKeyAsync();
        using Activation activation = await mesh.Activator().ActivateAsync();
        await using TestWorkload honest = await TestWorkload.StartAsync(activation.Identity);
        AttestedWorkload attested = await new WorkloadVerifier(await mesh.VerifyAsync(), TestMesh.Type).VerifyAsync(honest.Address);
        Assert.Equal([KeyValuePair.Create("digits", ModelModes.Enclave)], attested.Workload.Modes);
        Assert.Equal("workload.statement-modes", attested.Result.Checks[^1].Id);

        // Measured as the manifest asks for, and it says something else, or as programs that do not know of modes, nothing.
        foreach (string?[] modes in new[] { [ModelModes.Partitioned], Array.Empty<string>() })
        {
            byte[] statement = new WorkloadStatement(TestMesh.Type, activation.Uuid.ToString("D"), activation.ManifestFingerprint)
            {
                Modes = modes.ToImmutableSortedDictionary(_ => "digits", mode => mode!, StringComparer.Ordinal),
            }.ToBytes();
            await using TestWorkload other = await ServeAsync(activation.Identity.Current, async nonce => EvidenceCodec.Encode(await mesh.WorkloadIssuer.IssueAsync(
                new Binding(AttesterRole.Workload, nonce, activation.Identity.Current.SubjectPublicKeyInfo), statement, CancellationToken.None)));
            await RefusesAsync(mesh, other.Address, TestMesh.Type, Refusal.WorkloadModeMismatch, "workload.statement-modes");
        }
    }

    [Fact]
    public async Task AnUnknownTypeAndAnotherTypeAreRefused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using Activation activation = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity);
        await RefusesAsync(mesh, workload.Address, "unheard-of", Refusal.WorkloadTypeUnknown, "workload.package");
        await RefusesAsync(mesh, workload.Address, TestMesh.Type, Refusal.WorkloadTypeMismatch, "workload.certificate-type");
    }

    [Fact]
    public async Task AManInTheMiddleIsRefusedForHisCertificate()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using Activation activation = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity);
        await using var middle = new ManInTheMiddle(workload.Address.Port, SslApplicationProtocol.Http11);
        await RefusesAsync(mesh, new Uri($"https://localhost:{middle.Port}"), TestMesh.OtherType, Refusal.CertificateChainInvalid, "workload.chain");
    }

    [Fact]
    public async Task ACapturedEvidenceUnderAnotherKeyIsRefusedThoughTheCertificateIsGenuine()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using Activation victim = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        using Activation thief = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        // The thief's program was swapped after its activation: it relays the victim's fresh evidence.
        await using TestWorkload relay = await ServeAsync(thief.Identity.Current, nonce => victim.Identity.IssueEvidenceAsync(nonce).AsTask());
        await RefusesAsync(mesh, relay.Address, TestMesh.OtherType, Refusal.KeyMismatch, "binding.key");
    }

    [Fact]
    public async Task AnOldEvidenceIsRefusedForItsNonceUnderItsOwnKeyToo()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using Activation activation = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        byte[] old = await activation.Identity.IssueEvidenceAsync(new byte[32]);
        await using TestWorkload replayer = await ServeAsync(activation.Identity.Current, _ => Task.FromResult(old));
        await RefusesAsync(mesh, replayer.Address, TestMesh.OtherType, Refusal.NonceMismatch, "binding.nonce");

        EvidenceSet evidence = EvidenceCodec.Decode(old).Value;
        await using TestWorkload claimer = await ServeAsync(activation.Identity.Current, nonce => Task.FromResult(EvidenceCodec.Encode(
            evidence with { Stated = new Binding(AttesterRole.Workload, nonce, evidence.Stated.SubjectPublicKeyInfo) })));
        await RefusesAsync(mesh, claimer.Address, TestMesh.OtherType, Refusal.ReportDataMismatch);
    }

    [Fact]
    public async Task AnExpiredCertificateIsRefused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using Activation activation = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity);
        var later = new ClientOptions { Time = new ManualTime(DateTimeOffset.UtcNow.AddHours(25)) };
        var e = await Assert.ThrowsAsync<PeerRefusedException>(async () =>
            await new WorkloadVerifier(await mesh.VerifyAsync(), TestMesh.OtherType, later).VerifyAsync(workload.Address));
        Assert.Equal((Refusal.CertificateChainInvalid, "workload.chain"), (e.Refusal, e.Check.Id));
    }

    [Fact]
    public async Task AWorkloadOfAnotherDeploymentIsRefused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        await using TestMesh other = await TestMesh.StartAsync();
        using Activation activation = await other.Activator(TestMesh.OtherType).ActivateAsync();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity);
        await RefusesAsync(mesh, workload.Address, TestMesh.OtherType, Refusal.CertificateChainInvalid, "workload.chain");
    }

    [Fact]
    public async Task AChangedProgramBehindAGenuineKeyIsRefused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using Activation activation = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        await using TestWorkload changed = await ServeAsync(activation.Identity.Current, async nonce =>
        {
            // The same key, statement and host, and another measurement.
            EvidenceSet honest = EvidenceCodec.Decode(await activation.Identity.IssueEvidenceAsync(nonce)).Value;
            return EvidenceCodec.Encode(await mesh.CoordinatorIssuer.IssueAsync(honest.Stated, honest.Primary.RuntimeData, CancellationToken.None));
        });
        await RefusesAsync(mesh, changed.Address, TestMesh.OtherType, Refusal.MeasurementNotAccepted);
    }

    [Fact]
    public async Task ADeploymentWithoutAManifestHasNoWorkloads()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(withManifest: false);
        VerifiedDeployment empty = await new DeploymentVerifier().VerifyCoordinatorAsync(mesh.ClientApi, mesh.Policy.BeforeManifest());
        Assert.Throws<ArgumentException>(() => new WorkloadVerifier(empty, TestMesh.Type));
    }

    internal static Task<TestWorkload> ServeAsync(WorkloadCertificate certificate, Func<byte[], Task<byte[]>> evidence) =>
        TestWorkload.StartAsync(certificate.TlsContext, application => application.MapGet(RestPaths.WorkloadEvidence, async (HttpContext http) =>
        {
            Assert.True(NonceText.TryDecode(http.Request.Query["nonce"], out byte[]? nonce));
            byte[] body = RestJson.Write(JSend.Of(new WorkloadEvidenceV3(await evidence(nonce), certificate.ChainPem, true)), RestJson.Strict.JSendWorkloadEvidenceV3);
            http.Response.ContentLength = body.Length;
            await http.Response.Body.WriteAsync(body);
        }));

    private static async Task RefusesAsync(TestMesh mesh, Uri workload, string type, Refusal refusal, string? check = null)
    {
        var e = await Assert.ThrowsAsync<PeerRefusedException>(async () => await new WorkloadVerifier(await mesh.VerifyAsync(), type).VerifyAsync(workload));
        Assert.Equal(refusal, e.Refusal);
        if (check is not null)
            Assert.Equal(check, e.Check.Id);
    }
}
