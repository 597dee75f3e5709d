using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Trust;
using Google.Protobuf;

namespace Cloister.Protocol.Tests.Trust;

public sealed class CoordinatorAppraiserTests : IDisposable
{
    private readonly TestDeployment _it = new();

    public void Dispose() => _it.Dispose();

    private void Refused(Refusal expected, string id, CoordinatorPresentation presented, CoordinatorPolicy? policy = null, VerificationTime? time = null)
    {
        CoordinatorJudgement judgement = _it.Judge(presented, policy, time);
        Assert.Null(judgement.Verified);
        Assert.Equal((id, expected), (judgement.Result.Refused!.Id, judgement.Result.Refused.Refusal));
        Assert.Equal(expected, Assert.Throws<AttestationRefusedException>(judgement.RequireVerified).Refusal);
        Assert.NotEmpty(judgement.Result.Refused.Reason);
    }

    [Theory]
    [InlineData(CoordinatorPort.Client)]
    [InlineData(CoordinatorPort.Mesh)]
    public void AGenuineCoordinatorIsAcceptedAndEveryCheckIsListed(CoordinatorPort port)
    {
        CoordinatorJudgement judgement = _it.Judge(_it.Coordinator(port));
        VerifiedCoordinator verified = judgement.RequireVerified();
        Assert.All(judgement.Result.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
        Assert.Equal(
            ["coordinator.statement", "coordinator.root", "coordinator.intermediate", "coordinator.marble-root", "coordinator.chain", "coordinator.tls-key", "manifest.fingerprint", "manifest.expected", "manifest.owner"],
            judgement.Result.Checks.Select(check => check.Id).TakeLast(9));
        Assert.True(verified.Simulated);
        Assert.Equal(Convert.ToHexStringLower(TestDeployment.CoordinatorMeasurement), verified.Measurement);
        Assert.True(verified.IsManifest(_it.ManifestBytes));
        Assert.False(verified.IsManifest([.. _it.ManifestBytes, (byte)' ']));
    }

    [Fact]
    public void AnActivationThatFailedIsTheFirstCheckAndNothingElseIsLookedAt()
    {
        CoordinatorJudgement judgement = CoordinatorAppraiser.Judge(_it.Coordinator(), _it.Nonce, _it.Policy, _it.Verifiers, TestDeployment.Time,
            Outcome.Refuse<TpmEnrolledKey>(Refusal.TpmActivationFailed, "secret", "another secret"));
        Assert.Null(judgement.Verified);
        Assert.Equal(("tpm.activation", Refusal.TpmActivationFailed), (judgement.Result.Refused!.Id, judgement.Result.Refused.Refusal));
        Assert.All(judgement.Result.Checks.Skip(1), check => Assert.Equal(Verdict.NotReached, check.Verdict));
        Assert.Contains(judgement.Result.Checks, check => check.Id == "manifest.owner");
    }

    [Fact]
    public void AnActivationThatHeldIsListedFirst()
    {
        CoordinatorJudgement judgement = CoordinatorAppraiser.Judge(_it.Coordinator(), _it.Nonce, _it.Policy, _it.Verifiers, TestDeployment.Time, Outcome.Accept(new TpmEnrolledKey("00", "11")));
        Assert.NotNull(judgement.RequireVerified());
        Assert.Equal(("tpm.activation", "00"), (judgement.Result.Checks[0].Id, judgement.Result.Checks[0].Value));
    }

    [Fact]
    public void SimulatedEvidenceDoesNotSatisfyAPolicyForATpm() =>
        Refused(Refusal.SimulationNotNamed, "tee.named", _it.Coordinator(), _it.Policy with
        {
            Coordinator = new TpmPolicy(new TpmKeyPolicy.Endorsed([_it.Root.RawData], Requirement.Any<string>()), TpmAlgorithm.Sha256,
                System.Collections.Immutable.ImmutableSortedDictionary<int, Requirement<string>>.Empty, TpmBootPolicy.Any, TpmClockPolicy.Any, Requirement.Any<long>()),
        });

    [Fact]
    public void AnOldNonceIsRefused() =>
        Refused(Refusal.NonceMismatch, "binding.nonce", _it.Coordinator(nonce: RandomNumberGenerator.GetBytes(32)));

    [Fact]
    public void EvidenceOfAnotherRoleIsRefused() =>
        Refused(Refusal.RoleMismatch, "binding.role", _it.Coordinator(role: AttesterRole.Workload));

    [Fact]
    public void AManInTheMiddleWithHisOwnKeyIsRefused()
    {
        using var his = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Refused(Refusal.KeyMismatch, "binding.key", _it.Coordinator() with { TlsPublicKey = his.ExportSubjectPublicKeyInfo() });
    }

    [Fact]
    public void AnotherProgramIsRefusedByItsMeasurement()
    {
        byte[] key = _it.Root.PublicKey.ExportSubjectPublicKeyInfo();
        CoordinatorPresentation changed = _it.Coordinator() with
        {
            Evidence = _it.Evidence(new Binding(AttesterRole.Coordinator, _it.Nonce, key), _it.Statement.ToBytes(), SHA256.HashData("changed"u8)),
        };
        CoordinatorJudgement judgement = _it.Judge(changed);
        Assert.Equal(Refusal.MeasurementNotAccepted, judgement.Result.Refused!.Refusal);
        Assert.Equal(Verdict.NotReached, judgement.Result.Checks[^1].Verdict);
    }

    [Fact]
    public void GarbageForEvidenceIsRefused() =>
        Refused(Refusal.EvidenceMagic, "evidence.format", _it.Coordinator() with { Evidence = new byte[100] });

    [Theory]
    [InlineData("", Refusal.StatementMalformed)]
    [InlineData("{}", Refusal.StatementMalformed)]
    [InlineData("workload", Refusal.StatementRoleMismatch)]
    [InlineData("extra", Refusal.StatementMalformed)]
    [InlineData("digest", Refusal.StatementMalformed)]
    public void ABadStatementIsRefused(string kind, Refusal expected)
    {
        string good = Encoding.UTF8.GetString(_it.Statement.ToBytes());
        string bad = kind switch
        {
            "workload" => good.Replace("\"coordinator\"", "\"workload\"", StringComparison.Ordinal),
            "extra" => good.Replace("{", "{\"more\":1,", StringComparison.Ordinal),
            "digest" => good.Replace(_it.Statement.Root, _it.Statement.Root.ToUpperInvariant(), StringComparison.Ordinal),
            _ => kind,
        };
        Refused(expected, "coordinator.statement", _it.Coordinator(statement: Encoding.UTF8.GetBytes(bad)));
    }

    [Fact]
    public void OtherCertificatesThanTheStatedAreRefused()
    {
        using var other = new TestDeployment();
        Refused(Refusal.RootMismatch, "coordinator.root", _it.Coordinator() with { Root = other.Root.RawDataMemory });
        Refused(Refusal.IntermediateMismatch, "coordinator.intermediate", _it.Coordinator() with { Intermediate = other.Intermediate.RawDataMemory });
        Refused(Refusal.MarbleRootMismatch, "coordinator.marble-root", _it.Coordinator() with { MarbleRoot = other.MarbleRoot.RawDataMemory });
        Refused(Refusal.RootMismatch, "coordinator.root", _it.Coordinator() with { Root = default });
    }

    [Fact]
    public void AChainThatDoesNotHoldIsRefused()
    {
        using var other = new TestDeployment();
        Stated(other.Intermediate, _it.MarbleRoot); // signed by another root
        Stated(_it.IssueAuthority(_it.IntermediateKey, "CN=Intermediate", authority: false), _it.MarbleRoot, issues: false); // stays a chain: its leaves are refused instead
        Stated(_it.Intermediate, other.MarbleRoot); // another key than the intermediate's

        void Stated(X509Certificate2 intermediate, X509Certificate2 marbleRoot, bool issues = true)
        {
            CoordinatorStatement statement = _it.Statement with { Intermediate = TestDeployment.Digest(intermediate), MarbleRoot = TestDeployment.Digest(marbleRoot) };
            CoordinatorPresentation presented = _it.Coordinator(statement: statement.ToBytes()) with { Intermediate = intermediate.RawDataMemory, MarbleRoot = marbleRoot.RawDataMemory };
            if (issues) Refused(Refusal.CertificateChainInvalid, "coordinator.chain", presented);
        }
    }

    [Fact]
    public void TimeIsTheCallersAndExplicit()
    {
        Refused(Refusal.CertificateChainInvalid, "coordinator.chain", _it.Coordinator(), time: VerificationTime.At(TestDeployment.Now.AddYears(2)));
        Refused(Refusal.CertificateChainInvalid, "coordinator.chain", _it.Coordinator(), time: VerificationTime.At(TestDeployment.Now.AddYears(-2)));
        _it.Judge(_it.Coordinator(), time: VerificationTime.NoTimeCheck).RequireVerified();
    }

    [Fact]
    public void KeysOfOtherCurvesAreRefused()
    {
        using var weak = new TestDeployment(ECCurve.NamedCurves.nistP521);
        CoordinatorJudgement judgement = weak.Judge(weak.Coordinator());
        Assert.Equal(Refusal.CertificateNotAllowed, judgement.Result.Refused!.Refusal);
        using var p256 = new TestDeployment(ECCurve.NamedCurves.nistP256);
        p256.Judge(p256.Coordinator()).RequireVerified();
    }

    [Fact]
    public void ThePortsKeyMustBeTheTlsKey() =>
        Refused(Refusal.TlsKeyMismatch, "coordinator.tls-key", _it.Coordinator() with { Port = CoordinatorPort.Mesh });

    [Fact]
    public void AnotherManifestThanTheStatedIsRefused() =>
        Refused(Refusal.ManifestFingerprintMismatch, "manifest.fingerprint", _it.Coordinator() with { ManifestFingerprint = new string('0', 64) });

    [Fact]
    public void AnotherManifestThanTheExpectedIsRefused()
    {
        Refused(Refusal.ManifestFingerprintMismatch, "manifest.expected", _it.Coordinator(), _it.Policy with { Manifest = new ManifestRequirement.Exactly(new string('0', 64)) });
        _it.Judge(_it.Coordinator(), _it.Policy with { Manifest = new ManifestRequirement.Exactly(_it.Manifest.Fingerprint) }).RequireVerified();
    }

    [Fact]
    public void BeforeTheManifestOnlyWhoSaysSoAccepts()
    {
        CoordinatorPresentation empty = _it.Coordinator(statement: (_it.Statement with { ManifestFingerprint = "" }).ToBytes()) with { ManifestFingerprint = "", OwnerSignatures = [] };
        Refused(Refusal.ManifestPresence, "manifest.expected", empty);
        Assert.Equal("", _it.Judge(empty, _it.Policy.BeforeManifest()).RequireVerified().ManifestFingerprint);
        Assert.False(_it.Judge(empty, _it.Policy.BeforeManifest()).RequireVerified().IsManifest([]));
        Refused(Refusal.ManifestPresence, "manifest.expected", _it.Coordinator(), _it.Policy.BeforeManifest());
    }

    [Fact]
    public void AnOwnerMustHaveSignedThisManifest()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Refused(Refusal.OwnerSignatureMissing, "manifest.owner", _it.Coordinator() with { OwnerSignatures = [] });
        Refused(Refusal.OwnerSignatureMissing, "manifest.owner", _it.Coordinator() with { OwnerSignatures = [ManifestOwner.Sign(other, _it.Manifest.Fingerprint)] });
        Refused(Refusal.OwnerSignatureInvalid, "manifest.owner", _it.Coordinator() with { OwnerSignatures = [ManifestOwner.Sign(_it.OwnerKey, new string('0', 64))] });
        _it.Judge(_it.Coordinator() with { OwnerSignatures = [] }, _it.Policy with { Owners = OwnerRequirement.AnyOwner }).RequireVerified();
        _it.Judge(_it.Coordinator() with { OwnerSignatures = [ManifestOwner.Sign(other, _it.Manifest.Fingerprint), ManifestOwner.Sign(_it.OwnerKey, _it.Manifest.Fingerprint)] }).RequireVerified();
    }

    [Fact]
    public void BothWiresPresentTheSame()
    {
        CoordinatorPresentation mesh = _it.Coordinator(CoordinatorPort.Mesh), client = _it.Coordinator();
        var challenge = new ChallengeResp
        {
            CoordinatorEvidence = ByteString.CopyFrom(mesh.Evidence.Span),
            CertificateChain = { ByteString.CopyFrom(_it.Intermediate.RawData), ByteString.CopyFrom(_it.Root.RawData) },
            MarbleRoot = ByteString.CopyFrom(_it.MarbleRoot.RawData),
            ManifestFingerprint = ByteString.CopyFrom(Convert.FromHexString(_it.Manifest.Fingerprint)),
        };
        foreach (OwnerSignature signature in mesh.OwnerSignatures)
            challenge.OwnerSignatures.Add(new OwnerSignatureMessage { PublicKey = ByteString.CopyFrom(signature.PublicKey.Span), Signature = ByteString.CopyFrom(signature.Signature.Span) });
        _it.Judge(CoordinatorPresentation.FromChallenge(challenge, mesh.TlsPublicKey)).RequireVerified();

        var evidence = new EvidenceV3(client.Evidence.ToArray(), _it.Intermediate.ExportCertificatePem() + "\n" + _it.Root.ExportCertificatePem(), _it.MarbleRoot.ExportCertificatePem(), true);
        var manifest = new ManifestV3(_it.ManifestBytes, _it.Manifest.Fingerprint, [.. client.OwnerSignatures.Select(one => new OwnerSignatureV3(one.PublicKey.ToArray(), one.Signature.ToArray()))]);
        _it.Judge(CoordinatorPresentation.FromRest(evidence, manifest, client.TlsPublicKey)).RequireVerified();

        Assert.Throws<ProtocolException>(() => CoordinatorPresentation.FromRest(evidence, manifest with { Fingerprint = new string('0', 64) }, client.TlsPublicKey));
        Assert.Throws<ProtocolException>(() => CoordinatorPresentation.FromRest(evidence with { CertificateChain = "x" }, manifest, client.TlsPublicKey));
        Assert.Throws<ProtocolException>(() => CoordinatorPresentation.FromRest(evidence with { CertificateChain = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" }, manifest, client.TlsPublicKey));
        challenge.CertificateChain.RemoveAt(1);
        Assert.Throws<ProtocolException>(() => CoordinatorPresentation.FromChallenge(challenge, mesh.TlsPublicKey));
    }
}
