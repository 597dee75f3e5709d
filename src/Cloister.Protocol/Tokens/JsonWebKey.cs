namespace Cloister.Protocol.Tokens;

/// <summary>Types of keys that verify tokens.</summary>
public enum JsonWebKeyKind
{
    /// <summary>RSA of 2048 to 8192 bits.</summary>
    Rsa = 1,
    /// <summary>ECDSA on P-256.</summary>
    P256 = 2,
    /// <summary>ECDSA on P-384.</summary>
    P384 = 3,
    /// <summary>ECDSA on P-521.</summary>
    P521 = 4,
    /// <summary>Ed25519 (RFC 8037).</summary>
    Ed25519 = 5,
}

/// <summary>A public key of a JWK set, checked for its shape; whether a point lies on its curve is told when it is imported.</summary>
/// <param name="Kind">Its type.</param>
/// <param name="KeyId">Its <c>kid</c>; null where it has none.</param>
/// <param name="Algorithm">The only algorithm it is for; null: any that fits its type.</param>
/// <param name="First">RSA: the modulus, big-endian without leading zeros; elliptic curves: x; Ed25519: the key.</param>
/// <param name="Second">RSA: the exponent; elliptic curves: y; Ed25519: empty.</param>
public sealed record JsonWebKey(JsonWebKeyKind Kind, string? KeyId, string? Algorithm, ReadOnlyMemory<byte> First, ReadOnlyMemory<byte> Second);
