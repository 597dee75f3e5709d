using System.Security.Cryptography;
using System.Text;
using Cloister.Protocol.Tokens;
using Cloister.Serving.Callers.Certificates;
using Cloister.Serving.Callers.Quotas;
using Cloister.Serving.Callers.Tokens;
using Cloister.Workload;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Cloister.Serving.Callers;

/// <summary>All rights of one manifest. Never changed: another manifest brings another book.</summary>
internal sealed class CallerBook : IDisposable
{
    private static readonly Caller[] s_nobody = [];

    private readonly List<(byte[] Sha256, Caller[] Caller)> _tokens = [];
    private readonly List<TokenRule> _rules = [];
    private readonly List<Caller> _callers = [];
    private readonly CertificateCallers _certificates = new();
    private readonly VerifiedTokens _verified = new();
    private readonly HashSet<string> _anonymous;
    private readonly Dictionary<string, IReadOnlyDictionary<string, QuotaMeter>> _meters = new(StringComparer.Ordinal);
    private readonly IReadOnlyDictionary<string, QuotaMeter> _anonymousMeters;

    /// <exception cref="ArgumentException">A caller does not have exactly one credential, or one that is none.</exception>
    public CallerBook(CallerRights rights, IReadOnlyList<TokenIssuer> issuers, QuotaBook quotas)
    {
        Issuers = issuers;
        _anonymous = new HashSet<string>(rights.AnonymousModels, StringComparer.Ordinal);
        foreach (CallerGrant grant in rights.Callers)
        {
            var caller = new Caller(grant);
            _callers.Add(caller);
            Add(grant, caller);
            if (grant.Limits.Count > 0) _meters[grant.Name] = quotas.Of(grant.Name, grant.Limits);
        }
        _anonymousMeters = quotas.Of(null, rights.AnonymousLimits);
    }

    public IReadOnlyList<TokenIssuer> Issuers { get; }

    public bool IsOpen(string model) => _anonymous.Contains(model);

    /// <summary>Whether any model is open to anybody.</summary>
    public bool HasOpen => _anonymous.Count > 0;

    /// <summary>Who may use the model without a limit of rows; null is everybody.</summary>
    public IEnumerable<Caller?> WithoutRowLimit(string model) =>
        _callers.Where(caller => caller.MayUse(model)).Concat(IsOpen(model) ? [null] : Array.Empty<Caller?>()).Where(caller => Meter(caller, model) is not { LimitsRows: true });

    /// <summary>The budget of a request; null where it has none.</summary>
    public QuotaMeter? Meter(Caller? caller, string model)
    {
        IReadOnlyDictionary<string, QuotaMeter>? meters = caller is null ? _anonymousMeters : _meters.GetValueOrDefault(caller.Name);
        return meters is null ? null : meters.GetValueOrDefault(model) ?? meters.GetValueOrDefault("");
    }

    /// <summary>Everybody whom the request's credential names; nobody where it has none. A token that is sent must be right; a browser may send any certificate it has.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.CredentialRefused"/> or <see cref="ServingError.KeysUnavailable"/>.</exception>
    public Caller[] Recognise(HttpContext http, DateTimeOffset now)
    {
        var authorization = http.Request.Headers[HeaderNames.Authorization];
        if (authorization.Count > 1) throw CallerRefusals.Credential("more than one Authorization header was sent");
        if (authorization.Count == 1) return RecogniseToken(authorization[0]!, now);
        return !_certificates.IsEmpty && http.Connection.ClientCertificate is { } certificate ? _certificates.Recognise(certificate, now) : s_nobody;
    }

    private void Add(CallerGrant grant, Caller caller)
    {
        bool[] given = [!grant.Certificate.IsEmpty, !grant.TokenSha256.IsEmpty, grant.Token is not null, grant.CertificateFrom is not null];
        if (given.Count(set => set) != 1 || (!grant.TokenSha256.IsEmpty && grant.TokenSha256.Length != SHA256.HashSizeInBytes))
            throw new ArgumentException($"Caller '{grant.Name}' needs exactly one of a certificate, the SHA-256 of a token, the claims of a token, and the names in an authority's certificate.", nameof(grant));
        if (grant.Token is { } token) _rules.Add(Issuers.Any(issuer => issuer.Name == token.Issuer)
            ? new TokenRule(token, caller)
            : throw new ArgumentException($"Caller '{grant.Name}' names the token issuer '{token.Issuer}', which is not there.", nameof(grant)));
        else if (grant.CertificateFrom is { } from) _certificates.Add(from, caller);
        else if (grant.TokenSha256.IsEmpty) _certificates.Add(grant.Certificate, caller);
        else _tokens.Add((grant.TokenSha256.ToArray(), [caller]));
    }

    private Caller[] RecogniseToken(string header, DateTimeOffset now)
    {
        const string scheme = "Bearer ";
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) throw CallerRefusals.Credential("the Authorization header must be 'Bearer' and a token");
        ReadOnlySpan<char> token = header.AsSpan(scheme.Length).Trim();
        if (token.Length is 0 or > JsonWebToken.MaxLength) throw CallerRefusals.Token("is empty or too long");
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        Digest(token, digest);
        Caller[]? found = null;
        // Every entry is compared, so that time says nothing about which one fits.
        foreach ((byte[] sha256, Caller[] caller) in _tokens)
            if (CryptographicOperations.FixedTimeEquals(sha256, digest)) found = caller;
        if (found is not null) return found;
        if (Issuers.Count == 0) throw CallerRefusals.Token("is not one that the manifest names");
        TokenDigest known = TokenDigest.Of(digest);
        return _verified.Find(known, now) is { } verified ? verified.Callers : Verify(token, known, now);
    }

    private static void Digest(ReadOnlySpan<char> token, Span<byte> digest)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(token)];
        Encoding.UTF8.GetBytes(token, bytes);
        SHA256.HashData(bytes, digest);
        CryptographicOperations.ZeroMemory(bytes);
    }

    private Caller[] Verify(ReadOnlySpan<char> text, TokenDigest digest, DateTimeOffset now)
    {
        if (!JsonWebToken.TryRead(text, out JsonWebToken? token, out string reason)) throw CallerRefusals.Token($"{reason}, and not one that the manifest names");
        TokenIssuer issuer = Issuers.FirstOrDefault(issuer => issuer.Issued(token)) ?? throw CallerRefusals.Token("is of an issuer that the manifest does not name");
        KeyRing ring = issuer.Verify(token, now);
        Caller[] callers = [.. _rules.Where(rule => rule.Issuer == issuer.Name && rule.Fits(token)).Select(rule => rule.Caller)];
        if (callers.Length == 0) throw CallerRefusals.Token("is good, but no caller of the manifest has its claims");
        _verified.Add(digest, new VerifiedToken(callers, issuer, ring, issuer.GoodUntil(token)), now);
        return callers;
    }

    public void Dispose() => _certificates.Dispose();
}
