using System.IO.Enumeration;
using System.Security.Cryptography;
using System.Text;
using Cloister.Onnx.Pictures;

namespace Cloister.Partitioning.Pictures;

/// <summary>A file, or a record of a CIFAR file, that may be a picture.</summary>
/// <param name="Name">For people: the path below the folder that was given, and the record's number.</param>
/// <param name="Path">The file.</param>
/// <param name="Record">The record, or -1 where the file is one picture.</param>
internal sealed record PictureCandidate(string Name, string Path, int Record)
{
    private const int CifarRecord = 3073, CifarSide = 32, MostCandidates = 5_000_000;

    // The pictures are the owner's own: photographs of any camera, one at a time.
    private static readonly PictureLimits Limits = new() { MaxPixels = 64_000_000 };

    /// <summary>Everything below the paths, in an order that the seed alone decides, whatever order the file system has.</summary>
    public static PictureCandidate[] Find(IReadOnlyList<string> paths, int seed)
    {
        if (paths.Count == 0) throw Refused("No folder or file of pictures is given.");
        var found = new List<PictureCandidate>();
        foreach (string path in paths)
        {
            try
            {
                if (Directory.Exists(path))
                    foreach (string file in FilesBelow(path)) Add(found, System.IO.Path.GetRelativePath(path, file), file);
                else if (File.Exists(path))
                    Add(found, System.IO.Path.GetFileName(path), path);
                else
                    throw Refused($"'{path}' is not there.");
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new PartitioningException(PartitioningError.PicturesRefused, $"'{path}' cannot be read: {exception.Message}", exception);
            }
        }
        PictureCandidate[] candidates = [.. found];
        Array.Sort([.. candidates.Select(candidate => candidate.Rank(seed))], candidates, StringComparer.Ordinal);
        return candidates;
    }

    /// <summary>Reads the picture.</summary>
    /// <exception cref="PartitioningException">It is none that can be read; the text says why.</exception>
    public Picture Read()
    {
        try
        {
            return Record >= 0 ? ReadCifar() : ReadFile();
        }
        catch (PictureException refusal)
        {
            throw new PartitioningException(PartitioningError.PicturesRefused, refusal.Message, refusal);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PartitioningException(PartitioningError.PicturesRefused, exception.Message, exception);
        }
    }

    // Folders behind links are not entered, so that none contains itself; files behind links are read.
    private static FileSystemEnumerable<string> FilesBelow(string folder) => new(folder, (ref FileSystemEntry entry) => entry.ToFullPath(), new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden | FileAttributes.System, MaxRecursionDepth = 64 })
    {
        ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory,
        ShouldRecursePredicate = (ref FileSystemEntry entry) => (entry.Attributes & FileAttributes.ReparsePoint) == 0,
    };

    private static void Add(List<PictureCandidate> found, string name, string file)
    {
        name = name.Replace('\\', '/');
        int records = name.EndsWith(".bin", StringComparison.OrdinalIgnoreCase) ? CifarRecords(file) : 0;
        if (found.Count + Math.Max(1, records) > MostCandidates) throw Refused($"There are more than {MostCandidates:N0} pictures; name a folder with fewer.");
        if (records == 0) found.Add(new PictureCandidate(name, file, -1));
        for (int record = 0; record < records; record++) found.Add(new PictureCandidate($"{name}#{record}", file, record));
    }

    private static int CifarRecords(string file)
    {
        long length = new FileInfo(file).Length;
        return length % CifarRecord == 0 && length / CifarRecord <= MostCandidates ? (int)(length / CifarRecord) : 0;
    }

    private string Rank(int seed) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}\n{Name}"))) + Name;

    private Picture ReadCifar()
    {
        using FileStream file = File.OpenRead(Path);
        byte[] record = new byte[CifarRecord];
        file.Position = (long)Record * CifarRecord;
        file.ReadExactly(record);
        const int plane = CifarSide * CifarSide;
        byte[] rgb = new byte[3 * plane];
        for (int i = 0; i < plane; i++)
            for (int channel = 0; channel < 3; channel++) rgb[3 * i + channel] = record[1 + channel * plane + i];
        return new Picture(CifarSide, CifarSide, rgb);
    }

    private Picture ReadFile()
    {
        if (new FileInfo(Path).Length is var length && length > Limits.MaxFileBytes) throw Refused($"it has {length:N0} bytes; at most {Limits.MaxFileBytes:N0} are read.");
        byte[] bytes = File.ReadAllBytes(Path);
        if (PpmReader.Recognises(bytes)) return PpmReader.Read(bytes, Limits);
        if (Path.EndsWith(".bin", StringComparison.OrdinalIgnoreCase)) throw Refused($"CIFAR-10's binary format has {CifarRecord} bytes a record, and its {bytes.Length:N0} bytes are no whole number of them.");
        return PictureFile.Read(bytes, Limits);
    }

    private static PartitioningException Refused(string why) => new(PartitioningError.PicturesRefused, why);
}
