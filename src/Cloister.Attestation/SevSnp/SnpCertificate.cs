using System.Text;
using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.SevSnp;

/// <summary>
/// The certificate of the key that signs reports: a VCEK or VLEK (AMD 57230, "Versioned Chip Endorsement Key (VCEK) Certificate and
/// KDS Interface Specification"). A reader of its names and extensions; whether it is genuine is the chain's matter.
/// </summary>
internal sealed class SnpCertificate
{
    private const int MaximumName = 64;

    public SnpCertificate(Certificate certificate)
    {
        Certificate = certificate;
        HasHardwareId = certificate.TryGetExtension(HardwareIdOid, out _);
        ProviderId = TextOf(ProviderIdOid);
        NamedProduct = TextOf(ProductNameOid) is { } name ? SnpProducts.OfName(name) : SnpProduct.None;
        IssuingProduct = LineOf(certificate.IssuerCommonName);
        SubjectKind = certificate.SubjectCommonName switch
        {
            "SEV-VCEK" => SnpSigningKey.Vcek,
            "SEV-VLEK" => SnpSigningKey.Vlek,
            _ => SnpSigningKey.None,
        };
    }

    public Certificate Certificate { get; }

    /// <summary>The kind of key by the subject's name.</summary>
    public SnpSigningKey SubjectKind { get; }

    /// <summary>The product line by the certificate's own extension.</summary>
    public SnpProduct NamedProduct { get; }

    /// <summary>The product line by its issuer's name.</summary>
    public SnpProduct IssuingProduct { get; }

    /// <summary>The cloud provider that a VLEK belongs to.</summary>
    public string? ProviderId { get; }

    public bool HasHardwareId { get; }

    // 1.3.6.1.4.1.3704.1.x
    private static ReadOnlySpan<byte> StructVersionOid => [0x2B, 0x06, 0x01, 0x04, 0x01, 0x9C, 0x78, 0x01, 0x01];
    private static ReadOnlySpan<byte> ProductNameOid => [0x2B, 0x06, 0x01, 0x04, 0x01, 0x9C, 0x78, 0x01, 0x02];
    private static ReadOnlySpan<byte> HardwareIdOid => [0x2B, 0x06, 0x01, 0x04, 0x01, 0x9C, 0x78, 0x01, 0x04];
    private static ReadOnlySpan<byte> ProviderIdOid => [0x2B, 0x06, 0x01, 0x04, 0x01, 0x9C, 0x78, 0x01, 0x05];

    /// <summary>The line that an AMD authority's name ends in: ARK-Milan, SEV-Milan, SEV-VLEK-Milan.</summary>
    public static SnpProduct LineOf(string? commonName) => commonName switch
    {
        null => SnpProduct.None,
        _ when commonName.StartsWith("SEV-VLEK-", StringComparison.Ordinal) => SnpProducts.OfName(commonName.AsSpan(9)),
        _ when commonName.StartsWith("SEV-", StringComparison.Ordinal) || commonName.StartsWith("ARK-", StringComparison.Ordinal) => SnpProducts.OfName(commonName.AsSpan(4)),
        _ => SnpProduct.None,
    };

    /// <summary>The security versions that the key was derived for. Every component must be there once, reserved ones must be 0.</summary>
    public Outcome<SnpTcb> Tcb(SnpProduct product)
    {
        if (NumberOf(StructVersionOid) is not (0 or 1)) return Outcome.Refuse<SnpTcb>(Refusal.CertificateExtension, "structVersion", "missing, or of a version that is not known");
        if (NamedProduct == SnpProduct.None) return Outcome.Refuse<SnpTcb>(Refusal.CertificateExtension, "productName", "missing, or not a product that is known");
        bool turin = product == SnpProduct.Turin;
        int?[] parts = [turin ? Spl(9) : 0, Spl(1), Spl(2), Spl(3), Spl(8)];
        foreach (int? part in parts)
            if (part is not (>= 0 and <= 255)) return Outcome.Refuse<SnpTcb>(Refusal.CertificateExtension, "SPL", "a security version is missing or is not a number from 0 to 255");
        for (byte reserved = 4; reserved <= 7; reserved++)
            if (Certificate.TryGetExtension(SplOid(reserved), out _) && Spl(reserved) != 0) return Outcome.Refuse<SnpTcb>(Refusal.CertificateExtension, "SPL", $"the reserved security version {reserved} is not 0");
        if (!turin && Certificate.TryGetExtension(SplOid(9), out _)) return Outcome.Refuse<SnpTcb>(Refusal.CertificateExtension, "fmcSPL", $"{product} has no first mutable code");
        return Outcome.Accept(new SnpTcb((byte)parts[0]!, (byte)parts[1]!, (byte)parts[2]!, (byte)parts[3]!, (byte)parts[4]!));
    }

    /// <summary>The chip that a VCEK belongs to: 64 bytes, on Turin 8. AMD writes them bare; an OCTET STRING around them is read too.</summary>
    public Outcome<ReadOnlyMemory<byte>> HardwareId(SnpProduct product)
    {
        int size = product == SnpProduct.Turin ? 8 : 64;
        if (!Certificate.TryGetExtension(HardwareIdOid, out ReadOnlyMemory<byte> value)) return Outcome.Refuse<ReadOnlyMemory<byte>>(Refusal.CertificateExtension, "hwID", "a VCEK without its chip's identity");
        if (value.Length == size) return Outcome.Accept(value);
        var reader = new DerReader(value);
        return reader.TryRead(DerReader.OctetString, out ReadOnlyMemory<byte> content) && reader.IsEmpty && content.Length == size
            ? Outcome.Accept(content)
            : Outcome.Refuse<ReadOnlyMemory<byte>>(Refusal.CertificateExtension, "hwID", $"{value.Length} bytes; {product} has {size}");
    }

    private static byte[] SplOid(byte number) => [0x2B, 0x06, 0x01, 0x04, 0x01, 0x9C, 0x78, 0x01, 0x03, number];

    private int? Spl(byte number) => NumberOf(SplOid(number));

    private int? NumberOf(ReadOnlySpan<byte> oid)
    {
        if (!Certificate.TryGetExtension(oid, out ReadOnlyMemory<byte> value)) return null;
        var reader = new DerReader(value);
        return reader.TryReadInt32(out int number) && reader.IsEmpty ? number : null;
    }

    private string? TextOf(ReadOnlySpan<byte> oid)
    {
        if (!Certificate.TryGetExtension(oid, out ReadOnlyMemory<byte> value)) return null;
        var reader = new DerReader(value);
        return reader.TryRead(DerReader.Ia5String, out ReadOnlyMemory<byte> text) && reader.IsEmpty && text.Length is > 0 and <= MaximumName && !text.Span.ContainsAnyExceptInRange((byte)0x20, (byte)0x7E)
            ? Encoding.ASCII.GetString(text.Span)
            : null;
    }
}
