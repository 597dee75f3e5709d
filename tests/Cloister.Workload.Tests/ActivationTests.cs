using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Attestation;
using Cloister.Platform.Simulation;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Trust;
using Cloister.Tests.Mesh;

namespace Cloister.Workload.Tests;

/// <summary>A workload against a real coordinator on loopback.</summary>
public sealed class ActivationTests
{
    [Fact]
    public async Task AWorkloadWaitsForTheModelOwnersKeyAndIsThenActivated()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        Task upload = Task.CompletedTask;
        var steps = new Steps(state =>
        {
            if (state.Phase == WorkloadPhase.AwaitingSecrets && upload.IsCompletedSuccessfully)
                upload = mesh.SetModelKeyAsync();
        });
        using Activation activation = await mesh.Activator().ActivateAsync(steps);
        await upload;

        WorkloadState waiting = steps.All.First(s => s.Phase == WorkloadPhase.AwaitingSecrets);
        Assert.Equal([TestMesh.SecretName], waiting.AwaitedSecrets);
        Assert.Equal("Waits for the model owner's key 'model_key'.", waiting.Message);
        Assert.NotNull(waiting.RetryAfter);
        Assert.Equal(WorkloadPhase.Contacting, steps.Phases.First());
        Assert.Equal(WorkloadPhase.Activated, steps.Phases.Last());
        AttestationResult judged = steps.All.First(s => s.Phase == WorkloadPhase.CoordinatorVerified).Coordinator!;
        Assert.All(judged.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
        Assert.True(judged.Simulated);

        Assert.Equal(TestMesh.Type, activation.MarbleType);
        Assert.Equal((await mesh.VerifyAsync()).Fingerprint, activation.ManifestFingerprint);
        ModelGrant model = Assert.Single(activation.Models);
        Assert.Equal(("digits", new string('d', 64), 3L), (model.Name, model.Digest, model.MinimumVersion));
        Assert.Equal(TestMesh.ModelKey, model.Key.Span.ToArray());
        CallerGrant caller = Assert.Single(activation.Callers);
        Assert.Equal("anna", caller.Name);
        Assert.Equal(SHA256.HashData(Encoding.UTF8.GetBytes(TestMesh.Token)), caller.TokenSha256.ToArray());
        Assert.Equal("hello", Encoding.UTF8.GetString(activation.Parameters.Environment["GREETING"].Span));
        Assert.Equal(Convert.ToHexStringLower(TestMesh.ModelKey), Encoding.UTF8.GetString(activation.Parameters.Environment["KEY_HEX"].Span).ToLowerInvariant());
        Assert.Equal("hello", Encoding.UTF8.GetString(Assert.Single(activation.Parameters.Files).Value.Span));

        WorkloadCertificate certificate = activation.Identity.Current;
        Assert.Equal(TestMesh.Type, MarbleExtension.Read(certificate.Leaf));
        using ECDsa key = certificate.Leaf.GetECDsaPrivateKey()!;
        Assert.Equal(certificate.SubjectPublicKeyInfo.ToArray(), key.ExportSubjectPublicKeyInfo());
        Assert.Equal(256, key.KeySize);
        Assert.Contains("localhost", certificate.Leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames());
    }

    [Fact]
    public async Task DisposingAnActivationZeroesItsSecrets()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        await mesh.SetModelKeyAsync();
        Activation activation = await mesh.Activator().ActivateAsync();
        ReadOnlyMemory<byte> key = activation.Models[0].Key.Memory, variable = activation.Parameters.Environment["KEY_HEX"].Memory;
        activation.Dispose();
        Assert.All(key.ToArray(), b => Assert.Equal(0, b));
        Assert.All(variable.ToArray(), b => Assert.Equal(0, b));
    }

    [Fact]
    public async Task AWorkloadKeepsItsUuidAndTakesANewKeyEachTime()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        WorkloadActivator activator = mesh.Activator(TestMesh.OtherType);
        using Activation first = await activator.ActivateAsync();
        using Activation second = await activator.ActivateAsync();
        Assert.Equal(first.Uuid, second.Uuid);
        Assert.NotEqual(first.Identity.Current.SubjectPublicKeyInfo.ToArray(), second.Identity.Current.SubjectPublicKeyInfo.ToArray());
    }

    [Fact]
    public async Task AWorkloadStartedBeforeTheManifestWaitsForIt()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(withManifest: false);
        Task<string>? set = null;
        var steps = new Steps(state =>
        {
            if (state.Phase == WorkloadPhase.CoordinatorUnavailable)
                set ??= mesh.SetManifestAsync(mesh.Manifest());
        });
        using Activation activation = await mesh.Activator(TestMesh.OtherType).ActivateAsync(steps);
        Assert.Equal(await set!, activation.ManifestFingerprint);
        Assert.Contains("not ready", steps.All.First(s => s.Phase == WorkloadPhase.CoordinatorUnavailable).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAbsentCoordinatorIsWaitedForUntilCancelled()
    {
        using var nobody = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        nobody.Start();
        int port = ((System.Net.IPEndPoint)nobody.LocalEndpoint).Port;
        nobody.Stop();
        await using TestMesh mesh = await TestMesh.StartAsync();
        using var cancel = new CancellationTokenSource();
        var steps = new Steps(state =>
        {
            if (state.Phase == WorkloadPhase.CoordinatorUnavailable)
                cancel.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => mesh.Activator(address: $"localhost:{port}").ActivateAsync(steps, cancel.Token));
        Assert.Contains("cannot be reached", steps.All[^1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnUnknownTypeIsRefusedForGoodWithTheCoordinatorsReason()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        var e = await Assert.ThrowsAsync<WorkloadException>(() => mesh.Activator("unheard-of").ActivateAsync());
        Assert.Equal(WorkloadError.ActivationRefused, e.Error);
        Assert.Contains("unheard-of", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AChangedProgramIsRefusedForGood()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using var hostKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // The right measurement under another host's key, and the coordinator's own program in the workload's place.
        var foreign = new TestOnlyIssuer(hostKey, Enumerable.Repeat((byte)0x3A, 32).ToArray());
        foreach (var issuer in new[] { foreign, mesh.CoordinatorIssuer })
        {
            var e = await Assert.ThrowsAsync<WorkloadException>(() => mesh.Activator(issuer: issuer).ActivateAsync());
            Assert.Equal(WorkloadError.ActivationRefused, e.Error);
        }
    }

    [Fact]
    public async Task ASpentActivationBudgetIsFinal()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(withManifest: false);
        await mesh.SetManifestAsync(mesh.Manifest(maxActivations: 1));
        await mesh.SetModelKeyAsync();
        using Activation first = await mesh.Activator().ActivateAsync();
        var e = await Assert.ThrowsAsync<WorkloadException>(() => mesh.Activator().ActivateAsync());
        Assert.Equal(WorkloadError.ActivationRefused, e.Error);
    }

    [Fact]
    public async Task ACoordinatorOfAnotherMeasurementIsRefusedBeforeAnyEvidenceLeaves()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        await RefusesAsync(mesh, mesh.Policy with { Coordinator = mesh.WorkloadIssuer.Policy }, Refusal.MeasurementNotAccepted);
    }

    [Fact]
    public async Task AManifestOfAnotherOwnerIsRefused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await RefusesAsync(mesh, mesh.Policy with { Owners = new OwnerRequirement.SignedBy([stranger.ExportSubjectPublicKeyInfo()]) }, Refusal.OwnerSignatureMissing);
    }

    [Fact]
    public async Task AnotherManifestThanThePinnedOneIsRefused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        await RefusesAsync(mesh, mesh.Policy with { Manifest = new ManifestRequirement.Exactly(new string('0', 64)) }, Refusal.ManifestFingerprintMismatch);
    }

    [Fact]
    public async Task AManInTheMiddleIsRefusedThoughHePassesFreshEvidenceOn()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        await using var middle = new ManInTheMiddle(mesh.Coordinator.MeshAddress.Port, SslApplicationProtocol.Http2);
        var issuer = new CountingIssuer(mesh.WorkloadIssuer);
        var e = await Assert.ThrowsAsync<WorkloadException>(() => mesh.Activator(issuer: issuer, address: $"localhost:{middle.Port}").ActivateAsync());
        Assert.Equal(WorkloadError.CoordinatorRefused, e.Error);
        Assert.Equal(Refusal.KeyMismatch, e.Coordinator!.Refused!.Refusal);
        Assert.Equal(0, issuer.Issued);
        Assert.NotEmpty(middle.Seen);
    }

    private static async Task RefusesAsync(TestMesh mesh, CoordinatorPolicy policy, Refusal refusal)
    {
        var issuer = new CountingIssuer(mesh.WorkloadIssuer);
        var e = await Assert.ThrowsAsync<WorkloadException>(() => mesh.Activator(policy: policy, issuer: issuer).ActivateAsync());
        Assert.Equal(WorkloadError.CoordinatorRefused, e.Error);
        Assert.Equal(refusal, e.Coordinator!.Refused!.Refusal);
        Assert.Equal(0, issuer.Issued);
    }
}
