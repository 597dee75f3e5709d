using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Marble;

namespace Cloister.Protocol.Trust;

/// <summary>What a workload presented. Nothing in it is checked yet.</summary>
public sealed record WorkloadPresentation
{
    /// <summary>The certificate that the TLS connection was made with, DER.</summary>
    public required ReadOnlyMemory<byte> Certificate { get; init; }
    /// <summary>Encoded evidence set, made for the caller's nonce.</summary>
    public required ReadOnlyMemory<byte> Evidence { get; init; }
}

/// <summary>
/// Judges whether a peer is a workload of a verified deployment (docs/wire.md, "Verifying a workload"): its certificate was issued by
/// the coordinator for the expected type, and its fresh evidence, bound to that certificate's key, satisfies the manifest's package. Pure.
/// </summary>
public static class WorkloadAppraiser
{
    private static readonly ImmutableArray<PlannedCheck> s_before =
    [
        new("workload.manifest", "manifest"),
        new("workload.package", "manifest.Marbles"),
        new("workload.certificate", "certificate"),
        new("workload.chain", "certificate"),
        new("workload.certificate-type", "certificate.1.3.9903.2.1"),
    ];

    private static readonly ImmutableArray<PlannedCheck> s_after =
    [
        new("workload.statement", "runtimeData"),
        new("workload.statement-type", "runtimeData.type"),
        new("workload.statement-uuid", "runtimeData.uuid"),
        new("workload.statement-manifest", "runtimeData.manifestFingerprint"),
        new("workload.statement-modes", "runtimeData.modes"),
    ];

    /// <summary>Judges a workload.</summary>
    /// <param name="presented">What it presented, unchecked.</param>
    /// <param name="nonce">The caller's own fresh nonce, 16 to 64 bytes.</param>
    /// <param name="expectedType">The marble type that the caller wants to talk to.</param>
    /// <param name="coordinator">The deployment's coordinator.</param>
    /// <param name="manifest">The manifest in force; refused if it is another.</param>
    /// <param name="verifiers">Verifiers of evidence.</param>
    /// <param name="time">When certificates must be valid.</param>
    public static WorkloadJudgement Judge(
        WorkloadPresentation presented, ReadOnlyMemory<byte> nonce, string expectedType, VerifiedCoordinator coordinator,
        ManifestDocument manifest, VerifierRegistry verifiers, VerificationTime time)
    {
        ArgumentNullException.ThrowIfNull(presented);
        ArgumentException.ThrowIfNullOrEmpty(expectedType);
        ArgumentNullException.ThrowIfNull(coordinator);
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(verifiers);

        using X509Certificate2? leaf = CertificateChain.Load(presented.Certificate);
        var before = new CheckList(s_before);
        if (!CheckPackage(before, expectedType, coordinator, manifest, out PackagePolicy? policy)
            || !CheckCertificate(before, leaf, expectedType, coordinator, time))
            return new WorkloadJudgement(new AttestationResult([.. before.Finish(), Check.NotReached("evidence", "evidence"), .. CheckList.NotReached(s_after)], [], coordinator.Simulated), null);

        byte[] key = leaf!.PublicKey.ExportSubjectPublicKeyInfo();
        // The coordinator, which was verified, activated the key that it names; a policy that asks for that is judged with it, or refuses.
        PackagePolicy wanted = TpmKeyExtension.Read(leaf) is { } activated ? TpmEnrolment.Name(policy!, activated) : policy!;
        AttestationResult evidence = verifiers.Appraise(presented.Evidence.Span, new Binding(AttesterRole.Workload, nonce, key), wanted, time);
        if (!evidence.TryAccept(out Claims? claims, out _))
            return new WorkloadJudgement(new AttestationResult([.. before.Finish(), .. evidence.Checks, .. CheckList.NotReached(s_after)], [], evidence.Simulated), null);

        var after = new CheckList(s_after);
        ImmutableSortedDictionary<string, string> modes = manifest.ModesOf(manifest.Marbles[expectedType]);
        bool holds = CheckStatement(after, presented, leaf, expectedType, coordinator, modes, out WorkloadStatement? statement);
        var result = new AttestationResult([.. before.Finish(), .. evidence.Checks, .. after.Finish()], evidence.RequireAcceptedAll(), evidence.Simulated);
        return new WorkloadJudgement(result, !holds ? null : new VerifiedWorkload
        {
            Type = statement!.Type,
            Uuid = statement.Uuid,
            PublicKey = key,
            NotAfter = leaf.NotAfter.ToUniversalTime(),
            Simulated = result.Simulated,
            Measurement = claims.Measurement,
            Modes = modes,
        });
    }

    private static bool CheckPackage(CheckList checks, string type, VerifiedCoordinator coordinator, ManifestDocument manifest, out PackagePolicy? policy)
    {
        policy = null;
        if (!checks.Next("workload.manifest", manifest.Fingerprint == coordinator.ManifestFingerprint, Refusal.ManifestFingerprintMismatch,
            "the manifest given is not the one in force", manifest.Fingerprint, coordinator.ManifestFingerprint)) return false;
        if (!manifest.Marbles.TryGetValue(type, out ManifestMarble? marble) || !manifest.Packages.TryGetValue(marble.Package, out ManifestPackage? package))
            return checks.Fail("workload.package", Refusal.WorkloadTypeUnknown, "the manifest has no such workload", type);
        policy = package.Policy;
        return checks.Next("workload.package", policy is not null, Refusal.PackagePolicyMissing,
            $"package '{marble.Package}' has MarbleRun's SGX properties only; this mode asks for a policy", type);
    }

    private static bool CheckCertificate(CheckList checks, X509Certificate2? leaf, string type, VerifiedCoordinator coordinator, VerificationTime time)
    {
        if (leaf is null) return checks.Fail("workload.certificate", Refusal.CertificateChainInvalid, "the certificate cannot be read");
        if (CertificateChain.NotAllowed(leaf) is { } notAllowed) return checks.Fail("workload.certificate", Refusal.CertificateNotAllowed, notAllowed);
        if (leaf.Extensions.OfType<X509BasicConstraintsExtension>().Any(extension => extension.CertificateAuthority))
            return checks.Fail("workload.certificate", Refusal.CertificateNotAllowed, "the certificate is an authority's, not a workload's");
        checks.Pass("workload.certificate", leaf.Subject);

        using X509Certificate2? intermediate = CertificateChain.Load(coordinator.Intermediate);
        using X509Certificate2? root = CertificateChain.Load(coordinator.Root);
        string? broken = intermediate is null || root is null
            ? "the coordinator's certificates cannot be read"
            : CertificateChain.Broken([leaf, intermediate, root], time, serverLeaf: true);
        if (!checks.Next("workload.chain", broken is null, Refusal.CertificateChainInvalid, broken ?? "", leaf.Issuer)) return false;
        string? named = MarbleExtension.Read(leaf);
        return checks.Next("workload.certificate-type", named == type, Refusal.WorkloadTypeMismatch, "the certificate was issued for another type", named, type);
    }

    private static bool CheckStatement(
        CheckList checks, WorkloadPresentation presented, X509Certificate2 leaf, string type, VerifiedCoordinator coordinator,
        ImmutableSortedDictionary<string, string> modes, out WorkloadStatement? statement)
    {
        statement = null;
        try
        {
            statement = WorkloadStatement.Read(EvidenceCodec.Decode(presented.Evidence.Span).Value.Primary.RuntimeData.Span);
            checks.Pass("workload.statement");
        }
        catch (ProtocolException error)
        {
            return checks.Fail("workload.statement", error.Field == "role" ? Refusal.StatementRoleMismatch : Refusal.StatementMalformed, error.Message);
        }
        string name = leaf.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
        return checks.Next("workload.statement-type", statement.Type == type, Refusal.WorkloadTypeMismatch, "the workload says it is of another type", statement.Type, type)
            && checks.Next("workload.statement-uuid", statement.Uuid == name, Refusal.StatementMismatch, "the certificate was issued to another instance", statement.Uuid, name)
            && checks.Next("workload.statement-manifest", statement.ManifestFingerprint == coordinator.ManifestFingerprint, Refusal.ManifestFingerprintMismatch,
                "the workload was activated under another manifest", statement.ManifestFingerprint, coordinator.ManifestFingerprint)
            && checks.Next("workload.statement-modes", statement.Modes.SequenceEqual(modes), Refusal.WorkloadModeMismatch,
                "the workload does not state the modes of its models that the manifest demands", Text(statement.Modes), Text(modes));
    }

    private static string Text(ImmutableSortedDictionary<string, string> modes) => string.Join(", ", modes.Select(one => $"{one.Key} {one.Value}"));
}
