namespace Cloister.Serving.Repository;

/// <summary>By what a file is known to be another one than before: a replaced file has another birth, one that is written over another time.</summary>
internal readonly record struct FileStamp(long Length, DateTime Written, DateTime Born)
{
    /// <summary>The file as it is now; null if it is not there, or no longer.</summary>
    public static FileStamp? Of(FileInfo file)
    {
        try
        {
            return file.Exists ? new FileStamp(file.Length, file.LastWriteTimeUtc, file.CreationTimeUtc) : null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
