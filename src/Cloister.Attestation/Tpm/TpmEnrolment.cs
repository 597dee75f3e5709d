using System.Collections.Immutable;

namespace Cloister.Attestation.Tpm;

/// <summary>
/// Credential activation for a policy that asks for <see cref="TpmKeyPolicy.Endorsed"/> keys: begun with what the peer shows of its TPM, and, once
/// the peer gave up the secret, written into the policy, which then names the key. Pure but for the secret; whoever judges carries the credential.
/// </summary>
public static class TpmEnrolment
{
    /// <summary>Endorsement: the endorsement key's certificate, DER.</summary>
    public const string EndorsementCertificate = "tpm.ek-certificate";

    /// <summary>Endorsement: the endorsement key's public area (TPMT_PUBLIC).</summary>
    public const string EndorsementPublic = "tpm.ek-public";

    /// <summary>Whether a policy cannot be judged before an activation.</summary>
    public static bool IsAskedFor(PackagePolicy policy) => !Parts(policy).IsEmpty;

    /// <summary>Takes out of evidence what an activation needs; nothing of it is proven.</summary>
    public static Outcome<TpmEndorsement> Read(EvidenceSet evidence)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ImmutableArray<Evidence> others = evidence.Others.IsDefault ? [] : evidence.Others;
        if (others.Insert(0, evidence.Primary).FirstOrDefault(one => one.Kind == TeeKind.Tpm) is not { } quote)
            return Missing("evidence", "there is no quote of a TPM");
        Outcome<TpmReport> report = TpmReport.Parse(quote.Report);
        if (!report.IsAccepted) return report.RefuseAs<TpmEndorsement>();
        if (report.Value.KeyForm != TpmKeyForm.TpmPublic) return Missing("report.key", "the attestation key is stated without what its TPM enforces for it, so that no credential can be made for it");
        ImmutableArray<Endorsement> hints = quote.Endorsements.IsDefault ? [] : quote.Endorsements;
        if (hints.FirstOrDefault(one => one.Kind == EndorsementCertificate) is not { } certificate) return Missing(EndorsementCertificate, "the evidence brings no certificate of an endorsement key");
        if (hints.FirstOrDefault(one => one.Kind == EndorsementPublic) is not { } endorsementKey) return Missing(EndorsementPublic, "the evidence does not bring the endorsement key");
        return Outcome.Accept(new TpmEndorsement(certificate.Bytes, [.. hints.Where(one => one.Kind == TpmVerifier.Intermediate).Select(one => one.Bytes)], endorsementKey.Bytes, report.Value.Key));
    }

    /// <summary>Begins an activation under the roots that the policy names.</summary>
    /// <param name="policy">A policy that asks for one.</param>
    /// <param name="endorsement">What the peer shows, hostile.</param>
    /// <param name="time">When certificates must be valid.</param>
    /// <exception cref="ArgumentException">The policy asks for none.</exception>
    public static Outcome<TpmActivation> Begin(PackagePolicy policy, TpmEndorsement endorsement, VerificationTime time)
    {
        ArgumentNullException.ThrowIfNull(endorsement);
        ImmutableArray<TpmKeyPolicy.Endorsed> parts = Parts(policy);
        if (parts.IsEmpty) throw new ArgumentException("The policy asks for no activation.", nameof(policy));
        if (Differ(parts)) return Outcome.Refuse<TpmActivation>(Refusal.PolicyRootsDiffer, "Roots", "one activation serves the whole policy, whose parts name different roots");
        if (parts[0].Roots.IsDefaultOrEmpty) return Outcome.Refuse<TpmActivation>(Refusal.PolicyEmpty, "Roots", "no authority is named");
        var anchors = new Anchors([.. parts[0].Roots.Select((root, i) => new Anchor(TeeKind.Tpm, $"root {i}", root))]);
        Outcome<TpmActivation> begun = TpmActivation.Begin(endorsement.Certificate, endorsement.Intermediates, endorsement.EndorsementKey, endorsement.AttestationKey, anchors, time);
        if (!begun.TryGetValue(out TpmActivation? activation) || parts.Any(part => Wants(part, activation.Certificate))) return begun;
        activation.Dispose();
        return Outcome.Refuse<TpmActivation>(Refusal.TpmEndorsementNotAccepted, EndorsementCertificate, $"{activation.Certificate}: a genuine TPM's, of another machine than the policy accepts");
    }

    /// <summary>Begins an activation with what encoded evidence brings (<see cref="Read"/>).</summary>
    /// <inheritdoc cref="Begin(PackagePolicy, TpmEndorsement, VerificationTime)"/>
    /// <param name="policy">A policy that asks for one.</param>
    /// <param name="evidence">An encoded evidence set, hostile.</param>
    /// <param name="time">When certificates must be valid.</param>
    public static Outcome<TpmActivation> Begin(PackagePolicy policy, ReadOnlySpan<byte> evidence, VerificationTime time)
    {
        Outcome<EvidenceSet> decoded = EvidenceCodec.Decode(evidence);
        if (!decoded.IsAccepted) return decoded.RefuseAs<TpmActivation>();
        Outcome<TpmEndorsement> endorsement = Read(decoded.Value);
        return endorsement.IsAccepted ? Begin(policy, endorsement.Value, time) : endorsement.RefuseAs<TpmActivation>();
    }

    /// <summary>Ends an activation with the secret that the peer's TPM gave up.</summary>
    /// <exception cref="InvalidOperationException">It was ended before.</exception>
    public static Outcome<TpmEnrolledKey> Complete(TpmActivation activation, ReadOnlySpan<byte> secret)
    {
        ArgumentNullException.ThrowIfNull(activation);
        Outcome<TpmPublic> key = activation.Complete(secret);
        return key.IsAccepted ? Outcome.Accept(activation.Enrolled) : key.RefuseAs<TpmEnrolledKey>();
    }

    /// <summary>The policy with the key that was activated in the place of every <see cref="TpmKeyPolicy.Endorsed"/>.</summary>
    /// <param name="policy">The policy; returned as it is if it asks for no activation.</param>
    /// <param name="key">The key whose activation under this policy's roots was completed.</param>
    public static PackagePolicy Name(PackagePolicy policy, TpmEnrolledKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return policy switch
        {
            AllOf all => new AllOf([.. all.Parts.Select(part => Name(part, key))]),
            AnyOf any => new AnyOf([.. any.Parts.Select(part => Name(part, key))]),
            TpmPolicy { Key: TpmKeyPolicy.Endorsed endorsed } tpm => tpm with
            {
                Key = Wants(endorsed, key.Certificate) ? new TpmKeyPolicy.Named(Requirement.Exactly(key.Name)) : endorsed with { Unwanted = key.Certificate },
            },
            _ => policy,
        };
    }

    /// <summary>Whether parts of a policy name different roots, so that no one activation could serve it.</summary>
    internal static bool RootsDiffer(PackagePolicy policy) => Differ(Parts(policy));

    private static bool Differ(ImmutableArray<TpmKeyPolicy.Endorsed> parts) =>
        parts.Any(part => !Digests(part).SetEquals(Digests(parts[0])));

    private static HashSet<string> Digests(TpmKeyPolicy.Endorsed part) =>
        [.. (part.Roots.IsDefault ? [] : part.Roots).Select(root => Convert.ToHexString(root.Span))];

    private static bool Wants(TpmKeyPolicy.Endorsed part, string certificate) =>
        part.Certificates is not Requirement<string>.AtLeast && part.Certificates.Accepts(certificate);

    private static ImmutableArray<TpmKeyPolicy.Endorsed> Parts(PackagePolicy policy) => policy switch
    {
        TpmPolicy { Key: TpmKeyPolicy.Endorsed endorsed } => [endorsed],
        _ => [.. policy.Parts.SelectMany(part => Parts(part))],
    };

    private static Outcome<TpmEndorsement> Missing(string field, string reason) => Outcome.Refuse<TpmEndorsement>(Refusal.TpmEndorsementMissing, field, reason);
}
