using System.Net.Security;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Platform;
using Cloister.Platform.Tpm;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Trust;
using Cloister.Tests.Mesh;
using Cloister.Tests.Tpm;
using Cloister.Workload;

namespace Cloister.Client.Tests.Tpm;

/// <summary>Client, coordinator and workload where every one of them is known by its TPM, and those who are not.</summary>
public sealed class TpmDeploymentTests(TpmMachines machines) : IClassFixture<TpmMachines>
{
    [SwtpmFact]
    public async Task Everybody_is_verified_by_TPMs_alone()
    {
        await using TpmDeployment it = await TpmDeployment.StartAsync(machines);
        VerifiedDeployment deployment = await it.VerifyAsync();
        Assert.False(deployment.Simulated);
        Check activation = deployment.Result.Checks[0];
        Assert.Equal(("tpm.activation", Verdict.Passed, await machines.One.KeyNameAsync()), (activation.Id, activation.Verdict, activation.Value));
        Assert.All(deployment.Result.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));

        using Activation activated = await it.ActivateAsync(machines.Other.Issuer);
        Assert.Equal(new TpmEnrolledKey(await machines.Other.KeyNameAsync(), await machines.Other.CertificateAsync()), TpmKeyExtension.Read(activated.Identity.Current.Leaf));

        await using TestWorkload workload = await TestWorkload.StartAsync(activated.Identity);
        AttestedWorkload attested = await new WorkloadVerifier(deployment, TpmDeployment.Type).VerifyAsync(workload.Address);
        Assert.False(attested.Simulated);
        Assert.All(attested.Result.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
        using var client = new HttpClient(new AttestedHttpHandler(deployment, TpmDeployment.Type));
        Assert.Equal("hello", await client.GetStringAsync(new Uri(workload.Address, "/hello")));
    }

    [SwtpmFact]
    public async Task A_renewal_activates_the_key_anew()
    {
        await using TpmDeployment it = await TpmDeployment.StartAsync(machines);
        var time = new ManualTime(DateTimeOffset.UtcNow);
        int opened = 0;
        var counting = new Pretender(machines.Other.Issuer)
        {
            Shown = await machines.Other.Issuer.EndorsementAsync(default),
            Opens = credential =>
            {
                Interlocked.Increment(ref opened);
                return machines.Other.Issuer.ActivateAsync(credential, default);
            },
        };
        WorkloadActivator activator = it.Activator(counting, time: time);
        using Activation activation = await activator.ActivateAsync();
        WorkloadCertificate first = activation.Identity.Current;
        Assert.Equal(1, opened);
        using var renewal = new CertificateRenewal(activator, activation, time: time);
        using var end = new CancellationTokenSource();
        Task running = renewal.RunAsync(end.Token);
        await time.UntilSleepsAsync(TimeSpan.FromHours(15), TimeSpan.FromHours(17));
        time.Advance(TimeSpan.FromHours(16.1));
        await time.UntilSleepsAsync(TimeSpan.FromHours(4), TimeSpan.FromHours(17));
        Assert.NotSame(first, activation.Identity.Current);
        Assert.Equal(2, opened);
        Assert.Equal(TpmKeyExtension.Read(first.Leaf), TpmKeyExtension.Read(activation.Identity.Current.Leaf));
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [SwtpmFact]
    public async Task Whoever_sets_the_manifest_verifies_the_coordinator_first()
    {
        await using TpmDeployment it = await TpmDeployment.StartAsync(machines);
        // Before the manifest is where a model's owner begins; here one is set already, and nothing else is wrong.
        var refused = await Assert.ThrowsAsync<PeerRefusedException>(() => it.VerifyAsync(it.Policy.BeforeManifest()));
        Assert.Equal(Refusal.ManifestPresence, refused.Refusal);
    }

    [SwtpmTheory]
    [InlineData("foreign authority", "tpm.activation", Refusal.ChainUntrusted)]
    [InlineData("another machine", "tpm.activation", Refusal.TpmEndorsementNotAccepted)]
    [InlineData("another image", "pcrs", Refusal.MeasurementNotAccepted)]
    [InlineData("another kind", "tpm.activation", Refusal.TpmEndorsementMissing)]
    [InlineData("another TPM's endorsement", "tpm.activation", Refusal.TpmActivationFailed)]
    [InlineData("no endorsement", "tpm.activation", Refusal.TpmEndorsementMissing)]
    [InlineData("a secret of its own", "tpm.activation", Refusal.TpmActivationFailed)]
    public async Task A_coordinator_that_is_not_the_wanted_one_is_refused_by_client_and_workload(string what, string check, Refusal expected)
    {
        IEvidenceIssuer? coordinator = what switch
        {
            "another kind" => new Platform.Simulation.TestOnlyIssuer(System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256), new byte[32]),
            "another TPM's endorsement" => new Pretender(machines.One.Issuer) { Shown = await machines.Other.Issuer.EndorsementAsync(default) },
            "no endorsement" => new Pretender(machines.One.Issuer),
            "a secret of its own" => new Pretender(machines.One.Issuer) { Shown = await machines.One.Issuer.EndorsementAsync(default), Opens = _ => ValueTask.FromResult(new byte[32]) },
            _ => null,
        };
        await using TpmDeployment it = await TpmDeployment.StartAsync(machines, coordinator);
        CoordinatorPolicy policy = TpmDeployment.PolicyOf(what switch
        {
            "foreign authority" => machines.Stranger.Wants(TpmMachines.Image),
            "another machine" => machines.One.Wants(TpmMachines.Image, Requirement.Exactly(await machines.Other.CertificateAsync())),
            "another image" => machines.One.Wants("other"),
            _ => machines.One.Wants(TpmMachines.Image),
        });
        var client = await Assert.ThrowsAsync<PeerRefusedException>(() => it.VerifyAsync(policy));
        Assert.Equal((check, expected), (client.Check.Id, client.Refusal));
        var workload = await Assert.ThrowsAsync<WorkloadException>(() => it.ActivateAsync(machines.Other.Issuer, policy));
        Assert.Equal(WorkloadError.CoordinatorRefused, workload.Error);
        Assert.Equal((check, expected), (workload.Coordinator!.Refused!.Id, workload.Coordinator.Refused.Refusal));
    }

    [SwtpmFact]
    public async Task A_relay_of_evidence_and_credential_is_refused_for_its_own_key()
    {
        await using TpmDeployment it = await TpmDeployment.StartAsync(machines);
        await using (var client = new ManInTheMiddle(it.Coordinator.ClientAddress.Port, SslApplicationProtocol.Http11))
        {
            var refused = await Assert.ThrowsAsync<PeerRefusedException>(() => it.VerifyAsync(at: new Uri($"https://localhost:{client.Port}")));
            Assert.Equal(("binding.key", Refusal.KeyMismatch), (refused.Check.Id, refused.Refusal));
        }
        await using (var mesh = new ManInTheMiddle(it.Coordinator.MeshAddress.Port, SslApplicationProtocol.Http2))
        {
            var refused = await Assert.ThrowsAsync<WorkloadException>(() => it.ActivateAsync(machines.Other.Issuer, address: $"localhost:{mesh.Port}"));
            Assert.Equal(Refusal.KeyMismatch, refused.Coordinator!.Refused!.Refusal);
        }
    }

    [SwtpmFact]
    public async Task A_workload_that_quotes_by_another_machines_TPM_is_refused_by_the_client()
    {
        await using TpmDeployment it = await TpmDeployment.StartAsync(machines);
        using Activation activated = await it.ActivateAsync(machines.Other.Issuer);
        byte[] key = activated.Identity.Current.Leaf.PublicKey.ExportSubjectPublicKeyInfo();
        byte[] statement = new WorkloadStatement(TpmDeployment.Type, activated.Uuid.ToString("D"), activated.ManifestFingerprint).ToBytes();
        await using TestWorkload moved = await WorkloadVerifierTests.ServeAsync(activated.Identity.Current,
            async nonce => EvidenceCodec.Encode(await machines.One.Issuer.IssueAsync(new Binding(AttesterRole.Workload, nonce, key), statement, default)));
        var refused = await Assert.ThrowsAsync<PeerRefusedException>(async () => await new WorkloadVerifier(await it.VerifyAsync(), TpmDeployment.Type).VerifyAsync(moved.Address));
        Assert.Equal(("ak_binding", Refusal.TpmKeyUnknown), (refused.Check.Id, refused.Refusal));
    }

    [SwtpmTheory]
    [InlineData("stranger", "1202 ChainUntrusted")]
    [InlineData("no certificate", "2116 TpmNotActivated")]
    public async Task A_workload_that_no_authority_endorsed_is_told_why(string what, string words)
    {
        await using TpmDeployment it = await TpmDeployment.StartAsync(machines);
        IEvidenceIssuer issuer = what == "stranger" ? machines.Stranger.Issuer : new Pretender(machines.Other.Issuer);
        var refused = await Assert.ThrowsAsync<WorkloadException>(() => it.ActivateAsync(issuer));
        Assert.Equal(WorkloadError.ActivationRefused, refused.Error);
        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
    }

    [SwtpmFact]
    public async Task A_workload_whose_TPM_does_not_open_the_credential_says_so()
    {
        await using TpmDeployment it = await TpmDeployment.StartAsync(machines);
        TpmEndorsement other = await machines.Other.Issuer.EndorsementAsync(default), one = await machines.One.Issuer.EndorsementAsync(default);
        var mixed = new Pretender(machines.Other.Issuer) { Shown = one with { AttestationKey = other.AttestationKey } };
        Assert.Equal(WorkloadError.CredentialNotOpened, (await Assert.ThrowsAsync<WorkloadException>(() => it.ActivateAsync(mixed))).Error);
    }

    /// <summary>A machine that shows another endorsement than its TPM's, or none, and may answer credentials in its own way.</summary>
    private sealed class Pretender(TpmIssuer issuer) : IEvidenceIssuer, ICredentialHolder
    {
        public TpmEndorsement? Shown { get; init; }

        public Func<TpmCredential, ValueTask<byte[]>>? Opens { get; init; }

        public TeeKind Kind => issuer.Kind;

        public bool Simulated => false;

        public async ValueTask<EvidenceSet> IssueAsync(Binding binding, ReadOnlyMemory<byte> runtimeData, CancellationToken cancellation)
        {
            EvidenceSet evidence = await issuer.IssueAsync(binding, runtimeData, cancellation);
            Endorsement[] hints = Shown is { } shown ? [new(TpmEnrolment.EndorsementCertificate, shown.Certificate), new(TpmEnrolment.EndorsementPublic, shown.EndorsementKey)] : [];
            return evidence with { Primary = evidence.Primary with { Endorsements = [.. hints] } };
        }

        public ValueTask<TpmEndorsement> EndorsementAsync(CancellationToken cancellation) => Shown is { } shown
            ? ValueTask.FromResult(shown)
            : throw new PlatformException(PlatformError.TpmEndorsementAbsent, "This TPM has no certificate.");

        public ValueTask<byte[]> ActivateAsync(TpmCredential credential, CancellationToken cancellation) =>
            Opens is { } opens ? opens(credential) : issuer.ActivateAsync(credential, cancellation);
    }
}
