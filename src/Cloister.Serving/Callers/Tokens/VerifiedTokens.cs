using System.Collections.Concurrent;

namespace Cloister.Serving.Callers.Tokens;

/// <summary>A token that was verified: whose it is, until when, and under which keys.</summary>
internal sealed record VerifiedToken(Caller[] Callers, TokenIssuer Issuer, KeyRing Ring, DateTimeOffset GoodUntil);

/// <summary>Remembers verified tokens by their digest until they end or their issuer's keys change; refused ones are never remembered, so strangers fill nothing.</summary>
internal sealed class VerifiedTokens
{
    public const int Most = 8192;

    private readonly ConcurrentDictionary<TokenDigest, VerifiedToken> _tokens = new();

    public VerifiedToken? Find(TokenDigest digest, DateTimeOffset now) =>
        _tokens.TryGetValue(digest, out VerifiedToken? token) && now < token.GoodUntil && ReferenceEquals(token.Ring, token.Issuer.Keys.Current) ? token : null;

    public void Add(TokenDigest digest, VerifiedToken token, DateTimeOffset now)
    {
        if (_tokens.Count >= Most) MakeRoom(now);
        _tokens[digest] = token;
    }

    private void MakeRoom(DateTimeOffset now)
    {
        foreach ((TokenDigest digest, VerifiedToken token) in _tokens)
            if (now >= token.GoodUntil) _tokens.TryRemove(digest, out _);
        if (_tokens.Count >= Most) _tokens.Clear();
    }
}
