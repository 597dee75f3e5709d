using System.Buffers;
using System.Collections.Immutable;
using System.Formats.Asn1;

namespace Cloister.Protocol.Certificates;

/// <summary>A distinguished name by its parts: Go's <c>pkix.Name</c>.</summary>
public sealed record CertificateName
{
    // X.520's attribute types, in the order in which Go writes them.
    private const string
        CountryId = "2.5.4.6", OrganizationId = "2.5.4.10", OrganizationalUnitId = "2.5.4.11", LocalityId = "2.5.4.7", ProvinceId = "2.5.4.8",
        StreetAddressId = "2.5.4.9", PostalCodeId = "2.5.4.17", CommonNameId = "2.5.4.3", SerialNumberId = "2.5.4.5";

    // The alphabet of PrintableString (X.680, 41.4).
    private static readonly SearchValues<char> s_printable =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?");

    /// <summary>A name without parts.</summary>
    public static CertificateName Empty { get; } = new();

    /// <summary>Countries.</summary>
    public ImmutableArray<string> Country { get; init; } = [];
    /// <summary>Organizations.</summary>
    public ImmutableArray<string> Organization { get; init; } = [];
    /// <summary>Units of them.</summary>
    public ImmutableArray<string> OrganizationalUnit { get; init; } = [];
    /// <summary>Towns.</summary>
    public ImmutableArray<string> Locality { get; init; } = [];
    /// <summary>Provinces.</summary>
    public ImmutableArray<string> Province { get; init; } = [];
    /// <summary>Streets.</summary>
    public ImmutableArray<string> StreetAddress { get; init; } = [];
    /// <summary>Postal codes.</summary>
    public ImmutableArray<string> PostalCode { get; init; } = [];
    /// <summary>Common name; empty where there is none.</summary>
    public string CommonName { get; init; } = "";
    /// <summary>The subject's serial number, which is not the certificate's; empty where there is none.</summary>
    public string SerialNumber { get; init; } = "";
    /// <summary>Further attributes; one of them stands instead of all parts of its type.</summary>
    public ImmutableArray<CertificateAttribute> ExtraNames { get; init; } = [];

    /// <summary>The name as DER.</summary>
    /// <exception cref="ProtocolException">CertificateTemplateWrong: an attribute's type or value cannot be written.</exception>
    public byte[] Encode()
    {
        var der = new AsnWriter(AsnEncodingRules.DER);
        using (der.PushSequence())
        {
            Write(der, CountryId, Country);
            Write(der, ProvinceId, Province);
            Write(der, LocalityId, Locality);
            Write(der, StreetAddressId, StreetAddress);
            Write(der, PostalCodeId, PostalCode);
            Write(der, OrganizationId, Organization);
            Write(der, OrganizationalUnitId, OrganizationalUnit);
            Write(der, CommonNameId, CommonName.Length == 0 ? [] : [CommonName]);
            Write(der, SerialNumberId, SerialNumber.Length == 0 ? [] : [SerialNumber]);
            foreach (CertificateAttribute extra in ExtraNames)
                using (der.PushSetOf())
                    Write(der, extra.Type, extra.Text ?? throw CertificateDer.Wrong($"x509: invalid RDNSequence: invalid attribute value: {extra.Type} is not a string"));
        }
        return der.Encode();
    }

    // Several values of one type form one relative name.
    private void Write(AsnWriter der, string type, ImmutableArray<string> values)
    {
        if (values.IsEmpty || ExtraNames.Any(extra => extra.Type == type)) return;
        using (der.PushSetOf())
            foreach (string value in values)
                Write(der, type, value);
    }

    private static void Write(AsnWriter der, string type, string value)
    {
        using (der.PushSequence())
        {
            CertificateDer.WriteId(der, type);
            der.WriteCharacterString(value.AsSpan().ContainsAnyExcept(s_printable) ? UniversalTagNumber.UTF8String : UniversalTagNumber.PrintableString, value);
        }
    }
}

/// <summary>An attribute of a name.</summary>
/// <param name="Type">Dotted.</param>
/// <param name="Text">Its value; null where the manifest gives what is not a string.</param>
public sealed record CertificateAttribute(string Type, string? Text);
