namespace Cloister.Sealing;

/// <summary>An Ed25519 key pair in the forms that certificates and their keys are kept in (RFC 8410).</summary>
public sealed class Ed25519KeyPair : IDisposable
{
    private readonly Ed25519Key _key;

    private Ed25519KeyPair(Ed25519Key key) => _key = key;

    /// <summary>Whether this machine has Ed25519.</summary>
    public static bool IsSupported => LibCryptoLibrary.IsAvailable;

    /// <summary>A new key pair from the system's random generator.</summary>
    /// <exception cref="PlatformNotSupportedException">libcrypto 3 is absent; the text says what to install.</exception>
    public static Ed25519KeyPair Generate() => new(Ed25519Key.Generate());

    /// <summary>Reads PKCS#8 DER without attributes, 48 bytes.</summary>
    /// <exception cref="SealingException"><see cref="SealingError.InvalidPrivateKey"/>: it is not such a key.</exception>
    /// <exception cref="PlatformNotSupportedException">libcrypto 3 is absent; the text says what to install.</exception>
    public static Ed25519KeyPair ImportPkcs8(ReadOnlySpan<byte> der) => new(Ed25519Key.ImportPkcs8(der));

    /// <summary>Whether a SubjectPublicKeyInfo is of Ed25519.</summary>
    public static bool IsSubjectPublicKeyInfo(ReadOnlySpan<byte> der) => Ed25519Key.IsSpki(der);

    /// <summary>The public key, SubjectPublicKeyInfo DER, 44 bytes.</summary>
    public byte[] ExportSubjectPublicKeyInfo() => _key.ExportSpki();

    /// <summary>The private key, PKCS#8 DER, 48 bytes; the caller disposes it.</summary>
    public SecretBytes ExportPkcs8() => _key.ExportPkcs8();

    /// <summary>Wipes the key.</summary>
    public void Dispose() => _key.Dispose();
}
