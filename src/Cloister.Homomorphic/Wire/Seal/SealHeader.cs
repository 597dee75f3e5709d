using System.Buffers.Binary;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>The 16 bytes before every object, nested ones included: magic, their own length, version, compression, two bytes of zero, the length of the whole.</summary>
internal readonly record struct SealHeader(SealVersion Version, SealCompression Compression, long TotalBytes)
{
    internal const int Bytes = 16;

    private const ushort Magic = 0xA15E;

    /// <summary>Reads the header that the bytes begin with.</summary>
    /// <param name="source">At least what the header says is the length of the whole; more may follow.</param>
    /// <param name="what">The object's name in refusals.</param>
    internal static SealHeader Read(ReadOnlySpan<byte> source, string what)
    {
        if (source.Length < Bytes) throw new HomomorphicException(HomomorphicError.SealTruncated, $"The {what} has {source.Length} bytes; SEAL's header alone has {Bytes}.");
        if (BinaryPrimitives.ReadUInt16LittleEndian(source) != Magic || source[2] != Bytes)
            throw new HomomorphicException(HomomorphicError.SealHeader, $"The {what} does not begin with SEAL's header of 3.5 and later (5E A1 10). Save it with SEAL 4 or node-seal 7.");
        var version = new SealVersion(source[3], source[4]);
        if (!version.IsSupported) throw new HomomorphicException(HomomorphicError.SealVersion, $"The {what} was saved by SEAL {version}; 4.0 to 4.4 are understood.");
        if (source[5] > (int)SealCompression.Zlib)
            throw new HomomorphicException(HomomorphicError.SealCompression, $"The {what} is compressed by {(source[5] == 2 ? "zstd, which .NET has no decoder of" : $"unknown method {source[5]}")}. Save it with compression none or zlib.");
        if (source[6] != 0 || source[7] != 0) throw new HomomorphicException(HomomorphicError.SealHeader, $"The reserved bytes in the header of the {what} are not zero.");
        ulong total = BinaryPrimitives.ReadUInt64LittleEndian(source[8..]);
        if (total < Bytes) throw new HomomorphicException(HomomorphicError.SealHeader, $"The {what} gives its length as {total} bytes, less than its header.");
        if (total > (ulong)source.Length) throw new HomomorphicException(HomomorphicError.SealTruncated, $"The {what} gives its length as {total} bytes; {source.Length} are here.");
        return new SealHeader(version, (SealCompression)source[5], (long)total);
    }

    internal void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(target, Magic);
        target[2] = Bytes;
        target[3] = Version.Major;
        target[4] = Version.Minor;
        target[5] = (byte)Compression;
        target[6] = target[7] = 0;
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], (ulong)TotalBytes);
    }
}
