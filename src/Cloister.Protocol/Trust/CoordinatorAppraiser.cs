using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Protocol.Manifest;

namespace Cloister.Protocol.Trust;

/// <summary>
/// Judges whether a peer is the coordinator that a policy describes (docs/wire.md, "Verifying a coordinator"): its evidence is fresh and
/// bound to the key of this very TLS connection, its certificates are those it stated, and the manifest is one the policy accepts.
/// Pure: workloads and clients use it alike.
/// </summary>
public static class CoordinatorAppraiser
{
    private const string ActivationCheck = "tpm.activation";

    private static readonly ImmutableArray<PlannedCheck> s_plan =
    [
        new("coordinator.statement", "runtimeData"),
        new("coordinator.root", "root"),
        new("coordinator.intermediate", "intermediate"),
        new("coordinator.marble-root", "marbleRoot"),
        new("coordinator.chain", "certificateChain"),
        new("coordinator.tls-key", "tlsPublicKey"),
        new("manifest.fingerprint", "manifestFingerprint"),
        new("manifest.expected", "manifestFingerprint"),
        new("manifest.owner", "ownerSignatures"),
    ];

    /// <summary>Judges a coordinator.</summary>
    /// <param name="presented">What it presented, unchecked.</param>
    /// <param name="nonce">The caller's own fresh nonce, 16 to 64 bytes.</param>
    /// <param name="policy">What is accepted.</param>
    /// <param name="verifiers">Verifiers of evidence.</param>
    /// <param name="time">When certificates must be valid.</param>
    /// <param name="enrolled">
    /// The outcome of the activation of this coordinator's key (<see cref="TpmEnrolment"/>), which a policy that asks for one cannot be judged
    /// without; null if none was run.
    /// </param>
    public static CoordinatorJudgement Judge(
        CoordinatorPresentation presented, ReadOnlyMemory<byte> nonce, CoordinatorPolicy policy, VerifierRegistry verifiers, VerificationTime time,
        Outcome<TpmEnrolledKey>? enrolled = null)
    {
        ArgumentNullException.ThrowIfNull(presented);
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(verifiers);
        var binding = new Binding(AttesterRole.Coordinator, nonce, presented.TlsPublicKey);
        if (enrolled is { IsAccepted: false } failed)
            return new CoordinatorJudgement(new AttestationResult([NotActivated(failed), Check.NotReached("evidence", "evidence"), .. CheckList.NotReached(s_plan)], [], false), null);
        PackagePolicy wanted = enrolled is { } activated ? TpmEnrolment.Name(policy.Coordinator, activated.Value) : policy.Coordinator;
        AttestationResult evidence = verifiers.Appraise(presented.Evidence.Span, binding, wanted, time);
        if (enrolled is { } held)
            evidence = evidence.Prepend(Check.Pass(ActivationCheck, "evidence.endorsements", held.Value.Name, $"endorsement certificate {held.Value.Certificate}"));
        if (!evidence.TryAccept(out Claims? claims, out _))
            return new CoordinatorJudgement(evidence.Append(CheckList.NotReached(s_plan)), null);

        var checks = new CheckList(s_plan);
        bool holds = CheckStatement(checks, presented, out CoordinatorStatement? statement)
            && CheckCertificates(checks, presented, statement, time)
            && CheckManifest(checks, presented, statement, policy);
        AttestationResult result = evidence.Append(checks.Finish());
        return new CoordinatorJudgement(result, !holds ? null : new VerifiedCoordinator
        {
            Root = presented.Root,
            Intermediate = presented.Intermediate,
            MarbleRoot = presented.MarbleRoot,
            ManifestFingerprint = statement!.ManifestFingerprint,
            Simulated = result.Simulated,
            Measurement = claims.Measurement,
        });
    }

    private static Check NotActivated(Outcome<TpmEnrolledKey> failed) =>
        Check.Fail(ActivationCheck, $"evidence.endorsements.{failed.Field}", failed.Refusal, failed.Reason);

    private static bool CheckStatement(CheckList checks, CoordinatorPresentation presented, out CoordinatorStatement? statement)
    {
        statement = null;
        try
        {
            statement = CoordinatorStatement.Read(EvidenceCodec.Decode(presented.Evidence.Span).Value.Primary.RuntimeData.Span);
            return checks.Pass("coordinator.statement", statement.ManifestFingerprint);
        }
        catch (ProtocolException error)
        {
            return checks.Fail("coordinator.statement", error.Field == "role" ? Refusal.StatementRoleMismatch : Refusal.StatementMalformed, error.Message);
        }
    }

    private static bool CheckCertificates(CheckList checks, CoordinatorPresentation presented, CoordinatorStatement? statement, VerificationTime time)
    {
        if (!Stated("coordinator.root", presented.Root, statement!.Root, Refusal.RootMismatch)
            || !Stated("coordinator.intermediate", presented.Intermediate, statement.Intermediate, Refusal.IntermediateMismatch)
            || !Stated("coordinator.marble-root", presented.MarbleRoot, statement.MarbleRoot, Refusal.MarbleRootMismatch)) return false;

        using X509Certificate2? root = CertificateChain.Load(presented.Root);
        using X509Certificate2? intermediate = CertificateChain.Load(presented.Intermediate);
        using X509Certificate2? marbleRoot = CertificateChain.Load(presented.MarbleRoot);
        if (root is null || intermediate is null || marbleRoot is null)
            return checks.Fail("coordinator.chain", Refusal.CertificateChainInvalid, "a certificate cannot be read");
        if ((CertificateChain.NotAllowed(root) ?? CertificateChain.NotAllowed(intermediate) ?? CertificateChain.NotAllowed(marbleRoot)) is { } notAllowed)
            return checks.Fail("coordinator.chain", Refusal.CertificateNotAllowed, notAllowed);
        if (CertificateChain.Broken([intermediate, root], time, serverLeaf: false) is { } broken)
            return checks.Fail("coordinator.chain", Refusal.CertificateChainInvalid, broken);
        if (CertificateChain.Broken([marbleRoot], time, serverLeaf: false) is { } brokenMarbleRoot)
            return checks.Fail("coordinator.chain", Refusal.CertificateChainInvalid, $"marble root: {brokenMarbleRoot}");
        if (!CertificateChain.SameKey(intermediate, marbleRoot))
            return checks.Fail("coordinator.chain", Refusal.CertificateChainInvalid, "the marble root and the intermediate have different keys");
        checks.Pass("coordinator.chain", intermediate.Subject);

        X509Certificate2 served = presented.Port == CoordinatorPort.Client ? root : marbleRoot;
        bool sameKey = presented.TlsPublicKey.Span.SequenceEqual(served.PublicKey.ExportSubjectPublicKeyInfo());
        return checks.Next("coordinator.tls-key", sameKey, Refusal.TlsKeyMismatch, $"the TLS connection's key is not that of '{served.Subject}', which this port presents");

        bool Stated(string id, ReadOnlyMemory<byte> certificate, string stated, Refusal refusal)
        {
            string digest = Convert.ToHexStringLower(SHA256.HashData(certificate.Span));
            return checks.Next(id, digest == stated, refusal, "the certificate is not the one that the attested coordinator stated", digest, stated);
        }
    }

    private static bool CheckManifest(CheckList checks, CoordinatorPresentation presented, CoordinatorStatement? statement, CoordinatorPolicy policy)
    {
        string stated = statement!.ManifestFingerprint;
        if (!checks.Next("manifest.fingerprint", stated == presented.ManifestFingerprint, Refusal.ManifestFingerprintMismatch,
            "the manifest presented is not the one that the attested coordinator says is in force", presented.ManifestFingerprint, stated)) return false;
        return CheckExpected(checks, stated, policy.Manifest) && CheckOwner(checks, presented, stated, policy.Owners);
    }

    private static bool CheckExpected(CheckList checks, string fingerprint, ManifestRequirement expected) => expected switch
    {
        ManifestRequirement.None => checks.Next("manifest.expected", fingerprint.Length == 0, Refusal.ManifestPresence, "a manifest is already set", fingerprint, "none"),
        _ when fingerprint.Length == 0 => checks.Fail("manifest.expected", Refusal.ManifestPresence, "the coordinator has no manifest yet", "", "a manifest"),
        ManifestRequirement.Exactly exactly => checks.Next("manifest.expected", fingerprint == exactly.Fingerprint, Refusal.ManifestFingerprintMismatch, "another manifest is in force", fingerprint, exactly.Fingerprint),
        _ => checks.Pass("manifest.expected", fingerprint, "any"),
    };

    private static bool CheckOwner(CheckList checks, CoordinatorPresentation presented, string fingerprint, OwnerRequirement owners)
    {
        if (owners is not OwnerRequirement.SignedBy { Keys: var accepted }) return checks.Pass("manifest.owner", expected: "any");
        bool tried = false;
        if (fingerprint.Length != 0)
            foreach (OwnerSignature signature in presented.OwnerSignatures)
            {
                if (!accepted.Any(key => key.Span.SequenceEqual(signature.PublicKey.Span))) continue;
                tried = true;
                if (ManifestOwner.Verify(signature, fingerprint))
                    return checks.Pass("manifest.owner", Convert.ToHexStringLower(SHA256.HashData(signature.PublicKey.Span)));
            }
        return tried
            ? checks.Fail("manifest.owner", Refusal.OwnerSignatureInvalid, "an accepted owner's signature is not over this manifest")
            : checks.Fail("manifest.owner", Refusal.OwnerSignatureMissing, "none of the accepted owners signed this manifest");
    }
}
