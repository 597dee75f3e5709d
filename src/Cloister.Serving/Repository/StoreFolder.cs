using System.Globalization;
using Cloister.Sealing;

namespace Cloister.Serving.Repository;

/// <summary>
/// Where the versions of a model lie, for a base path B: <c>B.sealed</c>, <c>B/N.sealed</c>, <c>B/N/model.sealed</c>. The store is not
/// trusted: what it says decides only which files are tried.
/// </summary>
internal static class StoreFolder
{
    /// <summary>At most this many files of one model are looked at.</summary>
    public const int MaximumVersions = 10_000;

    private const string InFolder = "model" + SealedModelLoader.Extension;

    /// <summary>Every file that claims to be a version, the oldest first.</summary>
    /// <param name="basePath">The place of the model's versions.</param>
    /// <param name="name">How it is called in texts.</param>
    /// <param name="digest">If not empty, and there are several files, only those of this digest count.</param>
    /// <exception cref="IOException">The folder could not be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder could not be read.</exception>
    public static IReadOnlyList<StoredVersion> Find(string basePath, string name, string digest)
    {
        var found = new List<StoredVersion>();
        var single = new FileInfo(basePath + SealedModelLoader.Extension);
        if (FileStamp.Of(single) is { } stamp) found.Add(new StoredVersion(single.FullName, name + SealedModelLoader.Extension, Inspect(single.FullName)?.Header.Version ?? 0, false, stamp));
        var folder = new DirectoryInfo(basePath);
        if (folder.Exists)
            foreach (FileSystemInfo entry in folder.EnumerateFileSystemInfos())
            {
                if (OfEntry(entry, name) is { } version) found.Add(version);
                if (found.Count > MaximumVersions) throw new IOException($"There are more than {MaximumVersions} versions.");
            }
        if (digest.Length > 0 && found.Count > 1 && found.Where(version => HasDigest(version.Path, digest)).ToList() is { Count: > 0 } pinned) found = pinned;
        return [.. found.OrderBy(version => version.Number).ThenBy(version => version.Name, StringComparer.Ordinal)];
    }

    private static StoredVersion? OfEntry(FileSystemInfo entry, string name)
    {
        if (entry is DirectoryInfo)
        {
            if (!TryNumber(entry.Name, out long number)) return null;
            var inside = new FileInfo(Path.Combine(entry.FullName, InFolder));
            return FileStamp.Of(inside) is { } seen ? new StoredVersion(inside.FullName, $"{name}/{entry.Name}/{InFolder}", number, true, seen) : null;
        }
        return entry.Name.EndsWith(SealedModelLoader.Extension, StringComparison.Ordinal) && TryNumber(entry.Name[..^SealedModelLoader.Extension.Length], out long own)
            && FileStamp.Of((FileInfo)entry) is { } stamp
            ? new StoredVersion(entry.FullName, $"{name}/{entry.Name}", own, true, stamp)
            : null;
    }

    private static bool TryNumber(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static bool HasDigest(string path, string digest) => Inspect(path) is { } seen && string.Equals(seen.Digest, digest, StringComparison.OrdinalIgnoreCase);

    private static SealedInspection? Inspect(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            return SealedFile.Inspect(file);
        }
        catch (Exception unknown) when (unknown is SealingException or IOException or UnauthorizedAccessException)
        {
            // What is wrong with it is said when it is opened.
            return null;
        }
    }
}
