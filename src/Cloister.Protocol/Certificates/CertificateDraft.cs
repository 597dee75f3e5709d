using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Cloister.Protocol.Certificates;

/// <summary>
/// A certificate that is still to be signed with an ECDSA key: written from a template as Go's <c>x509.CreateCertificate</c> does
/// (RFC 5280, 4.1), with its refusals in its order and words.
/// </summary>
/// <param name="Template">What is asked for; defaults are not added here.</param>
/// <param name="Issuer">The issuer's name, DER.</param>
/// <param name="IssuerKeyId">The issuer's key identifier; may be empty.</param>
/// <param name="SubjectPublicKeyInfo">The subject's key, DER.</param>
/// <param name="SerialNumber">Unsigned, big-endian.</param>
/// <param name="NotBefore">Begin of validity.</param>
/// <param name="NotAfter">End of validity, which may lie before its begin.</param>
public sealed record CertificateDraft(
    CertificateTemplate Template,
    ReadOnlyMemory<byte> Issuer,
    ReadOnlyMemory<byte> IssuerKeyId,
    ReadOnlyMemory<byte> SubjectPublicKeyInfo,
    ReadOnlyMemory<byte> SerialNumber,
    DateTimeOffset NotBefore,
    DateTimeOffset NotAfter)
{
    private const string Sha256 = "1.2.840.10045.4.3.2", Sha384 = "1.2.840.10045.4.3.3", Sha512 = "1.2.840.10045.4.3.4";

    // Go's x509.SignatureAlgorithm; those of RSA and Ed25519 do not fit the key that signs.
    private const long Usual = 0, EcdsaWithSha256 = 10, EcdsaWithSha384 = 11, EcdsaWithSha512 = 12;

    /// <summary>The to-be-signed part, DER.</summary>
    /// <param name="hash">With which hash it is to be signed.</param>
    /// <exception cref="ProtocolException">CertificateTemplateWrong: the template asks for what cannot be made.</exception>
    public byte[] Encode(out HashAlgorithmName hash)
    {
        if (!Template.IsCa && Template.MaxPathLen != -1 && (Template.MaxPathLen != 0 || Template.MaxPathLenZero))
            throw CertificateDer.Wrong("x509: only CAs are allowed to specify MaxPathLen");
        (hash, string algorithm) = Algorithm();
        byte[] subject = Subject();
        IReadOnlyList<CertificateExtension> extensions = CertificateExtensions.Of(Template, subjectIsEmpty: subject.Length == 2, SubjectKeyId(), AuthorityKeyId(subject));

        var der = new AsnWriter(AsnEncodingRules.DER);
        using (der.PushSequence())
        {
            using (der.PushSequence(CertificateDer.Context(0)))
                der.WriteInteger(2); // version 3
            der.WriteIntegerUnsigned(SerialNumber.Span.TrimStart((byte)0) is { IsEmpty: false } serial ? serial : [0]);
            WriteAlgorithm(der, algorithm);
            der.WriteEncodedValue(Issuer.Span);
            using (der.PushSequence())
            {
                WriteTime(der, NotBefore);
                WriteTime(der, NotAfter);
            }
            der.WriteEncodedValue(subject);
            der.WriteEncodedValue(SubjectPublicKeyInfo.Span);
            using (der.PushSequence(CertificateDer.Context(3)))
            using (der.PushSequence())
                foreach (CertificateExtension extension in extensions)
                    Write(der, extension);
        }
        return der.Encode();
    }

    /// <summary>The certificate, DER.</summary>
    /// <param name="issuerKey">The issuer's private key.</param>
    /// <exception cref="ProtocolException">CertificateTemplateWrong: the template asks for what cannot be made.</exception>
    public byte[] Sign(ECDsa issuerKey)
    {
        ArgumentNullException.ThrowIfNull(issuerKey);
        byte[] body = Encode(out HashAlgorithmName hash);
        var der = new AsnWriter(AsnEncodingRules.DER);
        using (der.PushSequence())
        {
            der.WriteEncodedValue(body);
            WriteAlgorithm(der, Algorithm().Id);
            der.WriteBitString(issuerKey.SignData(body, hash, DSASignatureFormat.Rfc3279DerSequence));
        }
        return der.Encode();
    }

    // The key that signs is P-384, whose usual hash is SHA-384.
    private (HashAlgorithmName Hash, string Id) Algorithm() => Template.SignatureAlgorithm switch
    {
        Usual or EcdsaWithSha384 => (HashAlgorithmName.SHA384, Sha384),
        EcdsaWithSha256 => (HashAlgorithmName.SHA256, Sha256),
        EcdsaWithSha512 => (HashAlgorithmName.SHA512, Sha512),
        >= 2 and <= 16 and not 9 => throw CertificateDer.Wrong("x509: requested SignatureAlgorithm does not match private key type"),
        9 => throw CertificateDer.Wrong("x509: signing with SHA-1 is not supported"),
        _ => throw CertificateDer.Wrong("x509: unknown SignatureAlgorithm"),
    };

    private byte[] Subject()
    {
        if (Template.RawSubject.IsEmpty) return Template.Subject.Encode();
        try
        {
            var reader = new AsnReader(Template.RawSubject, AsnEncodingRules.DER);
            AsnReader names = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            while (names.HasData)
                for (AsnReader name = names.ReadSetOf(); name.HasData;)
                {
                    AsnReader attribute = name.ReadSequence();
                    attribute.ReadObjectIdentifier();
                    attribute.ReadEncodedValue();
                    attribute.ThrowIfNotEmpty();
                }
        }
        catch (AsnContentException)
        {
            throw CertificateDer.Wrong("x509: invalid RDNSequence");
        }
        return Template.RawSubject.ToArray();
    }

    // Go names a CA's key by SHA-256 of its bits, cut to 20 bytes, where the template does not name it (RFC 7093, 2).
    private ReadOnlyMemory<byte> SubjectKeyId()
    {
        if (!Template.SubjectKeyId.IsEmpty || !Template.IsCa) return Template.SubjectKeyId;
        AsnReader key = new AsnReader(SubjectPublicKeyInfo, AsnEncodingRules.DER).ReadSequence();
        key.ReadEncodedValue();
        return SHA256.HashData(key.ReadBitString(out _)).AsMemory(0, 20);
    }

    private ReadOnlyMemory<byte> AuthorityKeyId(byte[] subject) =>
        IssuerKeyId.IsEmpty || Issuer.Span.SequenceEqual(subject) ? Template.AuthorityKeyId : IssuerKeyId;

    private static void WriteAlgorithm(AsnWriter der, string id)
    {
        using (der.PushSequence()) der.WriteObjectIdentifier(id);
    }

    // RFC 5280, 4.1.2.5: two digits of the year through 2049.
    private static void WriteTime(AsnWriter der, DateTimeOffset time)
    {
        DateTimeOffset second = new(time.UtcTicks - time.UtcTicks % TimeSpan.TicksPerSecond, TimeSpan.Zero);
        if (second.Year is >= 1950 and < 2050) der.WriteUtcTime(second);
        else der.WriteGeneralizedTime(second, omitFractionalSeconds: true);
    }

    private static void Write(AsnWriter der, CertificateExtension extension)
    {
        using (der.PushSequence())
        {
            der.WriteObjectIdentifier(extension.Id);
            if (extension.Critical) der.WriteBoolean(true);
            der.WriteOctetString(extension.Value.Span);
        }
    }
}
