using System.Formats.Tar;
using System.Security.Cryptography;
using Cloister.Images.Sources;
using Cloister.Sealing;

namespace Cloister.Images.Build;

/// <summary>An image as one file, to be carried: a tar of its files in one order, with every time zero, so that equal images are equal packages.</summary>
public static class ImagePackage
{
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const long MaximumMember = 64L << 30;

    // Measurements last, as in a folder: a package that was cut off is no image.
    private static readonly string[] Members = [ImageLayout.Definition, ImageLayout.Lock, ImageLayout.Uki, ImageLayout.Root, ImageLayout.Disk, ImageLayout.Measurements];

    /// <summary>Writes a package, over one that is there.</summary>
    /// <param name="image">The image.</param>
    /// <param name="path">The tar.</param>
    /// <param name="disk">Whether it also holds a disk to boot from, <see cref="ImageLayout.Disk"/>.</param>
    /// <param name="cancellation">Before it is whole: nothing has changed.</param>
    public static async Task WriteAsync(ImageFolder image, string path, bool disk, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(image);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        await AtomicFile.WriteAsync(path, async (stream, token) =>
        {
            await using var writer = new TarWriter(stream, TarEntryFormat.Gnu, leaveOpen: true);
            foreach (string name in Members)
            {
                await using Stream? content = name == ImageLayout.Disk ? (disk ? new MemoryStream(BootDisk.Make(image.ReadUki().Span)) : null) : OpenMember(image, name);
                if (content is null) continue;
                await writer.WriteEntryAsync(new GnuTarEntry(TarEntryType.RegularFile, name) { Mode = Readable, ModificationTime = DateTimeOffset.UnixEpoch, DataStream = content }, token);
            }
        }, Readable, cancellation);
    }

    /// <summary>Unpacks a package into the cache, once per content.</summary>
    /// <returns>The image's folder.</returns>
    /// <exception cref="ImageException"><see cref="ImageError.ImageInvalid"/>: it is no package of an image.</exception>
    public static async Task<string> UnpackAsync(string path, string cache, CancellationToken cancellation)
    {
        await using FileStream tar = ContainerArchive.OpenFile(path);
        string target = Path.Combine(cache, "images", Convert.ToHexStringLower(await SHA256.HashDataAsync(tar, cancellation)));
        if (File.Exists(Path.Combine(target, ImageLayout.Measurements))) return target;
        tar.Position = 0;
        using OutputFolder output = OutputFolder.Begin(target, _ => true);
        try
        {
            await using var reader = new TarReader(tar, leaveOpen: true);
            while (await reader.GetNextEntryAsync(copyData: false, cancellation) is { } entry)
            {
                if (!Members.Contains(entry.Name) || entry.EntryType != TarEntryType.RegularFile || entry.Length > MaximumMember || entry.DataStream is null)
                    throw Refuse(path, $"'{entry.Name}' is no part of one");
                await using var file = new FileStream(Path.Combine(output.Path, entry.Name), FileMode.CreateNew, FileAccess.Write);
                await entry.DataStream.CopyToAsync(file, cancellation);
            }
        }
        catch (Exception malformed) when (TarUnpacker.IsMalformed(malformed))
        {
            throw new ImageException(ImageError.ImageInvalid, $"'{path}' is not the package of an image: {malformed.Message}", malformed);
        }
        if (!File.Exists(Path.Combine(output.Path, ImageLayout.Measurements))) throw Refuse(path, $"it has no {ImageLayout.Measurements}");
        output.Publish();
        return target;
    }

    private static FileStream OpenMember(ImageFolder image, string name) => new(Path.Combine(image.Path, name), FileMode.Open, FileAccess.Read, FileShare.Read);

    private static ImageException Refuse(string path, string reason) => new(ImageError.ImageInvalid, $"'{path}' is not the package of an image: {reason}.");
}
