using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Globalization;
using System.Net;
using Cloister.Protocol.Certificates;

namespace Cloister.Protocol.Manifest;

/// <summary>
/// Reads the certificate of a secret as Go's encoding/json reads an <c>x509.Certificate</c>. Members that have no effect on the
/// certificate made are read for their types alone; Cloister's dialect does not know them.
/// </summary>
internal sealed class CertificateDecoder(GoDecoder go)
{
    private static readonly string[] s_effective =
    [
        "RawSubject", "SignatureAlgorithm", "Subject", "NotAfter", "KeyUsage", "ExtraExtensions", "ExtKeyUsage", "UnknownExtKeyUsage", "IsCA", "MaxPathLen",
        "MaxPathLenZero", "SubjectKeyId", "AuthorityKeyId", "OCSPServer", "IssuingCertificateURL", "DNSNames", "EmailAddresses", "IPAddresses", "URIs",
        "PermittedDNSDomainsCritical", "PermittedDNSDomains", "ExcludedDNSDomains", "PermittedIPRanges", "ExcludedIPRanges", "PermittedEmailAddresses",
        "ExcludedEmailAddresses", "PermittedURIDomains", "ExcludedURIDomains", "CRLDistributionPoints", "Policies",
    ];

    private static readonly string[] s_all =
    [
        .. s_effective, "Raw", "RawTBSCertificate", "RawSubjectPublicKeyInfo", "RawIssuer", "Signature", "PublicKeyAlgorithm", "Version", "SerialNumber", "Issuer",
        "NotBefore", "Extensions", "UnhandledCriticalExtensions", "BasicConstraintsValid", "PolicyIdentifiers", "InhibitAnyPolicy", "InhibitAnyPolicyZero",
        "InhibitPolicyMapping", "InhibitPolicyMappingZero", "RequireExplicitPolicy", "RequireExplicitPolicyZero",
    ];

    private static readonly string[] s_name =
    [
        "Country", "Organization", "OrganizationalUnit", "Locality", "Province", "StreetAddress", "PostalCode", "SerialNumber", "CommonName", "ExtraNames",
    ];

    private static readonly string[] s_attribute = ["Type", "Value"];
    private static readonly string[] s_extension = ["Id", "Critical", "Value"];
    private static readonly string[] s_range = ["IP", "Mask"];
    private static readonly string[] s_url = ["Scheme", "Opaque", "User", "Host", "Path", "RawPath", "OmitHost", "ForceQuery", "RawQuery", "Fragment", "RawFragment"];

    // Go names in its messages the outermost struct, whose decoder calls the certificate's.
    private const string Outer = "Secret";

    /// <summary>The template merged into the one before it.</summary>
    public CertificateTemplate Read(GoNode node, CertificateTemplate before)
    {
        // A string is how MarbleRun stores certificates, not how a manifest describes one; text that is not base64 counts as nothing.
        if (node.Value.Kind == GoKind.String && !go.IsCloister)
        {
            if (GoBase64.TryDecode(node.Value.Text, out _)) go.Refuse(ManifestProblemCode.WrongType, node, "x509: a finished certificate is no template");
            return before;
        }
        CertificateTemplate template = before;
        foreach ((string name, GoNode member) in go.Members(node, Outer, go.IsCloister ? s_effective : s_all, "x509.Certificate"))
            template = Member(template, name, member);
        return template;
    }

    private CertificateTemplate Member(CertificateTemplate template, string name, GoNode member) => name switch
    {
        "RawSubject" => template with { RawSubject = go.Bytes(member, template.RawSubject) },
        "SignatureAlgorithm" => template with { SignatureAlgorithm = go.Int(member, template.SignatureAlgorithm, "x509.SignatureAlgorithm") },
        "Subject" => template with { Subject = Name(member, template.Subject) },
        "NotAfter" => template with { NotAfter = Time(member, template.NotAfter) },
        "KeyUsage" => template with { KeyUsage = go.Int(member, template.KeyUsage, "x509.KeyUsage") },
        "ExtraExtensions" => template with { ExtraExtensions = go.List(member, template.ExtraExtensions, "[]pkix.Extension", Extension) },
        "ExtKeyUsage" => template with { ExtKeyUsage = Optional(member, template.ExtKeyUsage, "[]x509.ExtKeyUsage", item => go.Int(item, 0, "x509.ExtKeyUsage")) },
        "UnknownExtKeyUsage" => template with { UnknownExtKeyUsage = Ids(member, template.UnknownExtKeyUsage) },
        "IsCA" => template with { IsCa = go.Bool(member, template.IsCa) },
        "MaxPathLen" => template with { MaxPathLen = go.Int(member, template.MaxPathLen, "int") },
        "MaxPathLenZero" => template with { MaxPathLenZero = go.Bool(member, template.MaxPathLenZero) },
        "SubjectKeyId" => template with { SubjectKeyId = go.Bytes(member, template.SubjectKeyId) },
        "AuthorityKeyId" => template with { AuthorityKeyId = go.Bytes(member, template.AuthorityKeyId) },
        "OCSPServer" => template with { OcspServer = go.Strings(member, template.OcspServer) },
        "IssuingCertificateURL" => template with { IssuingCertificateUrl = go.Strings(member, template.IssuingCertificateUrl) },
        "DNSNames" => template with { DnsNames = Optional(member, template.DnsNames, "[]string", item => go.String(item, "")) },
        "EmailAddresses" => template with { EmailAddresses = go.Strings(member, template.EmailAddresses) },
        "IPAddresses" => template with { IpAddresses = Optional(member, template.IpAddresses, "[]net.IP", Address) },
        "URIs" => template with { Uris = go.List(member, template.Uris, "[]*url.URL", Uri) },
        "CRLDistributionPoints" => template with { CrlDistributionPoints = go.Strings(member, template.CrlDistributionPoints) },
        "Policies" => template with { Policies = go.List(member, template.Policies, "[]x509.OID", Policy) },
        "PermittedDNSDomainsCritical" => template with { PermittedDnsDomainsCritical = go.Bool(member, template.PermittedDnsDomainsCritical) },
        _ when name.StartsWith("Permitted", StringComparison.Ordinal) => template with { Permitted = Constraint(member, name["Permitted".Length..], template.Permitted) },
        _ when name.StartsWith("Excluded", StringComparison.Ordinal) => template with { Excluded = Constraint(member, name["Excluded".Length..], template.Excluded) },
        _ => WithoutEffect(template, name, member),
    };

    private CertificateNameConstraints Constraint(GoNode member, string kind, CertificateNameConstraints before) => kind switch
    {
        "DNSDomains" => before with { DnsDomains = go.Strings(member, before.DnsDomains) },
        "IPRanges" => before with { IpRanges = go.List(member, before.IpRanges, "[]*net.IPNet", Range) },
        "EmailAddresses" => before with { EmailAddresses = go.Strings(member, before.EmailAddresses) },
        _ => before with { UriDomains = go.Strings(member, before.UriDomains) },
    };

    private CertificateTemplate WithoutEffect(CertificateTemplate template, string name, GoNode member)
    {
        switch (name)
        {
            case "Issuer": Name(member, CertificateName.Empty); break;
            case "NotBefore": Time(member, null); break;
            case "Extensions": go.List(member, [], "[]pkix.Extension", Extension); break;
            case "UnhandledCriticalExtensions" or "PolicyIdentifiers": Ids(member, []); break;
            case "SerialNumber": Number(member); break;
            case "BasicConstraintsValid" or "InhibitAnyPolicyZero" or "InhibitPolicyMappingZero" or "RequireExplicitPolicyZero": go.Bool(member, false); break;
            case "PublicKeyAlgorithm": go.Int(member, 0, "x509.PublicKeyAlgorithm"); break;
            case "Version" or "InhibitAnyPolicy" or "InhibitPolicyMapping" or "RequireExplicitPolicy": go.Int(member, 0, "int"); break;
            default: go.Bytes(member, default); break;
        }
        return template;
    }

    private CertificateName Name(GoNode node, CertificateName name)
    {
        foreach ((string part, GoNode member) in go.Members(node, Outer, s_name, "pkix.Name"))
            name = part switch
            {
                "Country" => name with { Country = go.Strings(member, name.Country) },
                "Organization" => name with { Organization = go.Strings(member, name.Organization) },
                "OrganizationalUnit" => name with { OrganizationalUnit = go.Strings(member, name.OrganizationalUnit) },
                "Locality" => name with { Locality = go.Strings(member, name.Locality) },
                "Province" => name with { Province = go.Strings(member, name.Province) },
                "StreetAddress" => name with { StreetAddress = go.Strings(member, name.StreetAddress) },
                "PostalCode" => name with { PostalCode = go.Strings(member, name.PostalCode) },
                "SerialNumber" => name with { SerialNumber = go.String(member, name.SerialNumber) },
                "CommonName" => name with { CommonName = go.String(member, name.CommonName) },
                _ => name with { ExtraNames = go.List(member, name.ExtraNames, "[]pkix.AttributeTypeAndValue", Attribute) },
            };
        return name;
    }

    private CertificateAttribute Attribute(GoNode node)
    {
        var attribute = new CertificateAttribute("", null);
        foreach ((string name, GoNode member) in go.Members(node, Outer, s_attribute, "pkix.AttributeTypeAndValue"))
            attribute = name == "Type"
                ? attribute with { Type = Id(member) }
                : attribute with { Text = member.Value.Kind == GoKind.String ? member.Value.Text : null };
        return attribute;
    }

    private CertificateExtension Extension(GoNode node)
    {
        var extension = new CertificateExtension("", Critical: false, default);
        foreach ((string name, GoNode member) in go.Members(node, Outer, s_extension, "pkix.Extension"))
            extension = name switch
            {
                "Id" => extension with { Id = Id(member) },
                "Critical" => extension with { Critical = go.Bool(member, extension.Critical) },
                _ => extension with { Value = go.Bytes(member, extension.Value) },
            };
        return extension;
    }

    private CertificateIpRange Range(GoNode node)
    {
        var range = new CertificateIpRange(null, default);
        foreach ((string name, GoNode member) in go.Members(node, Outer, s_range, "net.IPNet"))
            range = name == "IP" ? range with { Address = Address(member) } : range with { Mask = go.Bytes(member, range.Mask) };
        return range;
    }

    private string Uri(GoNode node)
    {
        // Go would call a method of a nil pointer.
        if (node.Value.Kind == GoKind.Null) go.WrongType(node, "url.URL");
        var url = new GoUrl();
        foreach ((string name, GoNode member) in go.Members(node, Outer, s_url, "url.URL"))
            url = name switch
            {
                "Scheme" => url with { Scheme = go.String(member, url.Scheme) },
                "Opaque" => url with { Opaque = go.String(member, url.Opaque) },
                "User" => url with { HasUser = User(member) },
                "Host" => url with { Host = go.String(member, url.Host) },
                "Path" => url with { Path = go.String(member, url.Path) },
                "RawPath" => url with { RawPath = go.String(member, url.RawPath) },
                "OmitHost" => url with { OmitHost = go.Bool(member, url.OmitHost) },
                "ForceQuery" => url with { ForceQuery = go.Bool(member, url.ForceQuery) },
                "RawQuery" => url with { RawQuery = go.String(member, url.RawQuery) },
                "Fragment" => url with { Fragment = go.String(member, url.Fragment) },
                _ => url with { RawFragment = go.String(member, url.RawFragment) },
            };
        if (!url.HasReadableHost()) go.Refuse(ManifestProblemCode.WrongType, node, $"x509: cannot parse URI \"{url}\"");
        return url.ToString();
    }

    private bool User(GoNode node)
    {
        if (node.Value.Kind is not (GoKind.Object or GoKind.Null)) go.WrongType(node, "url.Userinfo");
        return node.Value.Kind == GoKind.Object;
    }

    private IPAddress? Address(GoNode node)
    {
        if (node.Value.Kind == GoKind.Null) return null;
        if (node.Value.Kind != GoKind.String) go.WrongType(node, "net.IP");
        else if (node.Value.Text.Length != 0)
        {
            if (GoTexts.Address(node.Value.Text) is { } address) return address;
            go.Refuse(ManifestProblemCode.WrongType, node, $"invalid IP address: {node.Value.Text}");
        }
        return null;
    }

    private DateTimeOffset? Time(GoNode node, DateTimeOffset? before)
    {
        if (node.Value.Kind == GoKind.Null) return before;
        if (node.Value.Kind != GoKind.String)
        {
            go.Refuse(ManifestProblemCode.WrongType, node, "Time.UnmarshalJSON: input is not a JSON string");
            return before;
        }
        if (GoTexts.TryTime(node.Value.Text, out DateTimeOffset time)) return time == DateTimeOffset.MinValue ? null : time;
        go.Refuse(ManifestProblemCode.WrongType, node, $"parsing time \"{node.Value.Text}\" as \"2006-01-02T15:04:05Z07:00\"");
        return before;
    }

    private void Number(GoNode node)
    {
        if (node.Value.Kind == GoKind.Null || (node.Value.Kind == GoKind.Number && node.Value.Text.TrimStart('-').All(char.IsAsciiDigit))) return;
        string written = node.Value.Kind == GoKind.String ? $"\\\"{node.Value.Text}\\\"" : node.Value.Text;
        go.Refuse(ManifestProblemCode.WrongType, node, $"math/big: cannot unmarshal \"{written}\" into a *big.Int");
    }

    private string Policy(GoNode node)
    {
        if (node.Value.Kind != GoKind.String) go.WrongType(node, "x509.OID");
        else if (WithoutZeros(node.Value.Text) is var id && CertificateDer.IsId(id)) return id;
        else go.Refuse(ManifestProblemCode.WrongType, node, "invalid oid");
        return "";
    }

    // Go reads each arc as a number.
    private static string WithoutZeros(string dotted) =>
        string.Join('.', dotted.Split('.').Select(arc => arc.Length > 1 && arc.TrimStart('0') is var digits ? (digits.Length == 0 ? "0" : digits) : arc));

    private ImmutableArray<string> Ids(GoNode node, ImmutableArray<string> before) => go.List(node, before, "[]asn1.ObjectIdentifier", Id);

    // An array of numbers; whether they form an object identifier is found when it is written.
    private string Id(GoNode node) =>
        string.Join('.', go.List(node, ImmutableArray<long>.Empty, "asn1.ObjectIdentifier", item => go.Int(item, 0, "int")).Select(arc => arc.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Fuzz target: a template as JSON is refused, or makes a certificate whose parts can be read.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        var problems = new ManifestProblems(ManifestDialect.MarbleRun);
        try
        {
            CertificateTemplate template = new CertificateDecoder(new GoDecoder(problems)).Read(new GoNode(GoJson.Parse(data, strict: false), "Cert", Outer, "Cert"), CertificateTemplate.Empty);
            byte[] name = [0x30, 0x00], key = [0x30, 0x05, .. name, 0x03, 0x01, 0x00];
            if (problems.Count == 0)
                AsnDecoder.ReadSequence(new CertificateDraft(template.WithDefaults(), name, name, key, name, default, default).Encode(out _), AsnEncodingRules.DER, out _, out _, out _);
        }
        catch (Exception error) when (error is GoJsonException or ProtocolException)
        {
            // The documented refusals.
        }
    }

    // Go tells an absent list from an empty one.
    private ImmutableArray<T>? Optional<T>(GoNode node, ImmutableArray<T>? before, string goType, Func<GoNode, T> read) =>
        node.Value.Kind == GoKind.Null ? null
        : node.Value.Kind == GoKind.Array ? go.List(node, [], goType, read)
        : Kept(node, before, goType);

    private ImmutableArray<T>? Kept<T>(GoNode node, ImmutableArray<T>? before, string goType)
    {
        go.WrongType(node, goType);
        return before;
    }
}
