using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Tests.Certificates;

/// <summary>A certificate as its maker wants it, right or wrong: repeated extensions, wrong algorithms and odd dates included.</summary>
public sealed record MadeCertificate
{
    public const string PssSha384 = "pss-sha384", Pkcs1Sha384 = "pkcs1-sha384", PssSha384Trailer = "pss-sha384 with its trailer";

    public required string Subject { get; init; }
    public required string Issuer { get; init; }
    public required byte[] PublicKey { get; init; }
    public required RSA IssuerKey { get; init; }
    public BigInteger Serial { get; init; } = 1;
    public DateTimeOffset NotBefore { get; init; } = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);
    public DateTimeOffset NotAfter { get; init; } = new(2032, 1, 1, 0, 0, 0, TimeSpan.Zero);
    public string Algorithm { get; init; } = PssSha384;
    public ImmutableArray<(string Oid, bool Critical, byte[] Value)> Extensions { get; init; } = [];

    public byte[] Encode()
    {
        var tbs = new AsnWriter(AsnEncodingRules.DER);
        using (tbs.PushSequence())
        {
            using (tbs.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                tbs.WriteInteger(2);
            tbs.WriteInteger(Serial);
            WriteAlgorithm(tbs);
            tbs.WriteEncodedValue(new X500DistinguishedName(Issuer).RawData);
            using (tbs.PushSequence())
            {
                WriteTime(tbs, NotBefore);
                WriteTime(tbs, NotAfter);
            }
            tbs.WriteEncodedValue(new X500DistinguishedName(Subject).RawData);
            tbs.WriteEncodedValue(PublicKey);
            using (tbs.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 3)))
            using (tbs.PushSequence())
                foreach ((string oid, bool critical, byte[] value) in Extensions)
                    using (tbs.PushSequence())
                    {
                        tbs.WriteObjectIdentifier(oid);
                        if (critical) tbs.WriteBoolean(true);
                        tbs.WriteOctetString(value);
                    }
        }
        byte[] signed = tbs.Encode();
        var outer = new AsnWriter(AsnEncodingRules.DER);
        using (outer.PushSequence())
        {
            outer.WriteEncodedValue(signed);
            WriteAlgorithm(outer);
            outer.WriteBitString(IssuerKey.SignData(signed, HashAlgorithmName.SHA384, Algorithm == Pkcs1Sha384 ? RSASignaturePadding.Pkcs1 : RSASignaturePadding.Pss));
        }
        return outer.Encode();
    }

    /// <summary>A DER INTEGER, as AMD's extensions hold them.</summary>
    public static byte[] Integer(BigInteger value)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteInteger(value);
        return writer.Encode();
    }

    /// <summary>A DER IA5String.</summary>
    public static byte[] Ia5(string text)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteCharacterString(UniversalTagNumber.IA5String, text);
        return writer.Encode();
    }

    public static ImmutableArray<(string Oid, bool Critical, byte[] Value)> Authority(bool isAuthority = true) =>
    [
        ("2.5.29.19", true, new X509BasicConstraintsExtension(isAuthority, false, 0, true).RawData),
        ("2.5.29.15", true, new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true).RawData),
    ];

    private static void WriteTime(AsnWriter writer, DateTimeOffset time)
    {
        if (time.Year < 2050) writer.WriteUtcTime(time);
        else writer.WriteGeneralizedTime(time, omitFractionalSeconds: true);
    }

    private void WriteAlgorithm(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            if (Algorithm == Pkcs1Sha384)
            {
                writer.WriteObjectIdentifier("1.2.840.113549.1.1.12");
                writer.WriteNull();
                return;
            }
            writer.WriteObjectIdentifier("1.2.840.113549.1.1.10");
            using (writer.PushSequence())
            {
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                    WriteHash(writer);
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 1)))
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier("1.2.840.113549.1.1.8");
                    WriteHash(writer);
                }
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 2)))
                    writer.WriteInteger(48);
                if (Algorithm != PssSha384Trailer) return;
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 3)))
                    writer.WriteInteger(1);
            }
        }
    }

    private static void WriteHash(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier("2.16.840.1.101.3.4.2.2");
            writer.WriteNull();
        }
    }
}
