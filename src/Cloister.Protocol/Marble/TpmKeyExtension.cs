using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation.Tpm;

namespace Cloister.Protocol.Marble;

/// <summary>
/// The certificate extension that says which TPM's key its coordinator activated before it issued the certificate (docs/wire.md, "Activation of a
/// TPM's key"): <c>SEQUENCE { name OCTET STRING, endorsementCertificate OCTET STRING }</c>, the key's name and the SHA-256 of the endorsement
/// key's certificate. Only an activation puts it there.
/// </summary>
public static class TpmKeyExtension
{
    /// <summary>Its object identifier: of the UUID 6d1f6b7e-3c1b-4a55-9d0e-2f0c8b5e71a4 (ITU-T X.667), under which no others are.</summary>
    public const string ObjectIdentifier = "2.25.145048992962348569949861626474003329444";

    private const int MinName = 2 + 20, MaxName = 2 + 64, DigestSize = 32;

    /// <summary>The extension for a key. Not critical.</summary>
    /// <exception cref="FormatException">The key's name or certificate is not hexadecimal.</exception>
    public static X509Extension Create(TpmEnrolledKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var der = new AsnWriter(AsnEncodingRules.DER);
        using (der.PushSequence())
        {
            der.WriteOctetString(Convert.FromHexString(key.Name));
            der.WriteOctetString(Convert.FromHexString(key.Certificate));
        }
        return new X509Extension(new Oid(ObjectIdentifier), der.Encode(), critical: false);
    }

    /// <summary>The key that a certificate names, or null where it names none, more than one, or one out of form.</summary>
    public static TpmEnrolledKey? Read(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        X509Extension[] found = [.. certificate.Extensions.Where(extension => extension.Oid?.Value == ObjectIdentifier).Take(2)];
        return found.Length == 1 ? Read(found[0].RawData) : null;
    }

    /// <summary>Fuzz target: any value is a key that is written back to the same bytes, or none.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> value)
    {
        if (Read(value.ToArray()) is { } key && !Create(key).RawData.AsSpan().SequenceEqual(value))
            throw new InvalidOperationException("Two encodings of one key.");
    }

    private static TpmEnrolledKey? Read(byte[] value)
    {
        try
        {
            var outer = new AsnReader(value, AsnEncodingRules.DER);
            AsnReader fields = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            byte[] name = fields.ReadOctetString(), certificate = fields.ReadOctetString();
            fields.ThrowIfNotEmpty();
            return name.Length is >= MinName and <= MaxName && certificate.Length == DigestSize
                ? new TpmEnrolledKey(Convert.ToHexStringLower(name), Convert.ToHexStringLower(certificate))
                : null;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }
}
