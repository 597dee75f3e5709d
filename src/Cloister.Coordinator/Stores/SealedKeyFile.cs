using System.Buffers.Binary;
using System.Text;

namespace Cloister.Coordinator.Stores;

/// <summary>The file <c>sealed_key</c>: the data key as a platform sealed it, and which kind of platform that was. Layout in docs/formats/state.md, part 4.</summary>
internal sealed record SealedKeyFile(string SealerKind, ReadOnlyMemory<byte> Sealed)
{
    internal const int MaxBytes = 64 << 10;
    private const uint FormatVersion = 1;
    private const int HeaderBytes = 8 + 4 + 2;

    private static ReadOnlySpan<byte> Magic => "CLKEYV1\n"u8;

    /// <summary>What the sealing of the key is bound to.</summary>
    public static ReadOnlyMemory<byte> AssociatedData { get; } = "cloister/coordinator/data-key/v1"u8.ToArray();

    public byte[] Encode()
    {
        byte[] kind = Encoding.ASCII.GetBytes(SealerKind), bytes = new byte[HeaderBytes + kind.Length + Sealed.Length];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), FormatVersion);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(12), checked((ushort)kind.Length));
        kind.CopyTo(bytes, HeaderBytes);
        Sealed.CopyTo(bytes.AsMemory(HeaderBytes + kind.Length));
        return bytes;
    }

    /// <summary>Null if it is no such file; throws <see cref="StoreException"/> (NewerFormat) for one of a newer program.</summary>
    public static SealedKeyFile? Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes || bytes.Length > MaxBytes || !bytes.StartsWith(Magic))
            return null;
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (version > FormatVersion)
            throw new StoreException(StoreError.NewerFormat, $"sealed_key has format {version}; this program reads up to {FormatVersion}. Start the newer program again.");
        int length = BinaryPrimitives.ReadUInt16LittleEndian(bytes[12..]);
        ReadOnlySpan<byte> rest = bytes[HeaderBytes..];
        return version == FormatVersion && length <= rest.Length && Ascii.IsValid(rest[..length])
            ? new SealedKeyFile(Encoding.ASCII.GetString(rest[..length]), rest[length..].ToArray())
            : null;
    }

    /// <summary>Fuzz target: any bytes are refused, or decode to something that encodes to the same bytes.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (Decode(bytes) is { } file && !file.Encode().AsSpan().SequenceEqual(bytes))
                throw new InvalidOperationException("A sealed key was read that would not have been written.");
        }
        catch (StoreException refused) when (refused.Error == StoreError.NewerFormat)
        {
            return;
        }
    }
}
