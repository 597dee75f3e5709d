using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>A maker's private key: who holds it can put content under the maker's name.</summary>
public abstract class MakerKey : IDisposable
{
    private const string PemLabel = "PRIVATE KEY";

    private protected MakerKey()
    {
    }

    /// <summary>The key by which others verify.</summary>
    public abstract MakerPublicKey Public { get; }

    /// <summary>Whether this machine can sign and verify with an algorithm.</summary>
    public static bool IsSupported(SignatureAlgorithm algorithm) =>
        algorithm == SignatureAlgorithm.EcdsaP256 || (algorithm == SignatureAlgorithm.Ed25519 && LibCryptoLibrary.IsAvailable);

    /// <summary>A new key from the system's random generator.</summary>
    /// <exception cref="PlatformNotSupportedException">Ed25519 where libcrypto 3 is absent; the text says what to install.</exception>
    public static MakerKey Generate(SignatureAlgorithm algorithm) => algorithm switch
    {
        SignatureAlgorithm.Ed25519 => new Ed25519MakerKey(Ed25519Key.Generate()),
        SignatureAlgorithm.EcdsaP256 => EcdsaP256MakerKey.Generate(),
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "Not a signature algorithm."),
    };

    /// <summary>Reads one unencrypted PKCS#8 block "PRIVATE KEY" with an Ed25519 or a P-256 key.</summary>
    /// <exception cref="SealingException"><see cref="SealingError.InvalidPrivateKey"/>: no such block, or not such a key.</exception>
    /// <exception cref="PlatformNotSupportedException">Ed25519 where libcrypto 3 is absent.</exception>
    public static MakerKey FromPem(string pem)
    {
        ArgumentNullException.ThrowIfNull(pem);
        if (!PemBlock.TryRead(pem, PemLabel, out byte[]? der))
            throw new SealingException(SealingError.InvalidPrivateKey, "This text is not one PEM block \"PRIVATE KEY\" (PKCS#8, unencrypted). Convert an older form with: openssl pkcs8 -topk8 -nocrypt");
        try
        {
            return Ed25519Key.IsPkcs8(der) ? new Ed25519MakerKey(Ed25519Key.ImportPkcs8(der)) : EcdsaP256MakerKey.ImportPkcs8(der);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(der);
        }
    }

    /// <summary>The key as a PKCS#8 PEM block: a secret in clear, which the caller keeps where only its owner reads.</summary>
    public string ToPem()
    {
        using SecretBytes der = ExportPkcs8();
        return PemEncoding.WriteString(PemLabel, der.Span) + "\n";
    }

    /// <summary>Signs a message; 64 bytes.</summary>
    public abstract byte[] Sign(ReadOnlySpan<byte> message);

    /// <summary>Wipes the key.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>The algorithm and the public fingerprint, never the key.</summary>
    public override string ToString() => $"MakerKey({Public})";

    private protected abstract void Dispose(bool disposing);

    private protected abstract SecretBytes ExportPkcs8();

    /// <summary>Fuzz target: any text is refused as documented or is a key that signs.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        try
        {
            using MakerKey key = FromPem(System.Text.Encoding.Latin1.GetString(data));
            if (!key.Public.Verify(data, key.Sign(data)))
                throw new InvalidOperationException("A key was accepted that cannot sign.");
        }
        catch (SealingException refused) when (refused.Error == SealingError.InvalidPrivateKey)
        {
        }
    }
}
