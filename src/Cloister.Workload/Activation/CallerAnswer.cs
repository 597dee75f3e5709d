using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Tokens;
using Google.Protobuf.Collections;

namespace Cloister.Workload;

/// <summary>Checks and takes over who may call, as an answer brings it.</summary>
internal static class CallerAnswer
{
    // A manifest has 200,000 values at most.
    private const int MaxEntries = 4096, MaxValues = 200_000, MaxText = 1024, MaxClaims = 16, MaxSerial = 21, Sha256Bytes = 32;
    private const ulong MaxLimit = 1UL << 50;
    private const uint MaxSeconds = 31_622_400, MaxSkew = 300;

    /// <summary>What is wrong with an answer's callers; null if nothing is.</summary>
    public static string? Wrong(ActivationResp answer)
    {
        if (answer.TokenIssuers.Count > MaxEntries || answer.Callers.Sum(caller => 1L + caller.Limits.Count + caller.Administers.Count + (caller.CertificateFrom?.Revoked.Count ?? 0)) > MaxValues)
            return $"it brings more than {MaxEntries} token issuers, or too much about callers";
        if (answer.TokenIssuers.DistinctBy(issuer => issuer.Name).Count() != answer.TokenIssuers.Count || answer.TokenIssuers.DistinctBy(issuer => issuer.Issuer).Count() != answer.TokenIssuers.Count)
            return "it brings a token issuer twice";
        return answer.TokenIssuers.Select(WrongIssuer).FirstOrDefault(wrong => wrong is not null)
            ?? answer.Callers.Select(caller => WrongCaller(caller, answer)).FirstOrDefault(wrong => wrong is not null)
            ?? WrongLimits(answer.AnonymousLimits, "callers without a name");
    }

    /// <summary>The callers of an answer that nothing is wrong with.</summary>
    public static CallerRights Read(ActivationResp answer) => new([.. answer.Callers.Select(Caller)], [.. answer.AnonymousModels])
    {
        TokenIssuers = [.. answer.TokenIssuers.Select(Issuer)],
        AnonymousLimits = [.. answer.AnonymousLimits.Select(Limits)],
    };

    private static string? WrongCaller(Protocol.Marble.CallerGrant caller, ActivationResp answer)
    {
        bool[] given = [!caller.Certificate.IsEmpty, !caller.TokenSha256.IsEmpty, caller.Token is not null, caller.CertificateFrom is not null];
        if (given.Count(set => set) != 1 || (!caller.TokenSha256.IsEmpty && caller.TokenSha256.Length != Sha256Bytes))
            return $"caller '{caller.Name}' does not have exactly one credential";
        if (caller.Token is { } token)
        {
            if (answer.TokenIssuers.All(issuer => issuer.Name != token.Issuer)) return $"caller '{caller.Name}' names a token issuer that is not there";
            if (token.Any == token.Claims.Count > 0 || token.Claims.Count > MaxClaims || token.Claims.DistinctBy(claim => claim.Name).Count() != token.Claims.Count
                || token.Claims.Any(claim => claim.Name.Length == 0 || claim.Values.Count is 0 or > MaxEntries || claim.Values.Any(value => value.Length is 0 or > MaxText)))
                return $"the claims of caller '{caller.Name}' are none";
        }
        if (caller.CertificateFrom is { } from
            && (!IsCertificate(from.Authority.Span, authority: true) || (from.CommonName.Length | from.Dns.Length | from.Uri.Length | from.Email.Length) == 0 || from.Revoked.Any(serial => serial.Length > MaxSerial)))
            return $"the certificate rule of caller '{caller.Name}' is none";
        if (caller.Administers.Any(what => what is null or { Length: 0 or > MaxText })) return $"caller '{caller.Name}' administers what has no name";
        return WrongLimits(caller.Limits, $"caller '{caller.Name}'");
    }

    private static string? WrongLimits(RepeatedField<Protocol.Marble.LimitsGrant> limits, string whose) =>
        limits.DistinctBy(limit => limit.Model).Count() != limits.Count
        || limits.Any(limit => limit.Seconds is 0 or > MaxSeconds || limit.Requests > MaxLimit || limit.Burst > MaxLimit || limit.Bytes > MaxLimit || limit.Elements > MaxLimit || limit.Rows > MaxLimit || limit.Concurrent > int.MaxValue)
            ? $"the limits of {whose} are none"
            : null;

    private static string? WrongIssuer(Protocol.Marble.TokenIssuerGrant issuer)
    {
        bool fetched = issuer.KeysAddress.Length > 0;
        if (issuer.Name.Length == 0 || issuer.Issuer.Length is 0 or > MaxText || issuer.Audiences.Count is 0 or > MaxEntries || issuer.Audiences.Any(audience => audience.Length == 0))
            return "it brings a token issuer without a name or audience";
        if ((issuer.Keys.IsEmpty && !fetched) || (!issuer.Keys.IsEmpty && !JsonWebKeySet.TryRead(issuer.Keys.Span, out _, out _)))
            return $"token issuer '{issuer.Name}' has no keys";
        if (fetched && (!Uri.TryCreate(issuer.KeysAddress, UriKind.Absolute, out Uri? address) || address.Scheme != Uri.UriSchemeHttps || !IsCertificate(issuer.KeysRoot.Span)))
            return $"the keys of token issuer '{issuer.Name}' have no https address with a root";
        if (issuer.Algorithms.Any(algorithm => !TokenAlgorithms.All.Contains(algorithm)))
            return $"token issuer '{issuer.Name}' has an algorithm that is not taken";
        return issuer.ClockSkewSeconds > MaxSkew || issuer.MaxLifetimeSeconds is 0 or > MaxSeconds || issuer.RefreshSeconds is 0 or > MaxSeconds || issuer.StaleSeconds is 0 or > MaxSeconds
            ? $"the times of token issuer '{issuer.Name}' are none"
            : null;
    }

    private static bool IsCertificate(ReadOnlySpan<byte> der, bool authority = false)
    {
        try
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);
            return certificate.RawDataMemory.Length == der.Length
                && (!authority || certificate.Extensions.OfType<X509BasicConstraintsExtension>().ToArray() is [{ CertificateAuthority: true }]);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static CallerGrant Caller(Protocol.Marble.CallerGrant caller) => new(caller.Name, caller.Certificate.ToByteArray(), caller.TokenSha256.ToByteArray(), [.. caller.Models])
    {
        Token = caller.Token is { } token
            ? new TokenRuleGrant(token.Issuer, token.Claims.ToDictionary(claim => claim.Name, IReadOnlyList<string> (claim) => [.. claim.Values], StringComparer.Ordinal))
            : null,
        CertificateFrom = caller.CertificateFrom is { } from
            ? new CertificateRuleGrant(from.Authority.ToByteArray())
            {
                CommonName = from.CommonName,
                Dns = from.Dns,
                Uri = from.Uri,
                Email = from.Email,
                Revoked = [.. from.Revoked.Select(serial => (ReadOnlyMemory<byte>)serial.ToByteArray())],
            }
            : null,
        Limits = [.. caller.Limits.Select(Limits)],
        Administers = [.. caller.Administers],
    };

    private static LimitsGrant Limits(Protocol.Marble.LimitsGrant limits) => new(limits.Model)
    {
        Requests = (long)limits.Requests,
        Interval = TimeSpan.FromSeconds(limits.Seconds),
        Burst = (long)limits.Burst,
        Concurrent = (int)limits.Concurrent,
        Bytes = (long)limits.Bytes,
        Elements = (long)limits.Elements,
        Rows = (long)limits.Rows,
    };

    private static TokenIssuerGrant Issuer(Protocol.Marble.TokenIssuerGrant issuer) => new(issuer.Name, issuer.Issuer, [.. issuer.Audiences])
    {
        Keys = issuer.Keys.ToByteArray(),
        KeysAddress = issuer.KeysAddress.Length > 0 ? new Uri(issuer.KeysAddress) : null,
        KeysRoot = issuer.KeysRoot.ToByteArray(),
        Algorithms = [.. issuer.Algorithms],
        ClockSkew = TimeSpan.FromSeconds(issuer.ClockSkewSeconds),
        MaxLifetime = TimeSpan.FromSeconds(issuer.MaxLifetimeSeconds),
        Refresh = TimeSpan.FromSeconds(issuer.RefreshSeconds),
        Stale = TimeSpan.FromSeconds(issuer.StaleSeconds),
    };
}
