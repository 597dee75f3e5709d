using System.Collections.Frozen;

namespace Cloister.Protocol.Templates.Values;

/// <summary>manifest.Certificate, which is Go's x509.Certificate without its methods.</summary>
internal static class CertificateValues
{
    private static readonly GoType s_strings = new("[]string", TemplateValueKind.Slice) { Element = "string" };
    private static readonly GoType s_oids = new("[]asn1.ObjectIdentifier", TemplateValueKind.Slice) { Element = "asn1.ObjectIdentifier" };
    private static readonly GoType s_extensions = new("[]pkix.Extension", TemplateValueKind.Slice) { Element = "pkix.Extension" };
    private static readonly GoType s_addresses = new("[]net.IP", TemplateValueKind.Slice) { Element = "net.IP" };
    private static readonly GoType s_usages = new("[]x509.ExtKeyUsage", TemplateValueKind.Slice) { Element = "x509.ExtKeyUsage" };
    private static readonly GoType s_extension = new("pkix.Extension", TemplateValueKind.Struct)
    {
        Fields = [new("Id", "asn1.ObjectIdentifier"), new("Critical", "bool"), new("Value", "[]uint8")],
        IsComparable = false,
    };

    public static readonly GoType Certificate = new("manifest.Certificate", TemplateValueKind.Struct)
    {
        Fields =
        [
            new("Raw", "[]uint8"), new("RawTBSCertificate", "[]uint8"), new("RawSubjectPublicKeyInfo", "[]uint8"), new("RawSubject", "[]uint8"), new("RawIssuer", "[]uint8"),
            new("Signature", "[]uint8"), new("SignatureAlgorithm", "x509.SignatureAlgorithm"), new("PublicKeyAlgorithm", "x509.PublicKeyAlgorithm"),
            new("PublicKey", "interface {}"), new("Version", "int"), new("SerialNumber", "*big.Int"), new("Issuer", "pkix.Name"), new("Subject", "pkix.Name"),
            new("NotBefore", "time.Time"), new("NotAfter", "time.Time"), new("KeyUsage", "x509.KeyUsage"), new("Extensions", "[]pkix.Extension"),
            new("ExtraExtensions", "[]pkix.Extension"), new("UnhandledCriticalExtensions", "[]asn1.ObjectIdentifier"), new("ExtKeyUsage", "[]x509.ExtKeyUsage"),
            new("UnknownExtKeyUsage", "[]asn1.ObjectIdentifier"), new("BasicConstraintsValid", "bool"), new("IsCA", "bool"), new("MaxPathLen", "int"),
            new("MaxPathLenZero", "bool"), new("SubjectKeyId", "[]uint8"), new("AuthorityKeyId", "[]uint8"), new("OCSPServer", "[]string"),
            new("IssuingCertificateURL", "[]string"), new("DNSNames", "[]string"), new("EmailAddresses", "[]string"), new("IPAddresses", "[]net.IP"),
            new("URIs", "[]*url.URL"), new("PermittedDNSDomainsCritical", "bool"), new("PermittedDNSDomains", "[]string"), new("ExcludedDNSDomains", "[]string"),
            new("PermittedIPRanges", "[]*net.IPNet"), new("ExcludedIPRanges", "[]*net.IPNet"), new("PermittedEmailAddresses", "[]string"),
            new("ExcludedEmailAddresses", "[]string"), new("PermittedURIDomains", "[]string"), new("ExcludedURIDomains", "[]string"),
            new("CRLDistributionPoints", "[]string"), new("PolicyIdentifiers", "[]asn1.ObjectIdentifier"), new("Policies", "[]x509.OID"),
            new("InhibitAnyPolicy", "int"), new("InhibitAnyPolicyZero", "bool"), new("InhibitPolicyMapping", "int"), new("InhibitPolicyMappingZero", "bool"),
            new("RequireExplicitPolicy", "int"), new("RequireExplicitPolicyZero", "bool"), new("PolicyMappings", "[]x509.PolicyMapping"),
        ],
        IsComparable = false,
        Methods = new Dictionary<string, GoMethod>
        {
            ["MarshalJSON"] = new([], (receiver, _) => Json(((CertificateStruct)receiver).Raw)),
        }.ToFrozenDictionary(),
    };

    private static readonly FrozenDictionary<string, GoType> s_listTypes = Certificate.Fields.Select(field => field.TypeName).Where(name => name.StartsWith("[]", StringComparison.Ordinal))
        .Distinct().ToFrozenDictionary(name => name, name => new GoType(name, TemplateValueKind.Slice) { Element = name[2..] });

    public static TemplateValue Of(ReadOnlyMemory<byte> der) => new CertificateStruct(der);

    /// <summary>A field; where the bytes are no certificate, everything but Raw is its type's zero, as in MarbleRun's dry run.</summary>
    internal static TemplateValue? Field(ReadOnlyMemory<byte> raw, CertificateFields? read, string name) => name switch
    {
        "Raw" => new GoBytes(raw),
        "RawTBSCertificate" => new GoBytes(read?.Tbs ?? default),
        "RawSubjectPublicKeyInfo" => new GoBytes(read?.PublicKeyInfo ?? default),
        "RawSubject" => new GoBytes(read?.RawSubject ?? default),
        "RawIssuer" => new GoBytes(read?.RawIssuer ?? default),
        "Signature" => new GoBytes(read?.Signature ?? default),
        "SubjectKeyId" => new GoBytes(read?.SubjectKeyId ?? default),
        "AuthorityKeyId" => new GoBytes(read?.AuthorityKeyId ?? default),
        "SignatureAlgorithm" => new GoInt(CertificateNames.SignatureAlgorithm(read?.SignatureOid), CertificateNames.SignatureAlgorithmType),
        "PublicKeyAlgorithm" => new GoInt(CertificateNames.KeyAlgorithm(read?.KeyOid), CertificateNames.KeyAlgorithmType),
        "PublicKey" => read is null ? null : CertificateNames.PublicKey(read),
        "Version" => new GoInt(read?.Version ?? 0),
        "SerialNumber" => new GoPointer(CommonValues.BigIntPointer, read is null ? null : CommonValues.BigInt(read.Serial)),
        "Issuer" => CommonValues.Name(read?.Issuer ?? []),
        "Subject" => CommonValues.Name(read?.Subject ?? []),
        "NotBefore" => GoTime.Of(read?.NotBefore),
        "NotAfter" => GoTime.Of(read?.NotAfter),
        "KeyUsage" => new GoInt(read?.KeyUsage ?? 0, CertificateNames.KeyUsageType),
        "Extensions" => new GoList(s_extensions, [.. (read?.Extensions ?? []).Select(Extension)]),
        "ExtKeyUsage" => new GoList(s_usages, [.. (read?.ExtKeyUsage ?? []).Select(CertificateNames.ExtKeyUsage).Where(usage => usage >= 0).Select(usage => new GoInt(usage, CertificateNames.ExtKeyUsageType))]),
        "UnknownExtKeyUsage" => new GoList(s_oids, [.. (read?.ExtKeyUsage ?? []).Where(oid => CertificateNames.ExtKeyUsage(oid) < 0).Select(CommonValues.Oid)]),
        "BasicConstraintsValid" => GoBool.Of(read?.HasBasicConstraints ?? false),
        "IsCA" => GoBool.Of(read?.IsCa ?? false),
        "MaxPathLen" => new GoInt(read?.MaxPathLength ?? 0),
        "MaxPathLenZero" => GoBool.Of(read is { HasBasicConstraints: true, MaxPathLength: 0 }),
        "DNSNames" => Strings(read?.DnsNames),
        "EmailAddresses" => Strings(read?.Emails),
        "IPAddresses" => new GoList(s_addresses, [.. (read?.Addresses ?? []).Select(CommonValues.Address)]),
        "URIs" => new GoList(s_listTypes["[]*url.URL"], [.. (read?.Uris ?? []).Select(CommonValues.Uri)]),
        "PermittedDNSDomainsCritical" or "InhibitAnyPolicyZero" or "InhibitPolicyMappingZero" or "RequireExplicitPolicyZero" => GoBool.False,
        "InhibitAnyPolicy" or "InhibitPolicyMapping" or "RequireExplicitPolicy" => new GoInt(0),
        _ => new GoList(s_listTypes[Certificate.Fields.First(field => field.Name == name).TypeName], []),
    };

    private static GoList Strings(List<string>? texts) => new(s_strings, [.. (texts ?? []).Select(GoString.Of)]);

    private static TemplateValue Extension(CertificateExtension extension) => new GoStruct(s_extension, name => name switch
    {
        "Id" => CommonValues.Oid(extension.Oid),
        "Critical" => GoBool.Of(extension.IsCritical),
        _ => new GoBytes(extension.Value),
    });

    private static GoBytes Json(ReadOnlyMemory<byte> raw) =>
        new(raw.IsEmpty ? "null"u8.ToArray() : System.Text.Encoding.ASCII.GetBytes($"\"{Convert.ToBase64String(raw.Span)}\""));
}

/// <summary>A manifest.Certificate; it is parsed when a field other than Raw is read.</summary>
internal sealed class CertificateStruct : GoStruct
{
    public CertificateStruct(ReadOnlyMemory<byte> raw) : base(CertificateValues.Certificate, FieldOf(raw)) => Raw = raw;

    public ReadOnlyMemory<byte> Raw { get; }

    private static Func<string, TemplateValue?> FieldOf(ReadOnlyMemory<byte> raw)
    {
        var read = new Lazy<CertificateFields?>(() => CertificateFields.Read(raw), isThreadSafe: false);
        return name => CertificateValues.Field(raw, name == "Raw" ? null : read.Value, name);
    }
}
