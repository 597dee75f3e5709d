namespace Cloister.Coordinator.Stores;

/// <summary>The few file operations that atomic writing needs, one system call each, so that a test can stop after any of them.</summary>
internal interface IFileLayer
{
    /// <summary>The whole file, or null if there is none. Throws <see cref="StoreException"/> (TooLarge) above <paramref name="maxBytes"/>.</summary>
    byte[]? Read(string path, long maxBytes);

    /// <summary>A new, empty file only its owner can read; an old one of that name is emptied.</summary>
    IWrittenFile Create(string path);

    /// <summary>How many bytes the file has; null if there is none.</summary>
    long? Length(string path);

    /// <summary>Opens a file to write on at <paramref name="offset"/>, which is its end.</summary>
    IWrittenFile Append(string path, long offset);

    /// <summary>Gives the file its new name, replacing what bore it.</summary>
    void Rename(string from, string to);

    /// <summary>Makes the folder's names durable.</summary>
    void FlushFolder(string folder);
}

/// <summary>A file being written.</summary>
internal interface IWrittenFile : IDisposable
{
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Makes the content durable.</summary>
    void Flush();
}

/// <summary>Replaces a file so that a crash at any moment leaves the old content or the new.</summary>
internal static class AtomicFile
{
    /// <summary>Writes beside, flushes, renames, flushes the folder. <paramref name="reached"/> tells how far it came when it throws.</summary>
    public static void Replace(IFileLayer files, string path, ReadOnlySpan<byte> content, out Stage reached)
    {
        reached = Stage.OldInPlace;
        string beside = path + ".new";
        using (IWrittenFile file = files.Create(beside))
        {
            file.Write(content);
            file.Flush();
        }
        reached = Stage.Unknown;
        files.Rename(beside, path);
        files.FlushFolder(Path.GetDirectoryName(path)!);
        reached = Stage.NewInPlace;
    }

    internal enum Stage
    {
        OldInPlace,
        Unknown,
        NewInPlace,
    }
}
