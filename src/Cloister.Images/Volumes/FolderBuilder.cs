using Microsoft.Win32.SafeHandles;

namespace Cloister.Images.Volumes;

/// <summary>Makes an archive's entries in an empty folder. Everything is made anew and relative to folders it made itself, so nothing leads outside.</summary>
internal sealed class FolderBuilder : IFolderBuilder, IDisposable
{
    private readonly SafeFileHandle _root;
    private readonly Stack<(SafeFileHandle Parent, byte[] Name)> _above = new();
    private SafeFileHandle _here;
    private SafeFileHandle? _file;
    private byte[] _fileName = [];

    private FolderBuilder(SafeFileHandle root) => _here = _root = root;

    /// <exception cref="ImageException"><see cref="ImageError.DiskContent"/>: the folder is not empty.</exception>
    public static FolderBuilder Open(string folder)
    {
        SafeFileHandle root = FolderCalls.OpenFolder(folder);
        if (FolderCalls.Names(root, int.MaxValue).Count == 0)
            return new FolderBuilder(root);
        root.Dispose();
        throw new ImageException(ImageError.DiskContent, $"The folder '{folder}' is not empty, so no sealed disk is opened over it.");
    }

    public void EnterFolder(ReadOnlySpan<byte> name)
    {
        FolderCalls.MakeFolder(_here, name);
        SafeFileHandle open = FolderCalls.OpenFolder(_here, name);
        _above.Push((_here, name.ToArray()));
        _here = open;
    }

    public void LeaveFolder(EntryAttributes attributes)
    {
        (SafeFileHandle parent, byte[] name) = _above.Pop();
        using (SafeFileHandle left = _here)
        {
            _here = parent;
            Apply(left, name, attributes);
        }
    }

    public void BeginFile(ReadOnlySpan<byte> name, long length)
    {
        _fileName = name.ToArray();
        _file = FolderCalls.CreateFile(_here, name);
        RandomAccess.SetLength(_file, length);
    }

    public void Content(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(_file!, bytes, offset);

    public void EndFile(EntryAttributes attributes)
    {
        using (SafeFileHandle file = _file!)
        {
            _file = null;
            Apply(file, _fileName, attributes);
        }
    }

    public void Link(ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, EntryAttributes attributes)
    {
        FolderCalls.MakeLink(_here, name, target);
        FolderCalls.SetOwner(_here, name, attributes.User, attributes.Group);
        FolderCalls.SetModified(_here, name, attributes.Modified);
    }

    public void FurtherName(ReadOnlySpan<byte> existing, ReadOnlySpan<byte> name) => FolderCalls.MakeName(_root, existing, _here, name);

    /// <summary>Removes what was made.</summary>
    public void Clear() => Clear(_root);

    public void Dispose()
    {
        _file?.Dispose();
        if (_here != _root)
            _here.Dispose();
        foreach ((SafeFileHandle parent, _) in _above)
            parent.Dispose();
        _root.Dispose();
    }

    private void Apply(SafeFileHandle open, byte[] name, EntryAttributes attributes)
    {
        FolderCalls.SetOwner(_here, name, attributes.User, attributes.Group);
        FolderCalls.SetMode(open, attributes.Mode);
        FolderCalls.SetModified(_here, name, attributes.Modified);
    }

    private static void Clear(SafeFileHandle folder)
    {
        foreach (byte[] name in FolderCalls.Names(folder, int.MaxValue))
        {
            bool isFolder = FolderCalls.Status(folder, name).Kind == EntryKind.Folder;
            if (isFolder)
            {
                using SafeFileHandle open = FolderCalls.OpenFolder(folder, name);
                Clear(open);
            }
            FolderCalls.Remove(folder, name, isFolder);
        }
    }
}
