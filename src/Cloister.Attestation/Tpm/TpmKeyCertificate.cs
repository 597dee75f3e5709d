using System.Collections.Immutable;
using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.Tpm;

/// <summary>An attestation key's certificate that an anchor's authority issued.</summary>
/// <param name="Subject">Its subject, RFC 4514.</param>
/// <param name="Issuer">Its issuer, RFC 4514.</param>
/// <param name="SubjectPublicKeyInfo">The key, DER.</param>
/// <param name="Instance">The Google Cloud machine it names; null if it names none.</param>
public sealed record TpmKeyCertificate(string Subject, string Issuer, ReadOnlyMemory<byte> SubjectPublicKeyInfo, GceInstance? Instance)
{
    /// <summary>Reads and checks a certificate.</summary>
    /// <param name="certificate">DER or PEM, hostile.</param>
    /// <param name="intermediates">Intermediate certificates, DER or PEM, hostile; the pinned ones need not be given.</param>
    /// <param name="anchors">The authorities; the pinned ones if none is of kind Tpm.</param>
    /// <param name="time">When certificates must be valid.</param>
    public static Outcome<TpmKeyCertificate> Check(ReadOnlyMemory<byte> certificate, ImmutableArray<ReadOnlyMemory<byte>> intermediates, Anchors anchors, VerificationTime time) =>
        Check(certificate, new Endorsements([.. (intermediates.IsDefault ? [] : intermediates).Select(one => new Endorsement(TpmVerifier.Intermediate, one))]), TpmRoots.Of(anchors), new SignatureChecker(), time);

    internal static Outcome<TpmKeyCertificate> Check(ReadOnlyMemory<byte> certificate, Endorsements endorsements, ImmutableArray<Certificate> roots, SignatureChecker signatures, VerificationTime time)
    {
        Outcome<Certificate> parsed = CertificateParser.ParseAny(certificate);
        if (!parsed.IsAccepted) return parsed.RefuseAs<TpmKeyCertificate>();
        Certificate leaf = parsed.Value;
        if (TpmCertificates.CheckAttestationKey(leaf, IntermediatesOf(endorsements), roots, signatures, time) is { } problem)
            return Outcome.Refuse<TpmKeyCertificate>(problem.Refusal, problem.Field, problem.Reason);
        return NameText.Of(leaf.Subject) is { } subject && NameText.Of(leaf.Issuer) is { } issuer
            ? Outcome.Accept(new TpmKeyCertificate(subject, issuer, leaf.SubjectPublicKeyInfo, GceInstance.Read(leaf)))
            : Outcome.Refuse<TpmKeyCertificate>(Refusal.TpmCertificateProfile, "ak certificate", "its names are no text");
    }

    internal static ImmutableArray<Certificate> IntermediatesOf(Endorsements endorsements) =>
    [
        .. endorsements.Items.Where(one => one.Kind == TpmVerifier.Intermediate).Take(TpmCertificates.MaximumIntermediates)
            .Select(one => CertificateParser.ParseAny(one.Bytes)).Where(read => read.IsAccepted).Select(read => read.Value),
        .. TpmRoots.Intermediates,
    ];
}
