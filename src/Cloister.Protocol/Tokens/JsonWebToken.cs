using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Cloister.Protocol.Manifest;

namespace Cloister.Protocol.Tokens;

/// <summary>
/// A signed JWT in compact form (RFC 7515, RFC 7519), taken apart and not yet believed. A header that brings or names its own key, demands
/// extensions (<c>crit</c>), or says that it is another kind of token is refused here (RFC 8725).
/// </summary>
public sealed class JsonWebToken
{
    /// <summary>Longest token.</summary>
    public const int MaxLength = 8 << 10;

    private const int MaxKeyId = 256, MaxValues = 512;
    // The years 1970 to 9999.
    private const double MaxDate = 253_402_300_799;
    private static readonly string[] s_refused = ["crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "cty", "enc"];
    private static readonly string[] s_types = ["JWT", "at+jwt", "application/jwt", "application/at+jwt"];

    private JsonWebToken(string algorithm, string? keyId, byte[] signed, byte[] signature) =>
        (Algorithm, KeyId, SignedBytes, Signature) = (algorithm, keyId, signed, signature);

    /// <summary>The header's <c>alg</c>, one of <see cref="TokenAlgorithms"/>.</summary>
    public string Algorithm { get; }

    /// <summary>The header's <c>kid</c>.</summary>
    public string? KeyId { get; }

    /// <summary>What the signature covers: header and payload as they were sent.</summary>
    public ReadOnlyMemory<byte> SignedBytes { get; }

    /// <summary>The signature.</summary>
    public ReadOnlyMemory<byte> Signature { get; }

    /// <summary>The claim <c>iss</c>.</summary>
    public string Issuer { get; private init; } = "";

    /// <summary>The claim <c>aud</c>.</summary>
    public ImmutableArray<string> Audiences { get; private init; } = [];

    /// <summary>The claim <c>exp</c>.</summary>
    public DateTimeOffset Expires { get; private init; }

    /// <summary>The claim <c>nbf</c>.</summary>
    public DateTimeOffset? NotBefore { get; private init; }

    /// <summary>The claim <c>iat</c>.</summary>
    public DateTimeOffset? IssuedAt { get; private init; }

    /// <summary>Claims that are texts or lists of texts; <c>scope</c> and <c>scp</c> are split at spaces (RFC 8693).</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Claims { get; private init; } = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>Takes a token apart.</summary>
    /// <param name="text">The token.</param>
    /// <param name="token">What it says.</param>
    /// <param name="reason">Why it is refused: the end of a sentence that begins with "the token". It never holds what the token says.</param>
    public static bool TryRead(ReadOnlySpan<char> text, [NotNullWhen(true)] out JsonWebToken? token, out string reason)
    {
        token = null;
        reason = "is not three parts of base64url";
        if (text.Length > MaxLength)
        {
            reason = $"is longer than {MaxLength} characters";
            return false;
        }
        int first = text.IndexOf('.'), last = text.LastIndexOf('.');
        if (first <= 0 || last <= first + 1 || last == text.Length - 1 || text[(first + 1)..last].Contains('.')) return false;
        if (!Base64UrlText.TryDecode(text[..first], out byte[]? header) || !Base64UrlText.TryDecode(text[(first + 1)..last], out byte[]? payload)
            || !Base64UrlText.TryDecode(text[(last + 1)..], out byte[]? signature)) return false;
        if (!StrictJson.TryReadObject(header, out GoValue? head, out _))
        {
            reason = "has a header that is not a JSON object with each member once";
            return false;
        }
        if (!TryHeader(head, out string algorithm, out string? keyId, out reason)) return false;
        if (!StrictJson.TryReadObject(payload, out GoValue? claims, out _))
        {
            reason = "has claims that are not a JSON object with each member once";
            return false;
        }
        return TryClaims(claims, new JsonWebToken(algorithm, keyId, Encoding.ASCII.GetBytes(text[..last].ToString()), signature), out token, out reason);
    }

    private static bool TryHeader(GoValue header, out string algorithm, out string? keyId, out string reason)
    {
        (algorithm, keyId, reason) = ("", null, "");
        if (header.Members.FirstOrDefault(member => s_refused.Contains(member.Key)).Key is { } refused)
            reason = $"has '{refused}' in its header: keys come from the manifest alone, and extensions are not taken";
        else if (!header.TryText("alg", out string? name) || name is null || !TokenAlgorithms.All.Contains(name))
            reason = "is not signed by an algorithm that is taken here";
        else if (!header.TryText("typ", out string? type) || (type is not null && !s_types.Contains(type, StringComparer.OrdinalIgnoreCase)))
            reason = "says that it is another kind of token";
        else if (!header.TryText("kid", out keyId) || keyId?.Length > MaxKeyId)
            reason = "has a key id that is not a short text";
        else
            algorithm = name;
        return reason.Length == 0;
    }

    private static bool TryClaims(GoValue claims, JsonWebToken bare, [NotNullWhen(true)] out JsonWebToken? token, out string reason)
    {
        token = null;
        reason = "";
        var texts = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<string>>(StringComparer.Ordinal);
        int values = 0;
        foreach ((string name, GoValue value) in claims.Members)
        {
            ImmutableArray<string> all = Texts(name, value);
            if ((values += all.Length) > MaxValues)
            {
                reason = $"has more than {MaxValues} values";
                return false;
            }
            if (!all.IsEmpty) texts[name] = all;
        }
        if (claims.Find("iss") is not { Kind: GoKind.String } issuer) reason = "does not say who issued it";
        else if (!texts.ContainsKey("aud")) reason = "does not say whom it is for";
        else if (claims.Find("sub") is { Kind: not GoKind.String }) reason = "has a subject that is not a text";
        else if (!TryDate(claims, "exp", out DateTimeOffset? expires) || expires is null) reason = "does not say when it ends";
        else if (!TryDate(claims, "nbf", out DateTimeOffset? notBefore) || !TryDate(claims, "iat", out DateTimeOffset? issuedAt)) reason = "has times that are none";
        else
        {
            token = new JsonWebToken(bare.Algorithm, bare.KeyId, bare.SignedBytes.ToArray(), bare.Signature.ToArray())
            {
                Issuer = issuer.Text,
                Audiences = texts["aud"],
                Expires = expires.Value,
                NotBefore = notBefore,
                IssuedAt = issuedAt,
                Claims = texts.ToImmutable(),
            };
        }
        return token is not null;
    }

    private static ImmutableArray<string> Texts(string name, GoValue value) => value.Kind switch
    {
        GoKind.String when name is "scope" or "scp" => [.. value.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries)],
        GoKind.String => [value.Text],
        GoKind.Array when value.Items.All(item => item.Kind == GoKind.String) => [.. value.Items.Select(item => item.Text)],
        _ => [],
    };

    // A NumericDate may have a fraction (RFC 7519, section 2).
    private static bool TryDate(GoValue claims, string name, out DateTimeOffset? date)
    {
        date = null;
        if (claims.Find(name) is not { } value) return true;
        if (value.Kind != GoKind.Number || !double.TryParse(value.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) || !(seconds >= 0 && seconds <= MaxDate)) return false;
        date = DateTimeOffset.UnixEpoch.AddSeconds(seconds);
        return true;
    }

    /// <summary>Fuzz target: any bytes, as Latin-1 text, are a token or refused with a reason.</summary>
    public static void Fuzz(ReadOnlySpan<byte> data)
    {
        if (TryRead(Encoding.Latin1.GetString(data), out JsonWebToken? token, out string reason) ? token.Issuer is null : reason.Length == 0)
            throw new InvalidOperationException("A token was refused without a reason.");
    }
}
