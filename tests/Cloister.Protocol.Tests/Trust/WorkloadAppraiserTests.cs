using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Trust;

namespace Cloister.Protocol.Tests.Trust;

public sealed class WorkloadAppraiserTests : IDisposable
{
    private readonly TestDeployment _it = new();

    public void Dispose() => _it.Dispose();

    private void Refused(Refusal expected, string id, WorkloadPresentation presented, string type = TestDeployment.Type, ManifestDocument? manifest = null, VerificationTime? time = null)
    {
        WorkloadJudgement judgement = _it.Judge(presented, type, manifest, time);
        Assert.Null(judgement.Verified);
        Assert.Equal((id, expected), (judgement.Result.Refused!.Id, judgement.Result.Refused.Refusal));
        Assert.Equal(expected, Assert.Throws<AttestationRefusedException>(judgement.RequireVerified).Refusal);
    }

    [Fact]
    public void AGenuineWorkloadIsAcceptedAndEveryCheckIsListed()
    {
        WorkloadJudgement judgement = _it.Judge(_it.Workload());
        VerifiedWorkload verified = judgement.RequireVerified();
        Assert.Equal((TestDeployment.Type, TestDeployment.Uuid, true), (verified.Type, verified.Uuid, verified.Simulated));
        Assert.Equal(_it.LeafKey.ExportSubjectPublicKeyInfo(), verified.PublicKey.ToArray());
        Assert.Equal(TestDeployment.Now.AddDays(1), verified.NotAfter);
        string[] ids = [.. judgement.Result.Checks.Select(check => check.Id)];
        Assert.Equal(["workload.manifest", "workload.package", "workload.certificate", "workload.chain", "workload.certificate-type"], ids.Take(5));
        Assert.Equal(["workload.statement", "workload.statement-type", "workload.statement-uuid", "workload.statement-manifest", "workload.statement-modes"], ids.TakeLast(5));
        Assert.All(judgement.Result.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
    }

    [Fact]
    public void AChangedProgramIsRefusedByItsMeasurement() =>
        Assert.Equal(Refusal.MeasurementNotAccepted, _it.Judge(_it.Workload(measurement: SHA256.HashData("changed"u8))).Result.Refused!.Refusal);

    [Fact]
    public void EvidenceReplayedUnderAnotherKeyIsRefused()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 leaf = _it.Leaf(key: other);
        Refused(Refusal.KeyMismatch, "binding.key", _it.Workload() with { Certificate = leaf.RawDataMemory });
    }

    [Fact]
    public void OldEvidenceIsRefused()
    {
        using var yesterday = new TestDeployment();
        byte[] key = _it.LeafKey.ExportSubjectPublicKeyInfo();
        byte[] statement = new WorkloadStatement(TestDeployment.Type, TestDeployment.Uuid, _it.Manifest.Fingerprint).ToBytes();
        byte[] old = _it.Evidence(new Binding(AttesterRole.Workload, yesterday.Nonce, key), statement, TestDeployment.WorkloadMeasurement);
        Refused(Refusal.NonceMismatch, "binding.nonce", _it.Workload() with { Evidence = old });
    }

    [Fact]
    public void ACertificateOfAnotherDeploymentIsRefused()
    {
        using var other = new TestDeployment();
        using X509Certificate2 leaf = other.Leaf(key: _it.LeafKey);
        Refused(Refusal.CertificateChainInvalid, "workload.chain", _it.Workload(leaf));
    }

    [Fact]
    public void AChainOverAnotherIntermediateIsRefused()
    {
        // A leaf that a workload issued with its own key: its issuer is not an authority.
        using X509Certificate2 workload = _it.Leaf();
        using X509Certificate2 leaf = _it.Leaf(key: _it.OwnerKey, issuer: _it.LeafKey, issuedBy: workload);
        Refused(Refusal.CertificateChainInvalid, "workload.chain", _it.Workload(leaf));
        // The coordinator's own certificates are not workloads.
        Refused(Refusal.CertificateNotAllowed, "workload.certificate", _it.Workload() with { Certificate = _it.Intermediate.RawDataMemory });
        Refused(Refusal.CertificateChainInvalid, "workload.certificate", _it.Workload() with { Certificate = new byte[50] });
    }

    [Fact]
    public void ACertificateForAnotherUseIsRefused()
    {
        using X509Certificate2 authority = _it.Leaf(authority: true), signer = _it.Leaf(usage: "1.3.6.1.5.5.7.3.3");
        Refused(Refusal.CertificateNotAllowed, "workload.certificate", _it.Workload(authority));
        Refused(Refusal.CertificateChainInvalid, "workload.chain", _it.Workload(signer));
    }

    [Fact]
    public void AnExpiredCertificateIsRefused() =>
        Refused(Refusal.CertificateChainInvalid, "workload.chain", _it.Workload(), time: VerificationTime.At(TestDeployment.Now.AddDays(2)));

    [Fact]
    public void AnotherTypeIsRefused()
    {
        using X509Certificate2 other = _it.Leaf(type: "other");
        Refused(Refusal.WorkloadTypeMismatch, "workload.certificate-type", _it.Workload(other));
        Refused(Refusal.WorkloadTypeMismatch, "workload.statement-type", _it.Workload(statement: new WorkloadStatement("other", TestDeployment.Uuid, _it.Manifest.Fingerprint)));
        Refused(Refusal.WorkloadTypeUnknown, "workload.package", _it.Workload(), type: "nope");
        Refused(Refusal.PackagePolicyMissing, "workload.package", _it.Workload(), type: "legacy");
    }

    [Fact]
    public void AnotherInstanceIsRefused()
    {
        using X509Certificate2 leaf = _it.Leaf(name: "00000000-0000-0000-0000-000000000001");
        Refused(Refusal.StatementMismatch, "workload.statement-uuid", _it.Workload(leaf));
    }

    [Fact]
    public void AnotherManifestIsRefused()
    {
        Refused(Refusal.ManifestFingerprintMismatch, "workload.statement-manifest",
            _it.Workload(statement: new WorkloadStatement(TestDeployment.Type, TestDeployment.Uuid, new string('0', 64))));
        ManifestDocument other = ManifestReader.Read([.. _it.ManifestBytes, (byte)'\n'], ManifestDialect.Cloister).Document;
        Refused(Refusal.ManifestFingerprintMismatch, "workload.manifest", _it.Workload(), manifest: other);
    }

    [Fact]
    public void TheModesThatTheManifestStatesAreStatedByTheWorkload()
    {
        using X509Certificate2 leaf = _it.Leaf(type: TestDeployment.Parts);
        VerifiedWorkload verified = _it.Judge(_it.Workload(leaf, Parts(TestDeployment.PartsModes)), TestDeployment.Parts).RequireVerified();
        Assert.Equal(TestDeployment.PartsModes, verified.Modes);
        Assert.Empty(_it.Judge(_it.Workload()).RequireVerified().Modes);
    }

    [Fact]
    public void OtherModesThanTheManifestsAreRefused()
    {
        using X509Certificate2 leaf = _it.Leaf(type: TestDeployment.Parts);
        void AreRefused(ImmutableSortedDictionary<string, string> modes) =>
            Refused(Refusal.WorkloadModeMismatch, "workload.statement-modes", _it.Workload(leaf, Parts(modes)), TestDeployment.Parts);
        // As a workload states whose program does not know modes.
        AreRefused(TestDeployment.PartsModes.Clear());
        AreRefused(TestDeployment.PartsModes.Remove("cut"));
        AreRefused(TestDeployment.PartsModes.SetItem("cut", ModelModes.Enclave));
        AreRefused(TestDeployment.PartsModes.SetItem("whole", ModelModes.Partitioned));
        AreRefused(TestDeployment.PartsModes.SetItem("plain", ModelModes.Partitioned));
        AreRefused(TestDeployment.PartsModes.Add("stranger", ModelModes.Enclave));
        AreRefused(TestDeployment.PartsModes.Remove("cut").Add("Cut", ModelModes.Partitioned));
        Check refused = _it.Judge(_it.Workload(leaf, Parts(TestDeployment.PartsModes.SetItem("cut", ModelModes.Enclave))), TestDeployment.Parts).Result.Refused!;
        Assert.Equal(("cut enclave, whole enclave", "cut partitioned, whole enclave"), (refused.Value, refused.Expected));
        // Where the manifest states none, none may be stated.
        Refused(Refusal.WorkloadModeMismatch, "workload.statement-modes",
            _it.Workload(statement: new WorkloadStatement(TestDeployment.Type, TestDeployment.Uuid, _it.Manifest.Fingerprint) { Modes = TestDeployment.PartsModes }));
    }

    [Fact]
    public void AModeThatThereIsNotIsNoStatement()
    {
        using X509Certificate2 leaf = _it.Leaf(type: TestDeployment.Parts);
        Refused(Refusal.StatementMalformed, "workload.statement", _it.Workload(leaf, Parts(TestDeployment.PartsModes.SetItem("cut", "trusted"))), TestDeployment.Parts);
    }

    private WorkloadStatement Parts(ImmutableSortedDictionary<string, string> modes) =>
        new(TestDeployment.Parts, TestDeployment.Uuid, _it.Manifest.Fingerprint) { Modes = modes };

    [Fact]
    public void ACoordinatorsEvidenceIsNotAWorkloads() =>
        Refused(Refusal.RoleMismatch, "binding.role", _it.Workload() with { Evidence = _it.Coordinator().Evidence });

    [Fact]
    public void TheExtensionHoldsTheRawType()
    {
        using X509Certificate2 leaf = _it.Leaf(type: "größe");
        Assert.Equal("größe", MarbleExtension.Read(leaf));
        Assert.Null(MarbleExtension.Read(_it.Root));
        Assert.Equal("serving"u8.ToArray(), MarbleExtension.Create("serving").RawData);
        Assert.Throws<ArgumentException>(() => MarbleExtension.Create(""));
        Assert.Throws<ArgumentException>(() => MarbleExtension.Create(new string('x', 257)));
    }
}
