using System.IO.Compression;
using System.Security.Cryptography;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>
/// The members of a whole object, inflated where they were compressed. What was inflated is zeroed at the end. Inflation stops at the size that the
/// largest such object has, so that a few bytes cannot ask for gigabytes.
/// </summary>
internal readonly ref struct SealBody : IDisposable
{
    private const int FirstBytes = 1 << 16;

    // Residues are random but for their upper, unused bits: there is nothing to find twice, and codes of bytes alone save as much in a third of the time.
    private static ZLibCompressionOptions Deflation => new() { CompressionStrategy = ZLibCompressionStrategy.HuffmanOnly };

    private readonly byte[]? _inflated;

    private SealBody(SealHeader header, ReadOnlySpan<byte> bytes, byte[]? inflated)
    {
        Header = header;
        Bytes = bytes;
        _inflated = inflated;
    }

    internal SealHeader Header { get; }

    internal ReadOnlySpan<byte> Bytes { get; }

    internal SealReader Reader(string what) => new(Bytes, Header.Version, what);

    /// <summary>Opens an object that fills the bytes.</summary>
    /// <param name="source">Header and body.</param>
    /// <param name="maximumBytes">The most that the members of such an object have.</param>
    /// <param name="what">Its name in refusals.</param>
    internal static SealBody Open(ReadOnlySpan<byte> source, long maximumBytes, string what)
    {
        SealHeader header = SealHeader.Read(source, what);
        if (header.TotalBytes != source.Length) throw new HomomorphicException(HomomorphicError.SealTrailing, $"{source.Length - header.TotalBytes} bytes follow the {what}.");
        ReadOnlySpan<byte> body = source[SealHeader.Bytes..];
        if (header.Compression == SealCompression.None) return new SealBody(header, body, null);
        byte[] inflated = Inflate(body, Math.Min(maximumBytes, SealFormat.MaximumBytes), what, out int length);
        return new SealBody(header, inflated.AsSpan(0, length), inflated);
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_inflated);

    /// <summary>Header and members as they go on the wire. The members are zeroed, compressed or not, unless they are the result.</summary>
    internal static byte[] Close(byte[] whole, SealVersion version, SealCompression compression)
    {
        if (compression == SealCompression.None)
        {
            new SealHeader(version, compression, whole.Length).Write(whole);
            return whole;
        }
        using var stream = new MemoryStream(whole.Length / 2);
        stream.Write(whole, 0, SealHeader.Bytes);
        using (var deflate = new ZLibStream(stream, Deflation, leaveOpen: true)) deflate.Write(whole.AsSpan(SealHeader.Bytes));
        CryptographicOperations.ZeroMemory(whole);
        byte[] compressed = stream.ToArray();
        CryptographicOperations.ZeroMemory(stream.GetBuffer());
        new SealHeader(version, compression, compressed.Length).Write(compressed);
        return compressed;
    }

    private static unsafe byte[] Inflate(ReadOnlySpan<byte> body, long maximumBytes, string what, out int length)
    {
        byte[] inflated = new byte[(int)Math.Min(maximumBytes, FirstBytes)];
        length = 0;
        try
        {
            fixed (byte* at = body)
            {
                using var compressed = new ExactSource(at, body.Length);
                using var inflate = new ZLibStream(compressed, CompressionMode.Decompress);
                for (int count; (count = inflate.Read(inflated, length, inflated.Length - length)) > 0;)
                {
                    length += count;
                    if (length < inflated.Length) continue;
                    if (length == maximumBytes) break;
                    byte[] larger = new byte[(int)Math.Min(maximumBytes, 4L * length)];
                    inflated.CopyTo(larger, 0);
                    CryptographicOperations.ZeroMemory(inflated);
                    inflated = larger;
                }
                if (inflate.ReadByte() >= 0) throw new HomomorphicException(HomomorphicError.SealInflation, $"The {what} inflates to more than {maximumBytes} bytes, the most that one with these parameters has.");
                if (compressed.WantedMore) throw new HomomorphicException(HomomorphicError.SealInflation, $"The compressed members of the {what} end too early.");
                if (!compressed.EndsHere) throw new HomomorphicException(HomomorphicError.SealTrailing, $"Bytes follow the compressed members of the {what}.");
            }
            return inflated;
        }
        catch (Exception failure)
        {
            CryptographicOperations.ZeroMemory(inflated);
            if (failure is InvalidDataException) throw new HomomorphicException(HomomorphicError.SealInflation, $"The compressed members of the {what} are damaged.", failure);
            throw;
        }
    }
}
