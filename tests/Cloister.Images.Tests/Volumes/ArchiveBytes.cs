using System.Buffers.Binary;
using System.Text;

namespace Cloister.Tests.Volumes;

/// <summary>Writes archives by the letter of docs/formats/sealed-disk.md, part 3, right or wrong.</summary>
internal sealed class ArchiveBytes
{
    private readonly List<byte> _bytes = [];

    public ArchiveBytes() => Raw("CLFOLDR1");

    public uint User { get; init; } = 1000;

    public uint Group { get; init; } = 1000;

    public byte[] Done() => [.. _bytes];

    public ArchiveBytes Raw(string text) => Raw(Encoding.UTF8.GetBytes(text));

    public ArchiveBytes Raw(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public ArchiveBytes Number(long value, int size)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Raw(bytes[..size]);
    }

    public ArchiveBytes Name(byte kind, string name) => Raw(kind, (byte)Encoding.UTF8.GetByteCount(name)).Raw(name);

    public ArchiveBytes Attributes(int mode, long modified) => Number(mode, 2).Number(User, 4).Number(Group, 4).Number(modified, 8);

    public ArchiveBytes Folder(string name, int mode = 0b111_101_101, long modified = 1_500_000_000_000_000_001) => Name(1, name).Attributes(mode, modified);

    public ArchiveBytes File(string name, string content, byte kind = 2, int mode = 0b110_000_000, long modified = 1_500_000_000_000_000_002)
    {
        Name(kind, name).Attributes(mode, modified).Number(Encoding.UTF8.GetByteCount(content), 8);
        if (content.Length > 0)
            Number(Encoding.UTF8.GetByteCount(content), 4).Number(0, 8).Raw(content);
        return Number(0, 4);
    }

    public ArchiveBytes Link(string name, string target, int mode = 0, long modified = 1_500_000_000_000_000_003) =>
        Name(3, name).Attributes(mode, modified).Number(Encoding.UTF8.GetByteCount(target), 2).Raw(target);

    public ArchiveBytes Further(string name, uint number) => Name(5, name).Number(number, 4);

    public ArchiveBytes End() => Raw((byte)0);
}
