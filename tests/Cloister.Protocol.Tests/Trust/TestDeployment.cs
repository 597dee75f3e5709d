using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Simulation;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Trust;

namespace Cloister.Protocol.Tests.Trust;

/// <summary>A deployment made in memory: certificates as the coordinator makes them, evidence signed by a simulator's key.</summary>
internal sealed class TestDeployment : IDisposable
{
    public static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    public static readonly VerificationTime Time = VerificationTime.At(Now);
    public static readonly byte[] CoordinatorMeasurement = SHA256.HashData("coordinator"u8);
    public static readonly byte[] WorkloadMeasurement = SHA256.HashData("workload"u8);
    public const string Type = "serving";
    public const string Uuid = "3d0ffb2a-6a3f-4f1b-8d4b-0123456789ab";

    public TestDeployment(ECCurve? curve = null)
    {
        ECCurve named = curve ?? ECCurve.NamedCurves.nistP384;
        RootKey = ECDsa.Create(named);
        IntermediateKey = ECDsa.Create(named);
        Root = SelfSigned(RootKey, "CN=Root");
        MarbleRoot = SelfSigned(IntermediateKey, "CN=Marble Root");
        Intermediate = IssueAuthority(IntermediateKey, "CN=Intermediate");
        ManifestBytes = Encoding.UTF8.GetBytes($$"""
            {
              "Packages": { "serving": { "Simulation": { "Digest": "{{Convert.ToHexStringLower(WorkloadMeasurement)}}", "HostKeys": ["{{Convert.ToBase64String(HostKey.ExportSubjectPublicKeyInfo())}}"] } },
                            "legacy": { "UniqueID": "{{new string('a', 64)}}" } },
              "Marbles": { "serving": { "Package": "serving" }, "other": { "Package": "serving" }, "legacy": { "Package": "legacy" },
                           "parts": { "Package": "serving", "Models": ["plain", "whole", "cut"] } },
              "Secrets": { "key": { "Type": "symmetric-key", "Size": 256, "UserDefined": true } },
              "Models": { "cut": {{Model(ModelModes.Partitioned)}}, "plain": {{Model(null)}}, "whole": {{Model(ModelModes.Enclave)}} }
            }
            """);
        Manifest = ManifestReader.Read(ManifestBytes, ManifestDialect.Cloister).Document;
    }

    /// <summary>Type of the workload whose models have modes, and what it has to state.</summary>
    public const string Parts = "parts";
    public static readonly ImmutableSortedDictionary<string, string> PartsModes =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal).Add("cut", ModelModes.Partitioned).Add("whole", ModelModes.Enclave);

    public ECDsa RootKey { get; }
    public ECDsa IntermediateKey { get; }
    public ECDsa HostKey { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    public ECDsa OwnerKey { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    public ECDsa LeafKey { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    public X509Certificate2 Root { get; }
    public X509Certificate2 Intermediate { get; }
    public X509Certificate2 MarbleRoot { get; }
    public byte[] ManifestBytes { get; }
    public ManifestDocument Manifest { get; }
    public byte[] Nonce { get; } = RandomNumberGenerator.GetBytes(32);
    public VerifierRegistry Verifiers { get; } = VerifierRegistry.CreateDefault();

    public CoordinatorPolicy Policy => new(
        new SimulationPolicy(Requirement.Exactly(Convert.ToHexStringLower(CoordinatorMeasurement)), [HostKey.ExportSubjectPublicKeyInfo()]),
        new OwnerRequirement.SignedBy([OwnerKey.ExportSubjectPublicKeyInfo()]),
        ManifestRequirement.AnyManifest);

    public CoordinatorStatement Statement => new(Manifest.Fingerprint, Digest(Root), Digest(Intermediate), Digest(MarbleRoot));

    public CoordinatorPresentation Coordinator(CoordinatorPort port = CoordinatorPort.Client, byte[]? statement = null, AttesterRole role = AttesterRole.Coordinator, byte[]? nonce = null)
    {
        byte[] key = (port == CoordinatorPort.Client ? Root : MarbleRoot).PublicKey.ExportSubjectPublicKeyInfo();
        return new CoordinatorPresentation
        {
            Port = port,
            TlsPublicKey = key,
            Evidence = Evidence(new Binding(role, nonce ?? Nonce, key), statement ?? Statement.ToBytes(), CoordinatorMeasurement),
            Root = Root.RawDataMemory,
            Intermediate = Intermediate.RawDataMemory,
            MarbleRoot = MarbleRoot.RawDataMemory,
            ManifestFingerprint = Manifest.Fingerprint,
            OwnerSignatures = [ManifestOwner.Sign(OwnerKey, Manifest.Fingerprint)],
        };
    }

    public CoordinatorJudgement Judge(CoordinatorPresentation presented, CoordinatorPolicy? policy = null, VerificationTime? time = null) =>
        CoordinatorAppraiser.Judge(presented, Nonce, policy ?? Policy, Verifiers, time ?? Time);

    public VerifiedCoordinator Verified() => Judge(Coordinator()).RequireVerified();

    public WorkloadPresentation Workload(X509Certificate2? leaf = null, WorkloadStatement? statement = null, byte[]? measurement = null)
    {
        leaf ??= Leaf();
        return new WorkloadPresentation
        {
            Certificate = leaf.RawDataMemory,
            Evidence = Evidence(
                new Binding(AttesterRole.Workload, Nonce, leaf.PublicKey.ExportSubjectPublicKeyInfo()),
                (statement ?? new WorkloadStatement(Type, Uuid, Manifest.Fingerprint)).ToBytes(),
                measurement ?? WorkloadMeasurement),
        };
    }

    private string Model(string? mode) =>
        $$"""{ "Digest": "{{new string('d', 64)}}", "MakerKey": "{{Convert.ToBase64String(OwnerKey.ExportSubjectPublicKeyInfo())}}", "Secret": "key"{{(mode is null ? "" : $", \"Mode\": \"{mode}\"")}} }""";

    public WorkloadJudgement Judge(WorkloadPresentation presented, string type = Type, ManifestDocument? manifest = null, VerificationTime? time = null) =>
        WorkloadAppraiser.Judge(presented, Nonce, type, Verified(), manifest ?? Manifest, Verifiers, time ?? Time);

    public X509Certificate2 Leaf(
        string type = Type, string name = Uuid, ECDsa? key = null, ECDsa? issuer = null, X509Certificate2? issuedBy = null, bool authority = false, string usage = "1.3.6.1.5.5.7.3.1")
    {
        var request = new CertificateRequest($"CN={name}", key ?? LeafKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        request.CertificateExtensions.Add(MarbleExtension.Create(type));
        X509SignatureGenerator generator = X509SignatureGenerator.CreateForECDsa(issuer ?? IntermediateKey);
        return request.Create((issuedBy ?? Intermediate).SubjectName, generator, Now.AddMinutes(-5), Now.AddDays(1), RandomNumberGenerator.GetBytes(16));
    }

    public byte[] Evidence(Binding binding, byte[] runtimeData, byte[] measurement)
    {
        byte[] report = SimulationReport.Encode(HostKey, measurement, binding.ReportData(runtimeData, []), "/opt/program");
        return EvidenceCodec.Encode(new EvidenceSet(new Evidence(TeeKind.Simulation, report, default, runtimeData, []), [], binding));
    }

    public static string Digest(X509Certificate2 certificate) => Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));

    public static X509Certificate2 SelfSigned(ECDsa key, string name)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(Now.AddDays(-1), Now.AddYears(1));
    }

    public X509Certificate2 IssueAuthority(ECDsa key, string name, bool authority = true)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, true));
        return request.Create(Root.SubjectName, X509SignatureGenerator.CreateForECDsa(RootKey), Now.AddDays(-1), Now.AddYears(1), RandomNumberGenerator.GetBytes(16));
    }

    public void Dispose()
    {
        foreach (IDisposable one in new IDisposable[] { RootKey, IntermediateKey, HostKey, OwnerKey, LeafKey, Root, Intermediate, MarbleRoot }) one.Dispose();
    }
}
