using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Cloister.Images.Build;

/// <summary>Keeps the last built roots: images that differ in configuration only have one root, and it is built once.</summary>
internal sealed class RootCache(string folder)
{
    private const int Kept = 6;

    /// <summary>What a root depends on: all that is in the tree, and who writes it how.</summary>
    public static string Key(RootTree tree, string writer)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[4];
        foreach (string part in tree.All().SelectMany(one => Describe(one.Path, one.Node)).Prepend(writer))
        {
            byte[] bytes = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Copies a kept root to a place; null if there is none, or what is kept is no longer whole.</summary>
    public async Task<RootDisk?> TakeAsync(string key, string path, CancellationToken cancellation)
    {
        if (!File.Exists(Facts(key)) || !File.Exists(Image(key))) return null;
        File.Copy(Image(key), path);
        try
        {
            using var facts = JsonDocument.Parse(await File.ReadAllBytesAsync(Facts(key), cancellation));
            var disk = new RootDisk(path, facts.RootElement.GetProperty("dataBlocks").GetInt64(),
                Convert.FromHexString(facts.RootElement.GetProperty("rootHash").GetString()!), Convert.FromHexString(facts.RootElement.GetProperty("salt").GetString()!));
            if (await VerityTree.IsIntactAsync(disk, cancellation))
            {
                File.SetLastWriteTimeUtc(Image(key), TimeProvider.System.GetUtcNow().UtcDateTime);
                return disk;
            }
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            File.Delete(Facts(key)); // it is built again
        }
        File.Delete(path);
        return null;
    }

    /// <summary>Keeps a root that was built, and forgets the oldest.</summary>
    public async Task KeepAsync(string key, RootDisk disk, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        string temporary = $"{Image(key)}.{Guid.NewGuid():N}";
        try
        {
            File.Copy(disk.Path, temporary);
            File.Move(temporary, Image(key), overwrite: true);
            await File.WriteAllTextAsync(temporary, $$"""{"dataBlocks":{{disk.DataBlocks}},"rootHash":"{{Convert.ToHexStringLower(disk.RootHash.Span)}}","salt":"{{Convert.ToHexStringLower(disk.Salt.Span)}}"}""", cancellation);
            File.Move(temporary, Facts(key), overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
        foreach (FileInfo old in new DirectoryInfo(folder).EnumerateFiles("*.img").OrderByDescending(file => file.LastWriteTimeUtc).Skip(Kept))
        {
            File.Delete(Path.ChangeExtension(old.FullName, ".json"));
            old.Delete();
        }
    }

    private string Image(string key) => Path.Combine(folder, key + ".img");

    private string Facts(string key) => Path.Combine(folder, key + ".json");

    private static string[] Describe(string path, RootNode node) => node switch
    {
        RootFolder it => [path, "folder", $"{it.Mode} {it.User} {it.Group}"],
        RootFile it => [path, "file", $"{it.Mode} {it.User} {it.Group}", it.Content.Sha256],
        RootLink it => [path, "link", $"{it.User} {it.Group}", it.Target],
        _ => throw new InvalidOperationException("A kind of node that is not kept."),
    };
}
