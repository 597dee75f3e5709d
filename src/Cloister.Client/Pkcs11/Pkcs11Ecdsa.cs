using System.Security.Cryptography;

namespace Cloister.Client.Pkcs11;

/// <summary>A private elliptic curve key inside a token.</summary>
internal sealed class Pkcs11Ecdsa : ECDsa
{
    private readonly Pkcs11Token _token;
    private readonly ulong _key;
    private readonly ECDsa _public;

    public Pkcs11Ecdsa(Pkcs11Token token, ulong key, ECParameters half)
    {
        (_token, _key, _public) = (token, key, Create(half));
        KeySizeValue = _public.KeySize;
        LegalKeySizesValue = [new KeySizes(KeySizeValue, KeySizeValue, 0)];
    }

    /// <summary>Signs; r and s, each as long as the curve's order.</summary>
    public override byte[] SignHash(byte[] hash)
    {
        ArgumentNullException.ThrowIfNull(hash);
        int order = (KeySize + 7) / 8;
        // ECDSA takes the leftmost bits; not every token shortens a longer hash itself.
        byte[] signature = _token.Sign(_key, Cryptoki.CKM_ECDSA, [], hash.AsSpan(0, Math.Min(hash.Length, order)), 2 * order);
        return signature.Length == 2 * order ? signature : throw new Pkcs11Exception(Pkcs11Error.OperationRefused, $"The token gave a signature of {signature.Length} bytes where {2 * order} were expected.");
    }

    public override bool VerifyHash(byte[] hash, byte[] signature) => _public.VerifyHash(hash, signature);

    public override ECParameters ExportParameters(bool includePrivateParameters) => includePrivateParameters
        ? throw new CryptographicException("A token's private key does not leave it.")
        : _public.ExportParameters(false);

    public override ECParameters ExportExplicitParameters(bool includePrivateParameters) => includePrivateParameters
        ? throw new CryptographicException("A token's private key does not leave it.")
        : _public.ExportExplicitParameters(false);

    public override void ImportParameters(ECParameters parameters) => throw new NotSupportedException("A token's key cannot be replaced.");

    public override void GenerateKey(ECCurve curve) => throw new NotSupportedException("Make keys with the token's own tool.");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _public.Dispose();
        base.Dispose(disposing);
    }
}
