using System.Collections.Immutable;
using Cloister.Protocol.Tokens;

namespace Cloister.Serving.Callers.Tokens;

/// <summary>The keys of an issuer at one time. A ring is never changed: what was verified under it is believed while it is the current one.</summary>
internal sealed class KeyRing(ImmutableArray<VerificationKey> keys)
{
    // Without a key id every key that fits is tried, which costs.
    private const int MaxTries = 8;

    public bool IsEmpty => keys.IsEmpty;

    /// <summary>The keys of a set that this machine can use.</summary>
    public static ImmutableArray<VerificationKey> Usable(JsonWebKeySet set)
    {
        var usable = ImmutableArray.CreateBuilder<VerificationKey>();
        foreach (JsonWebKey key in set.Keys)
            if (VerificationKey.TryCreate(key, out VerificationKey? verifies)) usable.Add(verifies);
        return usable.ToImmutable();
    }

    /// <summary>The keys that a token may be signed by: those of its key id (and those without one), of the type that its algorithm takes.</summary>
    public IEnumerable<VerificationKey> For(JsonWebToken token) =>
        keys.Where(key => (key.KeyId is null || token.KeyId is null || key.KeyId == token.KeyId) && key.Fits(token.Algorithm)).Take(MaxTries);
}
