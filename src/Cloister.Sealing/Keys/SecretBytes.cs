using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>
/// Key bytes with one owner: pinned, so that the collector leaves no copies behind, and zeroed on <see cref="Dispose"/>.
/// There is no finalizer on purpose: one could zero the bytes while a span over them is still being used as a key.
/// </summary>
public sealed class SecretBytes : IDisposable
{
    private readonly byte[] bytes;
    private bool disposed;

    private SecretBytes(int length) => bytes = GC.AllocateArray<byte>(length, pinned: true);

    /// <summary>Number of bytes.</summary>
    public int Length => bytes.Length;

    /// <summary>The bytes; valid until this object is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The secret was zeroed.</exception>
    public ReadOnlySpan<byte> Span => Writable;

    /// <summary>The bytes, for asynchronous callers; valid until this object is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The secret was zeroed.</exception>
    public ReadOnlyMemory<byte> Memory
    {
        get
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return bytes;
        }
    }

    /// <summary>For the code that fills a new secret.</summary>
    internal Span<byte> Writable
    {
        get
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return bytes;
        }
    }

    /// <summary>A secret that holds a copy of the given bytes; the caller still has to zero its own.</summary>
    public static SecretBytes Copy(ReadOnlySpan<byte> source)
    {
        var secret = new SecretBytes(source.Length);
        source.CopyTo(secret.bytes);
        return secret;
    }

    /// <summary>A secret from the system's random generator.</summary>
    /// <param name="length">Number of bytes, at least 1.</param>
    public static SecretBytes Random(int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        var secret = new SecretBytes(length);
        RandomNumberGenerator.Fill(secret.bytes);
        return secret;
    }

    /// <summary>A secret of zeros that the caller fills through <see cref="Writable"/>.</summary>
    internal static SecretBytes Empty(int length) => new(length);

    /// <summary>Zeroes the bytes.</summary>
    public void Dispose()
    {
        disposed = true;
        CryptographicOperations.ZeroMemory(bytes);
    }

    /// <summary>The length alone, so that a secret which strays into a log stays one.</summary>
    public override string ToString() => $"SecretBytes({bytes.Length})";
}
