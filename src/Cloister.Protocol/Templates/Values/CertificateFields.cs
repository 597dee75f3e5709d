using System.Formats.Asn1;
using System.Numerics;

namespace Cloister.Protocol.Templates.Values;

/// <summary>An attribute of a name.</summary>
internal sealed record NameAttribute(string Oid, string Value);

/// <summary>An extension.</summary>
internal sealed record CertificateExtension(string Oid, bool IsCritical, ReadOnlyMemory<byte> Value);

/// <summary>What a certificate says (RFC 5280), as far as templates can ask.</summary>
internal sealed record CertificateFields
{
    public ReadOnlyMemory<byte> Tbs { get; private set; }
    public ReadOnlyMemory<byte> PublicKeyInfo { get; private set; }
    public ReadOnlyMemory<byte> RawSubject { get; private set; }
    public ReadOnlyMemory<byte> RawIssuer { get; private set; }
    public ReadOnlyMemory<byte> Signature { get; private set; }
    public string SignatureOid { get; private set; } = "";
    public string KeyOid { get; private set; } = "";
    public ReadOnlyMemory<byte> Key { get; private set; }
    public long Version { get; private set; }
    public BigInteger Serial { get; private set; }
    public List<NameAttribute> Issuer { get; private set; } = [];
    public List<NameAttribute> Subject { get; private set; } = [];
    public DateTimeOffset NotBefore { get; private set; }
    public DateTimeOffset NotAfter { get; private set; }
    public List<CertificateExtension> Extensions { get; } = [];
    public long KeyUsage { get; private set; }
    public List<string> ExtKeyUsage { get; } = [];
    public bool HasBasicConstraints { get; private set; }
    public bool IsCa { get; private set; }
    public long MaxPathLength { get; private set; }
    public ReadOnlyMemory<byte> SubjectKeyId { get; private set; }
    public ReadOnlyMemory<byte> AuthorityKeyId { get; private set; }
    public List<string> DnsNames { get; } = [];
    public List<string> Emails { get; } = [];
    public List<string> Uris { get; } = [];
    public List<byte[]> Addresses { get; } = [];

    /// <summary>Reads a certificate; null where the bytes are none.</summary>
    public static CertificateFields? Read(ReadOnlyMemory<byte> der)
    {
        var fields = new CertificateFields();
        try
        {
            AsnReader certificate = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
            fields.Tbs = certificate.PeekEncodedValue();
            fields.ReadTbs(certificate.ReadSequence());
            fields.SignatureOid = certificate.ReadSequence().ReadObjectIdentifier();
            fields.Signature = certificate.ReadBitString(out _);
            return fields;
        }
        catch (Exception error) when (error is AsnContentException or ArgumentException or OverflowException)
        {
            return null;
        }
    }

    private void ReadTbs(AsnReader tbs)
    {
        var version = new Asn1Tag(TagClass.ContextSpecific, 0);
        Version = 1;
        if (tbs.PeekTag().HasSameClassAndValue(version)) Version = 1 + (long)tbs.ReadSequence(version).ReadInteger();
        Serial = tbs.ReadInteger();
        tbs.ReadSequence();
        RawIssuer = tbs.PeekEncodedValue();
        Issuer = ReadName(tbs.ReadSequence());
        AsnReader validity = tbs.ReadSequence();
        NotBefore = ReadTime(validity);
        NotAfter = ReadTime(validity);
        RawSubject = tbs.PeekEncodedValue();
        Subject = ReadName(tbs.ReadSequence());
        PublicKeyInfo = tbs.PeekEncodedValue();
        AsnReader key = tbs.ReadSequence();
        KeyOid = key.ReadSequence().ReadObjectIdentifier();
        Key = key.ReadBitString(out _);
        var extensions = new Asn1Tag(TagClass.ContextSpecific, 3);
        while (tbs.HasData)
        {
            if (!tbs.PeekTag().HasSameClassAndValue(extensions))
            {
                tbs.ReadEncodedValue();
                continue;
            }
            AsnReader list = tbs.ReadSequence(extensions).ReadSequence();
            while (list.HasData) ReadExtension(list.ReadSequence());
        }
    }

    private static DateTimeOffset ReadTime(AsnReader reader) =>
        reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();

    private static List<NameAttribute> ReadName(AsnReader name)
    {
        var attributes = new List<NameAttribute>();
        while (name.HasData)
        {
            AsnReader set = name.ReadSetOf();
            while (set.HasData)
            {
                AsnReader attribute = set.ReadSequence();
                string oid = attribute.ReadObjectIdentifier();
                attributes.Add(new(oid, ReadText(attribute)));
            }
        }
        return attributes;
    }

    private static string ReadText(AsnReader reader)
    {
        Asn1Tag tag = reader.PeekTag();
        return tag.TagClass == TagClass.Universal && (UniversalTagNumber)tag.TagValue is UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString
            or UniversalTagNumber.IA5String or UniversalTagNumber.T61String or UniversalTagNumber.BMPString or UniversalTagNumber.VisibleString
            ? reader.ReadCharacterString((UniversalTagNumber)tag.TagValue)
            : Convert.ToHexString(reader.ReadEncodedValue().Span);
    }

    private void ReadExtension(AsnReader extension)
    {
        string oid = extension.ReadObjectIdentifier();
        bool critical = extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && extension.ReadBoolean();
        byte[] value = extension.ReadOctetString();
        Extensions.Add(new(oid, critical, value));
        var reader = new AsnReader(value, AsnEncodingRules.DER);
        switch (oid)
        {
            case "2.5.29.14": SubjectKeyId = reader.ReadOctetString(); break;
            case "2.5.29.15": ReadKeyUsage(reader); break;
            case "2.5.29.17": ReadNames(reader.ReadSequence()); break;
            case "2.5.29.19": ReadBasicConstraints(reader.ReadSequence()); break;
            case "2.5.29.35": ReadAuthorityKeyId(reader.ReadSequence()); break;
            case "2.5.29.37":
                AsnReader usages = reader.ReadSequence();
                while (usages.HasData) ExtKeyUsage.Add(usages.ReadObjectIdentifier());
                break;
        }
    }

    private void ReadKeyUsage(AsnReader reader)
    {
        byte[] bits = reader.ReadBitString(out _);
        for (int i = 0; i < Math.Min(9, bits.Length * 8); i++)
            if ((bits[i / 8] & (0x80 >> (i % 8))) != 0) KeyUsage |= 1L << i;
    }

    private void ReadBasicConstraints(AsnReader reader)
    {
        HasBasicConstraints = true;
        MaxPathLength = -1;
        if (reader.HasData && reader.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean)) IsCa = reader.ReadBoolean();
        if (reader.HasData) MaxPathLength = (long)reader.ReadInteger();
    }

    private void ReadAuthorityKeyId(AsnReader reader)
    {
        var id = new Asn1Tag(TagClass.ContextSpecific, 0);
        if (reader.HasData && reader.PeekTag().HasSameClassAndValue(id)) AuthorityKeyId = reader.ReadOctetString(id);
    }

    private void ReadNames(AsnReader names)
    {
        while (names.HasData)
        {
            Asn1Tag tag = names.PeekTag();
            if (tag.TagClass == TagClass.ContextSpecific && tag.TagValue is 1 or 2 or 6)
                (tag.TagValue switch { 1 => Emails, 2 => DnsNames, _ => Uris }).Add(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
            else if (tag.TagClass == TagClass.ContextSpecific && tag.TagValue == 7) Addresses.Add(names.ReadOctetString(tag));
            else names.ReadEncodedValue();
        }
    }
}
