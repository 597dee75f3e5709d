using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cloister.Images.Volumes;

/// <summary>Reads an archive strictly: what <see cref="ArchiveWriter"/> would not have written is refused, and so is one byte more.</summary>
internal sealed class ArchiveReader
{
    private readonly Stream _input;
    private readonly IFolderBuilder _builder;
    private readonly CancellationToken _cancellation;
    private readonly List<byte[]> _shared = [];
    private readonly List<byte[]> _path = [];
    private readonly byte[] _buffer = GC.AllocateArray<byte>(ArchiveFormat.MaxSegment, pinned: true);
    private long _contentLeft;
    private int _entriesLeft, _sharedNamesLeft = ArchiveFormat.MaxSharedNames;

    private ArchiveReader(Stream input, IFolderBuilder builder, DiskLayout layout, CancellationToken cancellation) =>
        (_input, _builder, _cancellation, _contentLeft, _entriesLeft) = (input, builder, cancellation, layout.MaxArchive, layout.MaxEntries);

    /// <exception cref="ImageException"><see cref="ImageError.DiskContent"/>.</exception>
    public static void Read(Stream input, IFolderBuilder builder, DiskLayout layout, CancellationToken cancellation)
    {
        var reader = new ArchiveReader(input, builder, layout, cancellation);
        try
        {
            if (!reader.Take(ArchiveFormat.Magic.Length).SequenceEqual(ArchiveFormat.Magic))
                throw Refused("it begins as none");
            reader.ReadEntries();
            if (input.ReadByte() >= 0)
                throw Refused("bytes follow its end");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(reader._buffer);
        }
    }

    private void ReadEntries()
    {
        byte[]? before = null;
        while (true)
        {
            _cancellation.ThrowIfCancellationRequested();
            byte kind = Take(1)[0];
            if (kind == ArchiveFormat.End)
                return;
            if (--_entriesLeft < 0)
                throw Refused("it has more entries than its size allows");
            byte[] name = Take(Take(1)[0]).ToArray();
            if (name.Length == 0 || name.AsSpan().ContainsAny((byte)'/', (byte)0) || name.AsSpan().SequenceEqual("."u8) || name.AsSpan().SequenceEqual(".."u8))
                throw Refused("a name in it is none");
            if (before is not null && before.AsSpan().SequenceCompareTo(name) >= 0)
                throw Refused("its names are not in order");
            before = name;
            ReadEntry(kind, name);
        }
    }

    private void ReadEntry(byte kind, byte[] name)
    {
        switch (kind)
        {
            case ArchiveFormat.Folder:
                EntryAttributes folder = Attributes();
                if (_path.Count == ArchiveFormat.MaxDepth)
                    throw Refused("it is nested too deeply");
                _path.Add(name);
                _builder.EnterFolder(name);
                ReadEntries();
                _builder.LeaveFolder(folder);
                _path.RemoveAt(_path.Count - 1);
                break;
            case ArchiveFormat.File or ArchiveFormat.SharedFile:
                EntryAttributes file = Attributes();
                if (kind == ArchiveFormat.SharedFile)
                    Share(name);
                ReadContent(name);
                _builder.EndFile(file);
                break;
            case ArchiveFormat.Link:
                EntryAttributes link = Attributes();
                int length = BinaryPrimitives.ReadUInt16LittleEndian(Take(2));
                if (link.Mode != 0 || length is 0 or > FolderCalls.TargetMax)
                    throw Refused("a link in it is none");
                ReadOnlySpan<byte> target = Take(length);
                if (target.Contains((byte)0))
                    throw Refused("a link in it is none");
                _builder.Link(name, target, link);
                break;
            case ArchiveFormat.FurtherName:
                uint which = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                if (which >= _shared.Count)
                    throw Refused("a name in it belongs to no file");
                _builder.FurtherName(_shared[(int)which], name);
                break;
            default:
                throw Refused("an entry in it is of no known kind");
        }
    }

    private void ReadContent(byte[] name)
    {
        long length = BinaryPrimitives.ReadInt64LittleEndian(Take(8)), at = 0;
        if (length is < 0 or > ArchiveFormat.MaxLength)
            throw Refused("a file in it has no possible length");
        _builder.BeginFile(name, length);
        while (BinaryPrimitives.ReadUInt32LittleEndian(Take(4)) is var count and not 0)
        {
            long offset = BinaryPrimitives.ReadInt64LittleEndian(Take(8));
            if (count > ArchiveFormat.MaxSegment || offset < at || offset > length - count)
                throw Refused("a file's parts in it do not fit its length");
            if ((_contentLeft -= count) < 0)
                throw Refused("it holds more than its size allows");
            _builder.Content(offset, Take((int)count));
            at = offset + count;
        }
    }

    // Where the file is, for names that come later.
    private void Share(byte[] name)
    {
        byte[] path = [.. _path.SelectMany(static part => part.Append((byte)'/')), .. name];
        if ((_sharedNamesLeft -= path.Length) < 0)
            throw Refused("it has too many files with several names");
        _shared.Add(path);
    }

    private EntryAttributes Attributes()
    {
        ReadOnlySpan<byte> bytes = Take(ArchiveFormat.AttributesSize);
        var attributes = new EntryAttributes(BinaryPrimitives.ReadUInt16LittleEndian(bytes), BinaryPrimitives.ReadUInt32LittleEndian(bytes[2..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[6..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[10..]));
        // All ones would tell the kernel to leave an owner as it is.
        return (attributes.Mode & ~ArchiveFormat.KeptMode) == 0 && attributes.User != uint.MaxValue && attributes.Group != uint.MaxValue
            ? attributes
            : throw Refused("an entry's attributes in it are none");
    }

    // Valid until the next call.
    private ReadOnlySpan<byte> Take(int count)
    {
        Span<byte> taken = _buffer.AsSpan(0, count);
        if (_input.ReadAtLeast(taken, count, throwOnEndOfStream: false) != count)
            throw Refused("it ends too early");
        return taken;
    }

    /// <summary>Fuzz target: any bytes are an archive or refused, and nothing but checked names reaches the builder.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes, IFolderBuilder builder)
    {
        try
        {
            Read(new MemoryStream(bytes.ToArray(), writable: false), builder, new DiskLayout(1), default);
        }
        catch (ImageException refused) when (refused.Error == ImageError.DiskContent)
        {
            // The documented refusal.
        }
    }

    private static ImageException Refused(string why) => new(ImageError.DiskContent, $"What the sealed disk holds is no folder: {why}.");
}
