using System.Security.Cryptography;

namespace Cloister.Coordinator.Recovery;

/// <summary>An RSA-4096 key that lives as long as the recovery: holders may encrypt their secrets to it, so that they can be carried over machines nobody trusts.</summary>
internal sealed class EphemeralRecoveryKey : IDisposable
{
    private const int Bits = 4096;

    private readonly RSA _key = RSA.Create(Bits);

    /// <summary>SubjectPublicKeyInfo, DER. The first call makes the key, which takes seconds.</summary>
    public byte[] PublicKey() => _key.ExportSubjectPublicKeyInfo();

    /// <summary>RSA-OAEP-SHA256; null for what was not encrypted to this key. The caller zeroes it.</summary>
    public byte[]? Decrypt(byte[] encrypted)
    {
        try
        {
            return _key.Decrypt(encrypted, RSAEncryptionPadding.OaepSHA256);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    public void Dispose() => _key.Dispose();
}
