using Cloister.Protocol.Tokens;
using Cloister.Workload;

namespace Cloister.Serving.Callers.Tokens;

/// <summary>Judges the tokens of one issuer (RFC 7519, RFC 8725): signature first, then for whom, from when, until when, and how long.</summary>
internal sealed class TokenIssuer(TokenIssuerGrant grant, IssuerKeys keys)
{
    public string Name => grant.Name;

    public IssuerKeys Keys => keys;

    /// <summary>Whether a token says that it is of this issuer.</summary>
    public bool Issued(JsonWebToken token) => token.Issuer == grant.Issuer;

    /// <summary>Until when a token is good: its end, with the issuer's clock skew.</summary>
    public DateTimeOffset GoodUntil(JsonWebToken token) => token.Expires < DateTimeOffset.MaxValue - grant.ClockSkew ? token.Expires + grant.ClockSkew : token.Expires;

    /// <summary>Believes a token, or refuses it.</summary>
    /// <param name="token">Of this issuer, by its own word.</param>
    /// <param name="now">The time.</param>
    /// <returns>The keys under which it is believed.</returns>
    /// <exception cref="ServingException"><see cref="ServingError.CredentialRefused"/>, or <see cref="ServingError.KeysUnavailable"/> where its key cannot be known now.</exception>
    public KeyRing Verify(JsonWebToken token, DateTimeOffset now)
    {
        if (grant.Algorithms.Count > 0 && !grant.Algorithms.Contains(token.Algorithm)) throw Refused("is signed by an algorithm that its issuer does not use");
        KeyRing ring = keys.Current;
        bool known = false;
        foreach (VerificationKey key in ring.For(token))
        {
            known = true;
            if (!key.Verify(token.Algorithm, token.SignedBytes.Span, token.Signature.Span)) continue;
            Judge(token, now);
            return ring;
        }
        if (!known && (keys.IsMissing | keys.Want()))
            throw new ServingException(ServingError.KeysUnavailable, $"The key of this token of issuer '{grant.Name}' is not at hand; the server fetches the issuer's keys. Try again soon.") { RetryAfter = TimeSpan.FromSeconds(2) };
        throw Refused(known ? "is not signed by its issuer" : "is signed by a key that its issuer does not have");
    }

    private void Judge(JsonWebToken token, DateTimeOffset now)
    {
        if (!token.Audiences.Any(audience => grant.Audiences.Contains(audience))) throw Refused("is for somebody else");
        if (now >= GoodUntil(token)) throw Refused("has expired");
        if (token.NotBefore > now + grant.ClockSkew) throw Refused("is not valid yet");
        if (token.IssuedAt > now + grant.ClockSkew) throw Refused("was issued in the future");
        if (token.Expires - (token.IssuedAt ?? now) > grant.MaxLifetime + (token.IssuedAt is null ? grant.ClockSkew : TimeSpan.Zero)) throw Refused("lives longer than the manifest takes");
    }

    private static ServingException Refused(string why) => CallerRefusals.Token(why);
}
