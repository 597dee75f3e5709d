using System.Security.Cryptography;

namespace Cloister.Homomorphic.Wire;

/// <summary>What authenticates the queries and answers of one caller with one key to one model: 32 bytes, zeroed when disposed of.</summary>
public sealed class EnvelopeKey : IDisposable
{
    /// <summary>The length.</summary>
    public const int Size = 32;

    private readonly byte[] _bytes = GC.AllocateArray<byte>(Size, pinned: true);
    private bool _disposed;

    /// <summary>Copies 32 bytes, as a server gave them at registration.</summary>
    public EnvelopeKey(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size) throw new ArgumentException($"An envelope key has {Size} bytes, not {bytes.Length}.", nameof(bytes));
        bytes.CopyTo(_bytes);
    }

    private EnvelopeKey()
    {
    }

    /// <summary>The bytes, valid until it is disposed of.</summary>
    public ReadOnlySpan<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _bytes;
        }
    }

    /// <summary>The key that a server derives from its master instead of remembering it (docs/formats/he-envelope.md).</summary>
    /// <param name="master">32 secret bytes of the server.</param>
    /// <param name="modelDigest">32 bytes.</param>
    /// <param name="keyId">The client's key.</param>
    /// <param name="owner">32 bytes that stand for the caller.</param>
    public static EnvelopeKey Derive(ReadOnlySpan<byte> master, ReadOnlySpan<byte> modelDigest, KeyId keyId, ReadOnlySpan<byte> owner)
    {
        if (master.Length != Size) throw new ArgumentException($"A master has {Size} bytes, not {master.Length}.", nameof(master));
        if (modelDigest.Length != Envelope.DigestSize) throw new ArgumentException("A digest has 32 bytes.", nameof(modelDigest));
        if (owner.Length != Envelope.OwnerSize) throw new ArgumentException("An owner has 32 bytes.", nameof(owner));
        var key = new EnvelopeKey();
        HKDF.DeriveKey(HashAlgorithmName.SHA256, master, key._bytes, [], Labels.Join("cloister/he/envelope-key/v1"u8, modelDigest.ToArray(), keyId.ToBytes(), owner.ToArray()));
        return key;
    }

    /// <summary>Zeroes the key.</summary>
    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_bytes);
    }
}
