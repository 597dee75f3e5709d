using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Protocol.Tokens;

namespace Cloister.Protocol.Manifest;

/// <summary>Checks callers, quotas and token issuers against each other and against the manifest's models.</summary>
internal static class CallerChecks
{
    private const int MostSkew = 300, MostClaims = 16, MostText = 1_024;

    public static void Check(ManifestDocument manifest, ManifestProblems problems)
    {
        CheckIssuers(manifest, problems);
        var credentials = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, ManifestCaller caller) in manifest.Callers)
        {
            string at = $"Callers.{name}";
            CheckCredential(manifest, name, caller, credentials, problems);
            if (caller.Models.IsEmpty && caller.Administers.IsEmpty) problems.Add(ManifestProblemCode.CallerModelWrong, $"{at}.Models", "names no model");
            CloisterMembers.CheckNames(manifest, caller.Models, $"{at}.Models", ManifestProblemCode.CallerModelWrong, problems);
            if (caller.Quota is { } quota) CheckQuota(quota, $"{at}.Quota", caller.Models, "the caller's models", problems);
            if (caller.Administers.Distinct(StringComparer.Ordinal).Count() != caller.Administers.Length || caller.Administers.Any(what => what != ManifestAdministration.Models))
                problems.Add(ManifestProblemCode.CallerAdministersWrong, $"{at}.Administers", $"knows '{ManifestAdministration.Models}', once");
        }
        if (manifest.AnonymousQuota is { } anonymous) CheckQuota(anonymous, "AnonymousQuota", manifest.AnonymousModels, "AnonymousModels", problems);
    }

    private static void CheckCredential(ManifestDocument manifest, string name, ManifestCaller caller, Dictionary<string, string> credentials, ManifestProblems problems)
    {
        string at = $"Callers.{name}";
        bool[] given = [!caller.CertificateDer.IsEmpty, !caller.TokenSha256.IsEmpty, caller.Token is not null, caller.CertificateFrom is not null];
        if (given.Count(set => set) != 1)
        {
            problems.Add(ManifestProblemCode.CallerCredentialWrong, at, "a caller has exactly one of Certificate, TokenSha256, Token and CertificateFrom");
            return;
        }
        if (caller.Token is { } token) CheckToken(manifest, token, $"{at}.Token", problems);
        if (caller.CertificateFrom is { } from) CheckCertificate(from, $"{at}.CertificateFrom", problems);
        string credential = CallerText.Credential(caller);
        if (!credentials.TryAdd(credential, name))
            problems.Add(ManifestProblemCode.CallerCredentialRepeated, at, $"has the same credential as caller '{credentials[credential]}'");
    }

    private static void CheckToken(ManifestDocument manifest, ManifestTokenRule rule, string at, ManifestProblems problems)
    {
        if (!manifest.TokenIssuers.ContainsKey(rule.Issuer))
            problems.Add(ManifestProblemCode.CallerTokenWrong, $"{at}.Issuer", $"names the issuer '{rule.Issuer}', which is not in TokenIssuers");
        if (rule.Any == !rule.Claims.IsEmpty)
            problems.Add(ManifestProblemCode.CallerTokenWrong, $"{at}.Claims", "names the claims that a token must have, or says 'Any': true for every token of the issuer");
        if (rule.Claims.Count > MostClaims)
            problems.Add(ManifestProblemCode.CallerTokenWrong, $"{at}.Claims", $"names more than {MostClaims} claims");
        foreach ((string claim, ImmutableArray<string> values) in rule.Claims)
            if (claim.Length == 0 || values.IsEmpty || values.Any(value => value.Length is 0 or > MostText))
                problems.Add(ManifestProblemCode.CallerTokenWrong, $"{at}.Claims.{claim}", $"is a text or a list of texts, each of 1 to {MostText} characters");
    }

    private static void CheckCertificate(ManifestCertificateRule rule, string at, ManifestProblems problems)
    {
        if (!ManifestCertificates.IsAuthority(rule.AuthorityDer.Span))
            problems.Add(ManifestProblemCode.CallerCertificateRuleWrong, $"{at}.Authority", "is the issuing authority's certificate, PEM, with the basic constraint CA");
        if (rule is { CommonName: "", Dns: "", Uri: "", Email: "" })
            problems.Add(ManifestProblemCode.CallerCertificateRuleWrong, at, "names at least one of CommonName, Dns, Uri and Email; \"CommonName\": \"*\" is every certificate with a common name");
        CheckPattern(rule.CommonName, rule.CommonName == "*" ? "*" : "", "", "CommonName");
        CheckPattern(rule.Dns, "*.", "", "Dns");
        CheckPattern(rule.Email, "*@", "", "Email");
        CheckPattern(rule.Uri, "", "*", "Uri");

        void CheckPattern(string pattern, string head, string tail, string member)
        {
            string fixedPart = pattern;
            if (head.Length > 0 && fixedPart.StartsWith(head, StringComparison.Ordinal)) fixedPart = fixedPart[head.Length..];
            if (tail.Length > 0 && fixedPart.EndsWith(tail, StringComparison.Ordinal)) fixedPart = fixedPart[..^tail.Length];
            if (pattern.Length > MostText || fixedPart.Contains('*', StringComparison.Ordinal) || (pattern.Length > 0 && fixedPart.Length == 0 && member != "CommonName"))
                problems.Add(ManifestProblemCode.CallerCertificateRuleWrong, $"{at}.{member}", "has a '*' where it stands for nothing: CommonName is exact or '*', Dns begins with '*.', Email with '*@', Uri ends with '*'");
        }
    }

    private static void CheckQuota(ManifestQuota quota, string at, ImmutableArray<string> models, string whose, ManifestProblems problems)
    {
        if (Limits(quota.Limits) == 0 && quota.Models.IsEmpty)
            problems.Add(ManifestProblemCode.QuotaWrong, at, "limits nothing: name Requests, Concurrent, Bytes, Elements or Rows");
        CheckLimits(quota.Limits, at, problems);
        foreach ((string model, ManifestLimits limits) in quota.Models)
        {
            if (!models.Contains(model)) problems.Add(ManifestProblemCode.QuotaWrong, $"{at}.Models.{model}", $"is not one of {whose}");
            CheckLimits(limits, $"{at}.Models.{model}", problems);
        }
    }

    private static void CheckLimits(ManifestLimits limits, string at, ManifestProblems problems)
    {
        if (limits.Seconds == 0) problems.Add(ManifestProblemCode.QuotaWrong, $"{at}.Seconds", "is the length of an interval, 1 or more");
        if (limits.Burst > 0 && limits.Requests == 0) problems.Add(ManifestProblemCode.QuotaWrong, $"{at}.Burst", "needs Requests: the rate at which requests come back");
    }

    private static ulong Limits(ManifestLimits limits) => limits.Requests | limits.Concurrent | limits.Bytes | limits.Elements | limits.Rows;

    private static void CheckIssuers(ManifestDocument manifest, ManifestProblems problems)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, ManifestTokenIssuer issuer) in manifest.TokenIssuers)
        {
            string at = $"TokenIssuers.{name}";
            if (issuer.Issuer.Length is 0 or > MostText) problems.Add(ManifestProblemCode.TokenIssuerWrong, $"{at}.Issuer", "is the text of the claim iss");
            else if (!names.TryAdd(issuer.Issuer, name)) problems.Add(ManifestProblemCode.TokenIssuerWrong, $"{at}.Issuer", $"is also that of '{names[issuer.Issuer]}'");
            if (issuer.Audiences.IsEmpty || issuer.Audiences.Any(audience => audience.Length is 0 or > MostText))
                problems.Add(ManifestProblemCode.TokenIssuerWrong, $"{at}.Audience", "is what tokens for this deployment are issued for, a text or a list of texts");
            if (issuer.ClockSkewSeconds > MostSkew) problems.Add(ManifestProblemCode.TokenIssuerWrong, $"{at}.ClockSkewSeconds", $"is at most {MostSkew}");
            if (issuer.MaxLifetimeSeconds == 0) problems.Add(ManifestProblemCode.TokenIssuerWrong, $"{at}.MaxLifetimeSeconds", "is 1 or more");
            foreach (string algorithm in issuer.Algorithms)
                if (!TokenAlgorithms.All.Contains(algorithm)) problems.Add(ManifestProblemCode.TokenIssuerWrong, $"{at}.Algorithms", $"'{algorithm}' is none of {string.Join(", ", TokenAlgorithms.All)}");
            CheckKeys(issuer, at, problems);
            if (!manifest.Callers.Values.Any(caller => caller.Token?.Issuer == name))
                problems.Warn(ManifestProblemCode.TokenIssuerUnused, at, "no caller names this issuer, so its tokens open nothing");
        }
    }

    private static void CheckKeys(ManifestTokenIssuer issuer, string at, ManifestProblems problems)
    {
        if (issuer.Keys.IsEmpty && issuer.KeysAddress.Length == 0)
            problems.Add(ManifestProblemCode.TokenIssuerKeysWrong, at, "has no keys: give Keys, a JWK set, or KeysAddress and KeysRoot");
        if (!issuer.Keys.IsEmpty && !JsonWebKeySet.TryRead(issuer.Keys.Span, out _, out string reason))
            problems.Add(ManifestProblemCode.TokenIssuerKeysWrong, $"{at}.Keys", reason);
        if (issuer.KeysAddress.Length > 0 != !issuer.KeysRootDer.IsEmpty)
            problems.Add(ManifestProblemCode.TokenIssuerKeysWrong, $"{at}.KeysRoot", "KeysAddress and KeysRoot, the root of that address's TLS certificate, belong together");
        if (issuer.KeysAddress.Length > 0 && !IsAddress(issuer.KeysAddress))
            problems.Add(ManifestProblemCode.TokenIssuerKeysWrong, $"{at}.KeysAddress", "is not an https address without a user and a fragment");
        if (issuer.RefreshSeconds < 10) problems.Add(ManifestProblemCode.TokenIssuerKeysWrong, $"{at}.RefreshSeconds", "is 10 or more");
        if (issuer.StaleSeconds < issuer.RefreshSeconds) problems.Add(ManifestProblemCode.TokenIssuerKeysWrong, $"{at}.StaleSeconds", "is not less than RefreshSeconds");
    }

    private static bool IsAddress(string text) =>
        text.Length <= MostText && Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Scheme == Uri.UriSchemeHttps && address.UserInfo.Length == 0 && address.Fragment.Length == 0;
}

/// <summary>Credentials as text, for comparing them.</summary>
public static class CallerText
{
    /// <summary>Two callers of one manifest with the same text are the same people.</summary>
    public static string Credential(ManifestCaller caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        if (caller.Token is { } token)
            return $"token of {Quote(token.Issuer)} {(token.Any ? "any" : string.Join(' ', token.Claims.Select(claim => $"{Quote(claim.Key)}={string.Join(',', claim.Value.Order(StringComparer.Ordinal).Select(Quote))}")))}";
        if (caller.CertificateFrom is { } from)
            return $"certificate of {Hash(from.AuthorityDer)} {Quote(from.CommonName)} {Quote(from.Dns)} {Quote(from.Uri)} {Quote(from.Email)}";
        return caller.CertificateDer.IsEmpty ? "token " + Convert.ToHexString(caller.TokenSha256.Span) : "certificate " + Hash(caller.CertificateDer);
    }

    /// <summary>All of an issuer that decides whose tokens are taken.</summary>
    public static string Issuer(ManifestTokenIssuer issuer)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        return $"issuer {Quote(issuer.Issuer)} for {string.Join(',', issuer.Audiences.Order(StringComparer.Ordinal).Select(Quote))} keys {Hash(issuer.Keys)} at {Quote(issuer.KeysAddress)} root {Hash(issuer.KeysRootDer)}"
            + $" by {string.Join(',', issuer.Algorithms.Order(StringComparer.Ordinal))} within {issuer.ClockSkewSeconds} {issuer.MaxLifetimeSeconds} {issuer.StaleSeconds}";
    }

    private static string Hash(ReadOnlyMemory<byte> bytes) => bytes.IsEmpty ? "none" : Convert.ToHexString(SHA256.HashData(bytes.Span));

    // The length makes two texts that were joined differently different.
    private static string Quote(string text) => $"{Encoding.UTF8.GetByteCount(text)}:{text}";
}
