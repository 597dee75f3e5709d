using System.Collections.Immutable;

namespace Cloister.Protocol.Manifest;

/// <summary>Decodes callers, their credentials and quotas, and the issuers of their tokens.</summary>
internal sealed class CallerDecoder(GoDecoder go, ManifestProblems problems, ReadOnlyMemory<byte> json)
{
    private static readonly string[] s_caller = ["Certificate", "TokenSha256", "Token", "CertificateFrom", "Models", "Quota", "Administers"];
    private static readonly string[] s_token = ["Issuer", "Claims", "Any"];
    private static readonly string[] s_certificate = ["Authority", "CommonName", "Dns", "Uri", "Email", "Revoked"];
    private static readonly string[] s_issuer =
        ["Issuer", "Audience", "Keys", "KeysAddress", "KeysRoot", "Algorithms", "ClockSkewSeconds", "MaxLifetimeSeconds", "RefreshSeconds", "StaleSeconds"];
    private static readonly string[] s_limits = ["Requests", "Seconds", "Burst", "Concurrent", "Bytes", "Elements", "Rows"];
    private static readonly string[] s_quota = [.. s_limits, "Models"];

    public ManifestCaller Caller(GoNode node)
    {
        var caller = new ManifestCaller();
        foreach ((string name, GoNode member) in go.Members(node, "Caller", s_caller))
            caller = name switch
            {
                "Certificate" => caller with { CertificateDer = Certificate(member, ManifestProblemCode.CallerCredentialWrong) },
                "TokenSha256" => caller with { TokenSha256 = Token(member) },
                "Token" => caller with { Token = TokenRule(member) },
                "CertificateFrom" => caller with { CertificateFrom = CertificateRule(member) },
                "Models" => caller with { Models = go.Strings(member, caller.Models) },
                "Quota" => caller with { Quota = Quota(member) },
                _ => caller with { Administers = go.Strings(member, caller.Administers) },
            };
        return caller;
    }

    public ManifestTokenIssuer Issuer(GoNode node)
    {
        var issuer = new ManifestTokenIssuer();
        foreach ((string name, GoNode member) in go.Members(node, "TokenIssuer", s_issuer))
            issuer = name switch
            {
                "Issuer" => issuer with { Issuer = go.String(member, issuer.Issuer) },
                "Audience" => issuer with { Audiences = Texts(member) },
                "Keys" => issuer with { Keys = json[member.Value.Range] },
                "KeysAddress" => issuer with { KeysAddress = go.String(member, issuer.KeysAddress) },
                "KeysRoot" => issuer with { KeysRootDer = Certificate(member, ManifestProblemCode.TokenIssuerKeysWrong) },
                "Algorithms" => issuer with { Algorithms = go.Strings(member, issuer.Algorithms) },
                "ClockSkewSeconds" => issuer with { ClockSkewSeconds = Seconds(member, issuer.ClockSkewSeconds) },
                "MaxLifetimeSeconds" => issuer with { MaxLifetimeSeconds = Seconds(member, issuer.MaxLifetimeSeconds) },
                "RefreshSeconds" => issuer with { RefreshSeconds = Seconds(member, issuer.RefreshSeconds) },
                _ => issuer with { StaleSeconds = Seconds(member, issuer.StaleSeconds) },
            };
        return issuer;
    }

    /// <summary>A quota; null where the manifest says null.</summary>
    public ManifestQuota? Quota(GoNode node)
    {
        if (node.Value.Kind == GoKind.Null) return null;
        var quota = new ManifestQuota();
        foreach ((string name, GoNode member) in go.Members(node, "Quota", s_quota))
            quota = name == "Models"
                ? quota with { Models = go.Map(member, quota.Models, "Limits", Limits) }
                : quota with { Limits = Limit(quota.Limits, name, member) };
        return quota;
    }

    private ManifestLimits Limits(GoNode node)
    {
        var limits = new ManifestLimits();
        foreach ((string name, GoNode member) in go.Members(node, "Limits", s_limits))
            limits = Limit(limits, name, member);
        return limits;
    }

    private ManifestLimits Limit(ManifestLimits limits, string name, GoNode member) => name switch
    {
        "Requests" => limits with { Requests = go.UInt(member, limits.Requests, ManifestLimitBounds.Most) },
        "Seconds" => limits with { Seconds = Seconds(member, limits.Seconds) },
        "Burst" => limits with { Burst = go.UInt(member, limits.Burst, ManifestLimitBounds.Most) },
        "Concurrent" => limits with { Concurrent = (uint)go.UInt(member, limits.Concurrent, int.MaxValue) },
        "Bytes" => limits with { Bytes = go.UInt(member, limits.Bytes, ManifestLimitBounds.Most) },
        "Elements" => limits with { Elements = go.UInt(member, limits.Elements, ManifestLimitBounds.Most) },
        _ => limits with { Rows = go.UInt(member, limits.Rows, ManifestLimitBounds.Most) },
    };

    private ManifestTokenRule? TokenRule(GoNode node)
    {
        if (node.Value.Kind == GoKind.Null) return null;
        var rule = new ManifestTokenRule();
        foreach ((string name, GoNode member) in go.Members(node, "Token", s_token))
            rule = name switch
            {
                "Issuer" => rule with { Issuer = go.String(member, rule.Issuer) },
                "Claims" => rule with { Claims = go.Map(member, rule.Claims, "Claim", Texts) },
                _ => rule with { Any = go.Bool(member, rule.Any) },
            };
        return rule;
    }

    private ManifestCertificateRule? CertificateRule(GoNode node)
    {
        if (node.Value.Kind == GoKind.Null) return null;
        var rule = new ManifestCertificateRule();
        foreach ((string name, GoNode member) in go.Members(node, "CertificateFrom", s_certificate))
            rule = name switch
            {
                "Authority" => rule with { AuthorityDer = Certificate(member, ManifestProblemCode.CallerCertificateRuleWrong) },
                "CommonName" => rule with { CommonName = go.String(member, rule.CommonName) },
                "Dns" => rule with { Dns = go.String(member, rule.Dns) },
                "Uri" => rule with { Uri = go.String(member, rule.Uri) },
                "Email" => rule with { Email = go.String(member, rule.Email) },
                _ => rule with { Revoked = go.List(member, rule.Revoked, "[]string", Serial) },
            };
        return rule;
    }

    // One text, or a list of them.
    private ImmutableArray<string> Texts(GoNode node) => node.Value.Kind == GoKind.String ? [node.Value.Text] : go.Strings(node, []);

    private uint Seconds(GoNode node, uint before) => (uint)go.UInt(node, before, ManifestLimitBounds.MostSeconds);

    private byte[] Certificate(GoNode node, ManifestProblemCode code)
    {
        string pem = go.String(node, "");
        byte[]? der = ManifestCertificates.FirstBlock(pem, out string label);
        if (der is not null && label == "CERTIFICATE" && ManifestCertificates.IsCertificate(der)) return der;
        problems.Add(code, node.Field, "is not a PEM certificate");
        return [];
    }

    private byte[] Token(GoNode node)
    {
        string hex = go.String(node, "");
        if (ManifestFingerprint.IsValid(hex)) return Convert.FromHexString(hex);
        problems.Add(ManifestProblemCode.CallerCredentialWrong, node.Field, "is not the token's SHA-256 as 64 lower-case hex digits");
        return [];
    }

    // As openssl x509 -serial prints it; RFC 5280 allows 20 bytes.
    private ReadOnlyMemory<byte> Serial(GoNode node)
    {
        string hex = go.String(node, "");
        if (hex.Length is > 0 and <= 42 && hex.Length % 2 == 0 && hex.All(char.IsAsciiHexDigit))
            return Convert.FromHexString(hex).AsMemory().TrimStart((byte)0);
        problems.Add(ManifestProblemCode.CallerCertificateRuleWrong, node.Field, "is not a serial number as pairs of hex digits");
        return default;
    }
}

/// <summary>The largest numbers of quotas and times: sums and products of them stay in 64 bits.</summary>
internal static class ManifestLimitBounds
{
    public const ulong Most = 1UL << 50;
    public const uint MostSeconds = 31_622_400;
}
