namespace Cloister.Images.Volumes;

/// <summary>The bytes of a folder as one stream; docs/formats/sealed-disk.md, part 3.</summary>
internal static class ArchiveFormat
{
    public const byte End = 0, Folder = 1, File = 2, Link = 3, SharedFile = 4, FurtherName = 5;

    /// <summary>Bytes of a mode (2), user (4), group (4) and time (8).</summary>
    public const int AttributesSize = 18;

    /// <summary>Bytes that a segment of a file has at most.</summary>
    public const int MaxSegment = 64 << 10;

    public const int MaxDepth = 64, MaxSharedNames = 16 << 20;
    public const long MaxLength = 1L << 40;

    /// <summary>Permission and sticky bits: the rest is not kept.</summary>
    public const ushort KeptMode = 0b1_111_111_111;

    public static ReadOnlySpan<byte> Magic => "CLFOLDR1"u8;
}
