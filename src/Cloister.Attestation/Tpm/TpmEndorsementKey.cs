using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.Tpm;

/// <summary>
/// The endorsement key that a certificate is of. A certificate holds the bare key; the rest of the public area is TCG's template
/// (EK Credential Profile 2.5, B.3), so that a secret can be sealed to a TPM that one knows the certificate of and nothing else.
/// </summary>
public static class TpmEndorsementKey
{
    private const int ModulusSize = 2048 / 8;

    /// <summary>TPMT_PUBLIC of template L-1, RSA 2048, whose modulus is zero: what TPM2_CreatePrimary takes.</summary>
    public static ReadOnlyMemory<byte> RsaTemplate { get; } = (byte[])
    [
        0x00, 0x01, 0x00, 0x0B, 0x00, 0x03, 0x00, 0xB2, 0x00, 0x20, .. PolicyA,
        0x00, 0x06, 0x00, 0x80, 0x00, 0x43, 0x00, 0x10, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, ModulusSize >> 8, ModulusSize & 0xFF, .. new byte[ModulusSize],
    ];

    /// <summary>PolicySecret(endorsement): the authorisation policy of endorsement keys of the templates L.</summary>
    public static ReadOnlySpan<byte> PolicyA =>
    [
        0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xB3, 0xF8, 0x1A, 0x90, 0xCC, 0x8D, 0x46, 0xA5, 0xD7, 0x24,
        0xFD, 0x52, 0xD7, 0x6E, 0x06, 0x52, 0x0B, 0x64, 0xF2, 0xA1, 0xDA, 0x1B, 0x33, 0x14, 0x69, 0xAA,
    ];

    /// <summary>The public area of a certificate's key, after the certificate was checked up to an anchor.</summary>
    /// <param name="certificate">The endorsement key's certificate, DER, hostile. RSA 2048.</param>
    /// <param name="intermediates">Intermediate certificates, DER, hostile.</param>
    /// <param name="anchors">The authorities of endorsement keys.</param>
    /// <param name="time">When certificates must be valid.</param>
    public static Outcome<TpmPublic> Of(ReadOnlyMemory<byte> certificate, ImmutableArray<ReadOnlyMemory<byte>> intermediates, Anchors anchors, VerificationTime time)
    {
        Outcome<Certificate> leaf = CertificateParser.ParseAny(certificate);
        if (!leaf.IsAccepted) return leaf.RefuseAs<TpmPublic>();
        var hints = new Endorsements([.. (intermediates.IsDefault ? [] : intermediates).Select(one => new Endorsement(TpmVerifier.Intermediate, one))]);
        if (TpmCertificates.CheckEndorsementKey(leaf.Value, TpmKeyCertificate.IntermediatesOf(hints), TpmRoots.Of(anchors), new SignatureChecker(), time) is { } problem)
            return Outcome.Refuse<TpmPublic>(problem.Refusal, problem.Field, problem.Reason);
        byte[] area = RsaTemplate.ToArray();
        if (leaf.Value.KeyKind != PublicKeyKind.Rsa || !TryModulus(leaf.Value, area.AsSpan(^ModulusSize..)))
            return Outcome.Refuse<TpmPublic>(Refusal.TpmEndorsementKey, "ek certificate", "its key is not RSA of 2048 bits with the exponent 65537, the only template that a public area is made of here");
        return TpmLayout.ParsePublic(area);
    }

    private static bool TryModulus(Certificate certificate, Span<byte> modulus)
    {
        using var rsa = RSA.Create();
        try
        {
            rsa.ImportSubjectPublicKeyInfo(certificate.SubjectPublicKeyInfo.Span, out _);
            RSAParameters key = rsa.ExportParameters(false);
            if (key.Modulus!.Length != ModulusSize || !key.Exponent.AsSpan().SequenceEqual((ReadOnlySpan<byte>)[1, 0, 1])) return false;
            key.Modulus.CopyTo(modulus);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
