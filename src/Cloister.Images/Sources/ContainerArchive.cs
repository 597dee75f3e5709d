using System.Collections.Immutable;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Cloister.Images.Build;

namespace Cloister.Images.Sources;

/// <summary>One layer of a container image.</summary>
/// <param name="Member">The archive's member that holds it.</param>
/// <param name="Digest">SHA-256 of that member; null where the archive states none.</param>
/// <param name="Content">SHA-256 of the uncompressed tar.</param>
internal sealed record ContainerLayer(string Member, string? Digest, string Content);

/// <summary>
/// Reads a container image from a tar: an OCI image layout (OCI image specification 1.1, image-layout.md) or what <c>docker save</c> writes.
/// Every digest that the archive states is checked; layers are plain or gzip.
/// </summary>
internal sealed class ContainerArchive
{
    /// <summary>Most bytes of a JSON document in an archive.</summary>
    internal const int MaximumDocument = 4 << 20;

    private const int MaximumMembers = 10_000, MaximumLayers = 256;
    private const string Sha256 = "sha256:";

    private readonly Stream _tar;
    private readonly string _what;
    private readonly Dictionary<string, long> _members = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> _documents = new(StringComparer.Ordinal);

    private ContainerArchive(Stream tar, string what) => (_tar, _what) = (tar, what);

    /// <summary>The layers, lowest first.</summary>
    public ImmutableArray<ContainerLayer> Layers { get; private set; } = [];

    /// <summary>How the image wants to be started.</summary>
    public ContainerConfiguration Configuration { get; private set; } = new();

    /// <summary>Opens an archive's file.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.SourceUnreadable"/>.</exception>
    public static FileStream OpenFile(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(ImageError.SourceUnreadable, $"'{path}' cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Reads what an archive says of itself.</summary>
    /// <param name="tar">The archive, which can seek.</param>
    /// <param name="what">Its name, for refusals.</param>
    /// <param name="cancellation">Ends reading.</param>
    /// <exception cref="ImageException"><see cref="ImageError.ArchiveInvalid"/> and what else its entries give.</exception>
    public static async Task<ContainerArchive> OpenAsync(Stream tar, string what, CancellationToken cancellation)
    {
        var archive = new ContainerArchive(tar, what);
        try
        {
            await archive.IndexAsync(cancellation);
            if (archive._documents.ContainsKey("index.json")) archive.ReadLayout();
            else if (archive._documents.ContainsKey("manifest.json")) archive.ReadSaved();
            else throw archive.Refuse("has neither index.json nor manifest.json: it is no container image. For a plain tar, unpack it and name the folder");
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or KeyNotFoundException || TarUnpacker.IsMalformed(malformed))
        {
            throw new ImageException(ImageError.ArchiveInvalid, $"{what} is not a container archive that can be read: {malformed.Message}", malformed);
        }
        return archive;
    }

    /// <summary>Puts all layers into a root, in their order.</summary>
    public async Task PutIntoAsync(RootTree tree, ContentStore contents, string to, IProgress<BuildProgress>? progress, CancellationToken cancellation)
    {
        for (int index = 0; index < Layers.Length; index++)
        {
            progress?.Report(new BuildProgress(BuildStage.Unpack, index, Layers.Length, $"{_what}, layer {index + 1}"));
            await PutLayerAsync(Layers[index], tree, contents, to, cancellation);
        }
    }

    private async Task PutLayerAsync(ContainerLayer layer, RootTree tree, ContentStore contents, string to, CancellationToken cancellation)
    {
        string name = $"{_what}, layer {layer.Member}";
        try
        {
            await using Stream member = await OpenMemberAsync(layer.Member, cancellation);
            if (layer.Digest is { } stated && Hex(await SHA256.HashDataAsync(member, cancellation)) != stated)
                throw Refuse($"has the layer {layer.Member}, whose digest is not the stated {stated}");
            member.Position = 0;
            // Bounded before it is written: a few kilobytes of gzip can hold terabytes.
            await using FileStream unpacked = contents.NewTemporary();
            await using (Stream plain = await DecompressAsync(member, name, cancellation))
                if (Hex(await CopyAsync(plain, unpacked, contents.Maximum, name, cancellation)) != layer.Content)
                    throw Refuse($"has the layer {layer.Member}, whose content is not the stated {layer.Content}");
            unpacked.Position = 0;
            await new TarUnpacker(tree, contents, to, new TarRules { KeepOwners = true, Whiteouts = true, ReplaceLinks = true }, name).UnpackAsync(unpacked, cancellation);
        }
        catch (Exception malformed) when (TarUnpacker.IsMalformed(malformed))
        {
            throw new ImageException(ImageError.ArchiveInvalid, $"{name} cannot be read: {malformed.Message}", malformed);
        }
    }

    private static async Task<byte[]> CopyAsync(Stream source, Stream target, long maximum, string what, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[1 << 20];
        long length = 0;
        while (await source.ReadAsync(buffer, cancellation) is > 0 and int read)
        {
            if ((length += read) > maximum) throw new ImageException(ImageError.SourceTooLarge, $"{what} unpacks to more than {maximum:N0} bytes.");
            hash.AppendData(buffer, 0, read);
            await target.WriteAsync(buffer.AsMemory(0, read), cancellation);
        }
        return hash.GetHashAndReset();
    }

    private static async Task<Stream> DecompressAsync(Stream layer, string name, CancellationToken cancellation)
    {
        byte[] magic = new byte[4];
        int read = await layer.ReadAtLeastAsync(magic, magic.Length, throwOnEndOfStream: false, cancellation);
        layer.Position = 0;
        return magic.AsSpan(0, read) switch
        {
            [0x1f, 0x8b, ..] => new GZipStream(layer, CompressionMode.Decompress),
            [0x28, 0xb5, 0x2f, 0xfd] => throw new ImageException(ImageError.ArchiveInvalid, $"{name} is compressed with zstd, which this program cannot undo; write the archive anew with gzip (docker save, or skopeo copy --dest-compress-format gzip)."),
            _ => layer,
        };
    }

    private async Task IndexAsync(CancellationToken cancellation)
    {
        _tar.Position = 0;
        await using var reader = new TarReader(_tar, leaveOpen: true);
        while (await reader.GetNextEntryAsync(copyData: false, cancellation) is { } entry)
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile)) continue;
            string name = entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name;
            if (_members.Count == MaximumMembers) throw Refuse($"has more than {MaximumMembers} members");
            if (!_members.TryAdd(name, entry.Length)) throw Refuse($"has {name} twice");
            if (entry.Length > MaximumDocument || entry.DataStream is null || !(name.EndsWith(".json", StringComparison.Ordinal) || name.StartsWith("blobs/", StringComparison.Ordinal))) continue;
            byte[] bytes = new byte[entry.Length];
            await entry.DataStream.ReadExactlyAsync(bytes, cancellation);
            if (bytes.Length > 0 && bytes[0] is (byte)'{' or (byte)'[') _documents.Add(name, bytes);
        }
    }

    private async Task<Stream> OpenMemberAsync(string member, CancellationToken cancellation)
    {
        _tar.Position = 0;
        var reader = new TarReader(_tar, leaveOpen: true);
        while (await reader.GetNextEntryAsync(copyData: false, cancellation) is { } entry)
            if ((entry.Name == member || entry.Name == "./" + member) && entry.DataStream is { CanSeek: true } data) return data;
        throw Refuse($"has no {member}");
    }

    private void ReadLayout()
    {
        JsonElement manifest = ManifestOf(Parse("index.json"), 0);
        string config = Digest(manifest.GetProperty("config"));
        JsonElement[] layers = [.. manifest.GetProperty("layers").EnumerateArray()];
        Take(Blob(config), [.. layers.Select(layer => ($"blobs/sha256/{Digest(layer)}", (string?)Digest(layer)))]);
    }

    // An index may name indexes; what is wanted is the one image for this machine.
    private JsonElement ManifestOf(JsonElement index, int depth)
    {
        if (depth > 4) throw Refuse("has indexes in indexes in indexes");
        if (index.TryGetProperty("layers", out _)) return index;
        JsonElement[] all = [.. index.GetProperty("manifests").EnumerateArray().Where(IsForThisMachine)];
        return all.Length == 1
            ? ManifestOf(Blob(Digest(all[0])), depth + 1)
            : throw Refuse(all.Length == 0 ? "holds no image for linux/amd64" : $"holds {all.Length} images for linux/amd64; save one");
    }

    private static bool IsForThisMachine(JsonElement descriptor) =>
        !descriptor.TryGetProperty("platform", out JsonElement platform)
        || (platform.GetProperty("os").GetString() == "linux" && platform.GetProperty("architecture").GetString() == "amd64");

    private void ReadSaved()
    {
        JsonElement list = Parse("manifest.json");
        if (list.GetArrayLength() != 1) throw Refuse($"holds {list.GetArrayLength()} images; save one");
        string config = list[0].GetProperty("Config").GetString()!;
        // Its configuration is named by its digest, in both of the ways that docker save has had.
        string name = config.Split('/')[^1].Replace(".json", "", StringComparison.Ordinal);
        byte[] bytes = Document(config);
        if (Hex(SHA256.HashData(bytes)) != name) throw Refuse($"has the configuration {config}, whose digest is another");
        Take(JsonDocument.Parse(bytes).RootElement, [.. list[0].GetProperty(nameof(Layers)).EnumerateArray().Select(layer => (layer.GetString()!, (string?)null))]);
    }

    private void Take(JsonElement config, ImmutableArray<(string Member, string? Digest)> layers)
    {
        string[] contents = [.. config.GetProperty("rootfs").GetProperty("diff_ids").EnumerateArray().Select(one => Stated(one.GetString()))];
        if (contents.Length != layers.Length || layers.Length > MaximumLayers) throw Refuse($"has {layers.Length} layers and {contents.Length} digests of them");
        foreach ((string member, _) in layers)
            if (!_members.ContainsKey(member)) throw Refuse($"has no {member}");
        Layers = [.. layers.Zip(contents, (layer, content) => new ContainerLayer(layer.Member, layer.Digest, content))];
        Configuration = ContainerConfiguration.Read(config);
    }

    private JsonElement Blob(string digest)
    {
        string member = $"blobs/sha256/{digest}";
        byte[] bytes = Document(member);
        return Hex(SHA256.HashData(bytes)) == digest ? JsonDocument.Parse(bytes).RootElement : throw Refuse($"has {member}, whose digest is another");
    }

    private JsonElement Parse(string member) => JsonDocument.Parse(Document(member)).RootElement;

    private byte[] Document(string member) => _documents.TryGetValue(member, out byte[]? bytes) ? bytes : throw Refuse($"has no {member}, or it is no document of at most {MaximumDocument:N0} bytes");

    private string Digest(JsonElement descriptor) => Stated(descriptor.GetProperty("digest").GetString());

    private string Stated(string? digest) =>
        digest is { Length: 71 } && digest.StartsWith(Sha256, StringComparison.Ordinal) && digest.Skip(Sha256.Length).All(char.IsAsciiHexDigitLower) ? digest[Sha256.Length..] : throw Refuse($"states the digest '{digest}', which is no SHA-256");

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

    private ImageException Refuse(string reason) => new(ImageError.ArchiveInvalid, $"{_what} {reason}.");

    /// <summary>Fuzz target: any bytes give an archive or a refusal, and so does unpacking what was accepted.</summary>
    internal static async Task FuzzAsync(byte[] bytes, string folder)
    {
        try
        {
            using var tar = new MemoryStream(bytes, writable: false);
            ContainerArchive archive = await OpenAsync(tar, "archive", CancellationToken.None);
            await using var contents = new ContentStore(folder, 1 << 20);
            await archive.PutIntoAsync(new RootTree(), contents, "/", null, CancellationToken.None);
        }
        catch (ImageException)
        {
            return;
        }
    }
}
