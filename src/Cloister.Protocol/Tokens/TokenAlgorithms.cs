using System.Collections.Immutable;

namespace Cloister.Protocol.Tokens;

/// <summary>
/// The signature algorithms that tokens may have (RFC 7518, RFC 8037): asymmetric ones alone, each for one type of key, so that a token
/// cannot choose how a key is used. There is no <c>none</c> and no HMAC.
/// </summary>
public static class TokenAlgorithms
{
    /// <summary>RSA, PKCS#1 v1.5.</summary>
    public const string Rs256 = "RS256", Rs384 = "RS384", Rs512 = "RS512";

    /// <summary>RSA, PSS with a salt of the hash's length.</summary>
    public const string Ps256 = "PS256", Ps384 = "PS384", Ps512 = "PS512";

    /// <summary>ECDSA on P-256, P-384, P-521.</summary>
    public const string Es256 = "ES256", Es384 = "ES384", Es512 = "ES512";

    /// <summary>Ed25519.</summary>
    public const string EdDsa = "EdDSA";

    /// <summary>All of them.</summary>
    public static ImmutableArray<string> All { get; } = [Rs256, Rs384, Rs512, Ps256, Ps384, Ps512, Es256, Es384, Es512, EdDsa];

    /// <summary>Whether a key of this type may be used with an algorithm.</summary>
    public static bool Fits(JsonWebKeyKind kind, string algorithm) => kind switch
    {
        JsonWebKeyKind.Rsa => algorithm is Rs256 or Rs384 or Rs512 or Ps256 or Ps384 or Ps512,
        JsonWebKeyKind.P256 => algorithm == Es256,
        JsonWebKeyKind.P384 => algorithm == Es384,
        JsonWebKeyKind.P521 => algorithm == Es512,
        JsonWebKeyKind.Ed25519 => algorithm == EdDsa,
        _ => false,
    };
}
