using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cloister.Homomorphic.Ring;

/// <summary>
/// A stream of pseudo-random bytes from a 32-byte seed: AES-256 in counter mode, the key being SHA-256 of the length-prefixed label and seed.
/// The same seed and label give the same bytes everywhere; different labels give independent streams. Not safe for concurrent use.
/// </summary>
/// <remarks>The key is SHA-256(length of the label in one byte, label, seed): every .NET platform has it. Block i of the stream is AES-256(key, i as a 128-bit little-endian integer). Key, counters and unread bytes are zeroed at the end.</remarks>
public sealed class SeedExpander : IDisposable
{
    /// <summary>The length of a seed.</summary>
    public const int SeedBytes = 32;

    private const int BufferBytes = 8192, BlockBytes = 16;

    private readonly ICryptoTransform _cipher;
    private readonly byte[] _counters = GC.AllocateArray<byte>(BufferBytes, pinned: true), _buffer = GC.AllocateArray<byte>(BufferBytes, pinned: true);
    private ulong _next;
    private int _used = BufferBytes;
    private bool _disposed;

    /// <summary>Starts a stream.</summary>
    /// <param name="seed">32 bytes. For secrets, from <see cref="RandomNumberGenerator"/>, used once and zeroed by its owner.</param>
    /// <param name="label">What the stream is for, at most 255 bytes; public.</param>
    public SeedExpander(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> label)
    {
        if (seed.Length != SeedBytes) throw new ArgumentException($"A seed has {SeedBytes} bytes, not {seed.Length}.", nameof(seed));
        if (label.Length > byte.MaxValue) throw new ArgumentException("A label has at most 255 bytes.", nameof(label));
        Span<byte> input = stackalloc byte[1 + byte.MaxValue + SeedBytes], key = stackalloc byte[32];
        input[0] = (byte)label.Length;
        label.CopyTo(input[1..]);
        seed.CopyTo(input[(1 + label.Length)..]);
        try
        {
            SHA256.HashData(input[..(1 + label.Length + SeedBytes)], key);
            using var aes = Aes.Create();
            aes.Mode = CipherMode.ECB;
            aes.Padding = PaddingMode.None;
            aes.SetKey(key);
            _cipher = aes.CreateEncryptor();
        }
        finally
        {
            CryptographicOperations.ZeroMemory(input);
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>A stream from a fresh seed that nobody keeps.</summary>
    public static SeedExpander Fresh()
    {
        Span<byte> seed = stackalloc byte[SeedBytes];
        RandomNumberGenerator.Fill(seed);
        try
        {
            return new SeedExpander(seed, "fresh"u8);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }

    /// <summary>The next bytes of the stream.</summary>
    public void Fill(Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        while (!destination.IsEmpty)
        {
            if (_used == BufferBytes) Refill();
            int count = Math.Min(destination.Length, BufferBytes - _used);
            _buffer.AsSpan(_used, count).CopyTo(destination);
            CryptographicOperations.ZeroMemory(_buffer.AsSpan(_used, count));
            _used += count;
            destination = destination[count..];
        }
    }

    /// <summary>Zeroes the key and what was not read.</summary>
    public void Dispose()
    {
        _disposed = true;
        _cipher.Dispose();
        CryptographicOperations.ZeroMemory(_buffer);
    }

    // Electronic codebook over counters is counter mode, which the framework does not offer by name.
    private void Refill()
    {
        for (int at = 0; at < BufferBytes; at += BlockBytes) BinaryPrimitives.WriteUInt64LittleEndian(_counters.AsSpan(at), _next++);
        _cipher.TransformBlock(_counters, 0, BufferBytes, _buffer, 0);
        _used = 0;
    }
}
