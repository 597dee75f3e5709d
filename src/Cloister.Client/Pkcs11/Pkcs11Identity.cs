using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Client.Pkcs11;

/// <summary>
/// A certificate whose private key stays in a token, for TLS client authentication: give <see cref="Certificate"/> to
/// <see cref="CoordinatorClient"/> or to an <c>SslStream</c>. Connections must end before this is disposed.
/// </summary>
public sealed class Pkcs11Identity : IDisposable
{
    private readonly Pkcs11Token _token;
    private readonly AsymmetricAlgorithm _key;

    private Pkcs11Identity(Pkcs11Token token, AsymmetricAlgorithm key, X509Certificate2 certificate) => (_token, _key, Certificate) = (token, key, certificate);

    /// <summary>The certificate, with the token's key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Opens a token and joins a certificate and a key in it.</summary>
    /// <param name="configuration">Which token.</param>
    /// <param name="key">The private key's name.</param>
    /// <param name="certificate">The certificate's name.</param>
    /// <exception cref="Pkcs11Exception">The token does not serve, the key is not the certificate's, or this system has no way to use it for TLS.</exception>
    public static Pkcs11Identity Open(Pkcs11Configuration configuration, Pkcs11Name key, Pkcs11Name certificate)
    {
        Pkcs11Token token = Pkcs11Token.Open(configuration);
        AsymmetricAlgorithm? found = null;
        try
        {
            using X509Certificate2 alone = token.FindCertificate(certificate);
            found = token.FindKey(key);
            Probe(found);
            return new Pkcs11Identity(token, found, Join(alone, found));
        }
        catch
        {
            found?.Dispose();
            token.Dispose();
            throw;
        }
    }

    /// <summary>One signature that nobody sees: a key that may not sign is said here, with the token's reason, and not by a failing handshake.</summary>
    private static void Probe(AsymmetricAlgorithm key)
    {
        byte[] digest = SHA256.HashData("cloister/pkcs11/probe"u8);
        _ = key is RSA rsa ? rsa.SignHash(digest, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) : ((ECDsa)key).SignHash(digest);
    }

    private static X509Certificate2 Join(X509Certificate2 certificate, AsymmetricAlgorithm key)
    {
        if (!OperatingSystem.IsLinux())
            throw new Pkcs11Exception(Pkcs11Error.TlsNotSupported, "On this system .NET does TLS without OpenSSL, and so without the keys of PKCS#11 tokens. Signing and decrypting with the token work here; use --cert and --key for TLS.");
        try
        {
            using SafeEvpPKeyHandle handle = TokenTlsKey.Open(key);
            if (key is RSA)
            {
                using var rsa = new RSAOpenSsl(handle);
                return certificate.CopyWithPrivateKey(rsa);
            }
            using var ecdsa = new ECDsaOpenSsl(handle);
            return certificate.CopyWithPrivateKey(ecdsa);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException or InvalidOperationException)
        {
            throw new Pkcs11Exception(Pkcs11Error.ObjectNotSuitable, $"The token's key and certificate do not belong together: {error.Message}", error);
        }
    }

    /// <summary>Releases the certificate and the key, and ends the token's session.</summary>
    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
        _token.Dispose();
    }
}
