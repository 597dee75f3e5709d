using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire;

/// <summary>A client's key under a passphrase (docs/formats/he-key.md): AES-256-GCM under PBKDF2 with SHA-256. The seed is never in clear outside memory.</summary>
public static class KeyFile
{
    /// <summary>The iterations of PBKDF2 that a file may ask for, and what is written unless told otherwise.</summary>
    public const int MinimumIterations = 100_000, MaximumIterations = 10_000_000, DefaultIterations = 600_000;

    /// <summary>The shortest passphrase under which a key is written, in bytes.</summary>
    public const int MinimumPassphrase = 8;

    /// <summary>The longest file, in bytes.</summary>
    public const int MaximumBytes = HeadSize + ParameterBlock.MaximumSize + SeedExpander.SeedBytes + TagSize;

    private const int HeadSize = 64, IterationsAt = 12, SaltAt = 16, SaltSize = 16, NonceAt = 32, NonceSize = 12, KeyIdAt = 44, LengthAt = 60, TagSize = 16;
    private const byte Version = 1, Pbkdf2 = 1;

    private static ReadOnlySpan<byte> Magic => "CLHEKEYF"u8;

    /// <summary>Writes a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="passphrase">At least <see cref="MinimumPassphrase"/> bytes of UTF-8.</param>
    /// <param name="iterations">Iterations of PBKDF2.</param>
    public static byte[] Write(ClientKey key, ReadOnlySpan<byte> passphrase, int iterations = DefaultIterations)
    {
        Span<byte> random = stackalloc byte[SaltSize + NonceSize];
        RandomNumberGenerator.Fill(random);
        return Write(key, passphrase, iterations, random[..SaltSize], random[SaltSize..]);
    }

    internal static byte[] Write(ClientKey key, ReadOnlySpan<byte> passphrase, int iterations, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> nonce)
    {
        if (passphrase.Length < MinimumPassphrase) throw new ArgumentException($"A passphrase has at least {MinimumPassphrase} bytes.", nameof(passphrase));
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, MinimumIterations);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(iterations, MaximumIterations);
        byte[] block = ParameterBlock.Write(key.Parameters);
        var file = new byte[HeadSize + block.Length + SeedExpander.SeedBytes + TagSize];
        Magic.CopyTo(file);
        file[8] = Version;
        file[9] = Pbkdf2;
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(IterationsAt), iterations);
        salt.CopyTo(file.AsSpan(SaltAt));
        nonce.CopyTo(file.AsSpan(NonceAt));
        key.Id.CopyTo(file.AsSpan(KeyIdAt));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(LengthAt), block.Length);
        block.CopyTo(file, HeadSize);
        int head = HeadSize + block.Length;
        using AesGcm cipher = Cipher(passphrase, salt, iterations);
        cipher.Encrypt(nonce, key.Seed, file.AsSpan(head, SeedExpander.SeedBytes), file.AsSpan(head + SeedExpander.SeedBytes), file.AsSpan(0, head));
        return file;
    }

    /// <summary>What a file says of itself without its passphrase. Only opening it proves that.</summary>
    /// <param name="file">Any bytes.</param>
    /// <exception cref="HomomorphicException">It is no key file, or asks for what is refused.</exception>
    public static KeyFileDescription Describe(ReadOnlySpan<byte> file)
    {
        if (!file.StartsWith(Magic)) throw new HomomorphicException(HomomorphicError.WireMagic, "This is no key file: it does not begin with CLHEKEYF. Make one with: cloister he keygen");
        if (file.Length < HeadSize) throw new HomomorphicException(HomomorphicError.WireTruncated, $"The key file ends after {file.Length} bytes.");
        if (file[8] != Version) throw new HomomorphicException(HomomorphicError.WireVersion, $"The key file has version {file[8]}; this program knows {Version}.");
        if (file[9] != Pbkdf2 || file[10..IterationsAt].ContainsAnyExcept((byte)0)) throw new HomomorphicException(HomomorphicError.WireReserved, "The key file has a way of protection or reserved bytes that this program does not know.");
        uint iterations = BinaryPrimitives.ReadUInt32LittleEndian(file[IterationsAt..]), length = BinaryPrimitives.ReadUInt32LittleEndian(file[LengthAt..]);
        if (iterations is < MinimumIterations or > MaximumIterations)
            throw new HomomorphicException(HomomorphicError.KeyFileIterations, $"The key file asks for {iterations} iterations of PBKDF2; {MinimumIterations} to {MaximumIterations} are accepted.");
        if (length > ParameterBlock.MaximumSize) throw new HomomorphicException(HomomorphicError.WireOversized, $"The key file's parameters would have {length} bytes; at most {ParameterBlock.MaximumSize} are possible.");
        WireLength.Require(file.Length, HeadSize + length + SeedExpander.SeedBytes + TagSize, "The key file");
        return new KeyFileDescription(new KeyId(file.Slice(KeyIdAt, KeyId.Size)), ParameterBlock.Read(file.Slice(HeadSize, (int)length)), (int)iterations);
    }

    /// <summary>Opens a file; the caller disposes of the key.</summary>
    /// <param name="file">Any bytes.</param>
    /// <param name="passphrase">UTF-8.</param>
    /// <exception cref="HomomorphicException">It is no key file, its passphrase is another, or it was changed.</exception>
    public static ClientKey Read(ReadOnlySpan<byte> file, ReadOnlySpan<byte> passphrase)
    {
        KeyFileDescription description = Describe(file);
        byte[] seed = GC.AllocateArray<byte>(SeedExpander.SeedBytes, pinned: true);
        int head = file.Length - SeedExpander.SeedBytes - TagSize;
        try
        {
            using AesGcm cipher = Cipher(passphrase, file.Slice(SaltAt, SaltSize), description.Iterations);
            cipher.Decrypt(file.Slice(NonceAt, NonceSize), file.Slice(head, SeedExpander.SeedBytes), file[^TagSize..], seed, file[..head]);
            var key = new ClientKey(description.Parameters, seed);
            if (key.Id == description.Id) return key;
            key.Dispose();
            throw new HomomorphicException(HomomorphicError.KeyFileContent, "The key file's key id is not that of the key within.");
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new HomomorphicException(HomomorphicError.KeyFilePassphrase, "The key file does not open: the passphrase is another, or the file was changed.", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }

    private static AesGcm Cipher(ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> salt, int iterations)
    {
        Span<byte> key = stackalloc byte[32];
        try
        {
            Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, key, iterations, HashAlgorithmName.SHA256);
            return new AesGcm(key, TagSize);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Fuzz target: any bytes are described, or refused with a <see cref="HomomorphicException"/>.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _ = Describe(bytes);
        }
        catch (HomomorphicException)
        {
            // The documented refusal.
            return;
        }
    }
}

/// <summary>What a key file says of itself.</summary>
/// <param name="Id">The key's name.</param>
/// <param name="Parameters">What the key is for.</param>
/// <param name="Iterations">Iterations of PBKDF2 between passphrase and key.</param>
public sealed record KeyFileDescription(KeyId Id, RlweParameters Parameters, int Iterations);
