using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>
/// Encrypts small things (keys, records of state) under a long-lived key: AES-256-GCM under an HKDF-SHA256 subkey from a fresh 32-byte salt,
/// so that one key may wrap any number of times. The layout is docs/formats/key-wrap.md.
/// </summary>
/// <remarks>References: RFC 5869 (HKDF), NIST SP 800-38D (GCM). Sizes: key 32, salt 32, tag 16; a wrapped value is <see cref="Overhead"/> bytes longer than its plaintext.</remarks>
public static class KeyWrap
{
    /// <summary>Bytes in a wrapping key.</summary>
    public const int KeySize = 32;

    /// <summary>How many bytes longer a wrapped value is than its plaintext.</summary>
    public const int Overhead = 1 + SaltSize + TagSize;

    private const byte FormatVersion = 1;
    private const int SaltSize = 32, TagSize = 16, NonceSize = 12;

    /// <summary>Encrypts and authenticates.</summary>
    /// <param name="key">The wrapping key, 32 bytes.</param>
    /// <param name="plaintext">What to wrap.</param>
    /// <param name="associatedData">What the wrapped value belongs to; unwrapping needs the same bytes.</param>
    /// <exception cref="ArgumentException">The key is not 32 bytes.</exception>
    public static byte[] Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData)
    {
        Span<byte> salt = stackalloc byte[SaltSize];
        RandomNumberGenerator.Fill(salt);
        return Wrap(key, plaintext, associatedData, salt);
    }

    /// <summary>Checks and decrypts. False says that the value was changed, cut, wrapped under another key or for other associated data.</summary>
    /// <param name="key">The wrapping key, 32 bytes.</param>
    /// <param name="wrapped">What <see cref="Wrap(ReadOnlySpan{byte}, ReadOnlySpan{byte}, ReadOnlySpan{byte})"/> gave.</param>
    /// <param name="associatedData">The associated data it was wrapped with.</param>
    /// <param name="plaintext">The plaintext, which the caller zeroes after use.</param>
    /// <exception cref="ArgumentException">The key is not 32 bytes.</exception>
    public static bool TryUnwrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> associatedData, [NotNullWhen(true)] out byte[]? plaintext)
    {
        CheckKey(key);
        plaintext = null;
        if (wrapped.Length < Overhead || wrapped[0] != FormatVersion)
            return false;
        ReadOnlySpan<byte> ciphertext = wrapped[(1 + SaltSize)..^TagSize];
        byte[] opened = GC.AllocateArray<byte>(ciphertext.Length, pinned: true);
        using AesGcm cipher = CreateCipher(key, wrapped.Slice(1, SaltSize));
        try
        {
            cipher.Decrypt(stackalloc byte[NonceSize], ciphertext, wrapped[^TagSize..], opened, Bind(associatedData));
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
        plaintext = opened;
        return true;
    }

    internal static byte[] Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> salt)
    {
        CheckKey(key);
        byte[] wrapped = new byte[checked(plaintext.Length + Overhead)];
        wrapped[0] = FormatVersion;
        salt.CopyTo(wrapped.AsSpan(1));
        using AesGcm cipher = CreateCipher(key, salt);
        // The subkey encrypts this one message, so a constant nonce never repeats under it.
        cipher.Encrypt(stackalloc byte[NonceSize], plaintext, wrapped.AsSpan(1 + SaltSize, plaintext.Length), wrapped.AsSpan(^TagSize..), Bind(associatedData));
        return wrapped;
    }

    /// <summary>Fuzz target: any bytes are either refused or unwrap to a value that wraps back to the same bytes.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        byte[] key = new byte[KeySize];
        if (TryUnwrap(key, data, [], out byte[]? plaintext) && !Wrap(key, plaintext, [], data.Slice(1, SaltSize)).AsSpan().SequenceEqual(data))
            throw new InvalidOperationException("Two wrapped forms of one plaintext.");
    }

    private static AesGcm CreateCipher(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt)
    {
        using SecretBytes subkey = SecretBytes.Empty(KeySize);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, subkey.Writable, salt, LengthPrefixed.Join("cloister/key-wrap/v1"u8));
        return new AesGcm(subkey.Span, TagSize);
    }

    private static byte[] Bind(ReadOnlySpan<byte> associatedData) => LengthPrefixed.Join("cloister/key-wrap/v1"u8, associatedData.ToArray());

    private static void CheckKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeySize)
            throw new ArgumentException($"A wrapping key has {KeySize} bytes, this one {key.Length}.", nameof(key));
    }
}
