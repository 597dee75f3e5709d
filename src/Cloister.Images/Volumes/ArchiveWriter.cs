using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Images.Volumes;

/// <summary>
/// Writes a folder as one stream: the same tree gives the same bytes. Follows no link and leaves no folder it was given, whatever is done to the tree
/// meanwhile; sockets, pipes and devices have no content and are left out, and so are extended attributes.
/// </summary>
internal sealed class ArchiveWriter
{
    private readonly Stream _output;
    private readonly DiskLayout _layout;
    private readonly CancellationToken _cancellation;
    private readonly Dictionary<ulong, uint> _shared = [];
    private readonly byte[] _buffer = GC.AllocateArray<byte>(ArchiveFormat.MaxSegment, pinned: true);
    private int _entries;

    private ArchiveWriter(Stream output, DiskLayout layout, CancellationToken cancellation) => (_output, _layout, _cancellation) = (output, layout, cancellation);

    /// <exception cref="ImageException"><see cref="ImageError.DiskFull"/> or <see cref="ImageError.DiskContent"/>.</exception>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public static void Write(string folder, Stream output, DiskLayout layout, CancellationToken cancellation)
    {
        var writer = new ArchiveWriter(output, layout, cancellation);
        output.Write(ArchiveFormat.Magic);
        try
        {
            using SafeFileHandle root = FolderCalls.OpenFolder(folder);
            writer.WriteEntries(root, writer.Names(root, depth: 0), depth: 0);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(writer._buffer);
        }
    }

    private List<byte[]> Names(SafeFileHandle folder, int depth) => depth <= ArchiveFormat.MaxDepth
        ? FolderCalls.Names(folder, _layout.MaxEntries)
        : throw new ImageException(ImageError.DiskContent, $"The folder of the sealed disk is nested deeper than {ArchiveFormat.MaxDepth} folders, the most that are kept.");

    private void WriteEntries(SafeFileHandle folder, List<byte[]> names, int depth)
    {
        foreach (byte[] name in names)
        {
            _cancellation.ThrowIfCancellationRequested();
            if (++_entries > _layout.MaxEntries)
                throw new ImageException(ImageError.DiskFull, $"The folder of the sealed disk has more than {_layout.MaxEntries} entries, the most that its size allows.");
            try
            {
                WriteEntry(folder, name, depth);
            }
            catch (FileNotFoundException)
            {
                // Removed while it was looked for, and nothing of it was written yet.
            }
        }
        _output.WriteByte(ArchiveFormat.End);
    }

    private void WriteEntry(SafeFileHandle folder, byte[] name, int depth)
    {
        EntryStatus seen = FolderCalls.Status(folder, name);
        switch (seen.Kind)
        {
            case EntryKind.Folder:
                using (SafeFileHandle open = FolderCalls.OpenFolder(folder, name))
                {
                    // Listed first: a folder that was removed meanwhile is found out before anything of it is written.
                    List<byte[]> names = Names(open, depth + 1);
                    WriteFront(ArchiveFormat.Folder, name, FolderCalls.Status(open));
                    WriteEntries(open, names, depth + 1);
                }
                break;
            case EntryKind.Link:
                byte[] target = FolderCalls.ReadLink(folder, name);
                WriteFront(ArchiveFormat.Link, name, seen with { Mode = 0 });
                Span<byte> length = stackalloc byte[2];
                BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)target.Length);
                _output.Write(length);
                _output.Write(target);
                break;
            case EntryKind.File:
                using (SafeFileHandle open = FolderCalls.OpenFile(folder, name))
                    WriteFile(open, name);
                break;
        }
    }

    private void WriteFile(SafeFileHandle file, byte[] name)
    {
        EntryStatus status = FolderCalls.Status(file);
        if (status.Kind != EntryKind.File)
            return;
        if (status.Length > ArchiveFormat.MaxLength)
            throw new ImageException(ImageError.DiskContent, "A file of the sealed disk says that it is longer than 1 TiB, the most that is kept.");
        bool shared = status.Names > 1;
        if (shared && _shared.TryGetValue(status.Inode, out uint number))
        {
            WriteName(ArchiveFormat.FurtherName, name);
            Span<byte> which = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(which, number);
            _output.Write(which);
            return;
        }
        if (shared)
            _shared.Add(status.Inode, (uint)_shared.Count);
        WriteFront(shared ? ArchiveFormat.SharedFile : ArchiveFormat.File, name, status);
        WriteContent(file, status.Length);
    }

    // Holes stay holes: a database may say that its file is a gigabyte and have written a page of it.
    private void WriteContent(SafeFileHandle file, long length)
    {
        Span<byte> front = stackalloc byte[12];
        BinaryPrimitives.WriteInt64LittleEndian(front, length);
        _output.Write(front[..8]);
        long at = 0;
        while (at < length && FolderCalls.NextData(file, at) is var (from, until))
        {
            at = from;
            until = Math.Min(until, length);
            while (at < until)
            {
                _cancellation.ThrowIfCancellationRequested();
                int read = RandomAccess.Read(file, _buffer.AsSpan(0, (int)Math.Min(until - at, _buffer.Length)), at);
                if (read == 0)
                    break;
                BinaryPrimitives.WriteInt32LittleEndian(front, read);
                BinaryPrimitives.WriteInt64LittleEndian(front[4..], at);
                _output.Write(front);
                _output.Write(_buffer.AsSpan(0, read));
                at += read;
            }
            if (at < until)
                break; // cut short meanwhile
        }
        front[..4].Clear();
        _output.Write(front[..4]);
    }

    private void WriteFront(byte kind, byte[] name, EntryStatus status)
    {
        WriteName(kind, name);
        Span<byte> attributes = stackalloc byte[ArchiveFormat.AttributesSize];
        BinaryPrimitives.WriteUInt16LittleEndian(attributes, (ushort)(status.Mode & ArchiveFormat.KeptMode));
        BinaryPrimitives.WriteUInt32LittleEndian(attributes[2..], status.User);
        BinaryPrimitives.WriteUInt32LittleEndian(attributes[6..], status.Group);
        BinaryPrimitives.WriteInt64LittleEndian(attributes[10..], status.Modified);
        _output.Write(attributes);
    }

    private void WriteName(byte kind, byte[] name)
    {
        _output.WriteByte(kind);
        _output.WriteByte((byte)name.Length);
        _output.Write(name);
    }
}
