using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Cloister.Tests;

/// <summary>Makes container archives, good ones and others.</summary>
internal static class TestArchive
{
    public static PaxTarEntry File(string name, string content, UnixFileMode mode = (UnixFileMode)0x1A4) =>
        new(TarEntryType.RegularFile, name) { Mode = mode, DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) };

    public static PaxTarEntry Folder(string name) => new(TarEntryType.Directory, name) { Mode = (UnixFileMode)0x1ED };

    public static PaxTarEntry Link(string name, string target, TarEntryType type = TarEntryType.SymbolicLink) => new(type, name) { LinkName = target };

    public static byte[] Tar(params TarEntry[] entries)
    {
        using var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, leaveOpen: true))
            foreach (TarEntry entry in entries)
            {
                if (entry.DataStream is { } content) content.Position = 0;
                writer.WriteEntry(entry);
            }
        return stream.ToArray();
    }

    public static byte[] Gzip(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(bytes);
        return stream.ToArray();
    }

    /// <summary>An OCI image layout of gzip layers, in one tar.</summary>
    public static byte[] Layout(JsonObject? config, params byte[][] layers)
    {
        byte[][] packed = [.. layers.Select(Gzip)];
        byte[] document = Config(config, layers);
        byte[] manifest = Bytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["config"] = Descriptor(document),
            ["layers"] = new JsonArray([.. packed.Select(layer => (JsonNode)Descriptor(layer))]),
        });
        JsonObject listed = Descriptor(manifest);
        listed["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = "amd64" };
        JsonObject foreign = Descriptor([]);
        foreign["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = "arm64" };
        byte[] index = Bytes(new JsonObject { ["schemaVersion"] = 2, ["manifests"] = new JsonArray(foreign, listed) });
        return Tar([Raw("oci-layout", Bytes(new JsonObject { ["imageLayoutVersion"] = "1.0.0" })), Raw("index.json", index), .. packed.Prepend(document).Prepend(manifest).Select(blob => Raw("blobs/sha256/" + Hex(blob), blob))]);
    }

    /// <summary>What docker save wrote before it wrote layouts.</summary>
    public static byte[] Saved(JsonObject? config, params byte[][] layers)
    {
        byte[] document = Config(config, layers);
        string[] names = [.. layers.Select((_, index) => $"layer{index}/layer.tar")];
        byte[] manifest = Bytes(new JsonArray(new JsonObject { ["Config"] = Hex(document) + ".json", ["RepoTags"] = new JsonArray("x:1"), ["Layers"] = new JsonArray([.. names.Select(name => (JsonNode)name)]) }));
        return Tar([Raw("manifest.json", manifest), Raw(Hex(document) + ".json", document), .. layers.Select((layer, index) => Raw(names[index], layer))]);
    }

    public static PaxTarEntry Raw(string name, byte[] content) => new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) };

    public static string Hex(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static byte[] Config(JsonObject? config, byte[][] layers) => Bytes(new JsonObject
    {
        ["os"] = "linux",
        ["architecture"] = "amd64",
        ["config"] = config?.DeepClone(),
        ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. layers.Select(layer => (JsonNode)("sha256:" + Hex(layer)))]) },
    });

    private static JsonObject Descriptor(byte[] blob) => new() { ["digest"] = "sha256:" + Hex(blob), ["size"] = blob.Length };

    private static byte[] Bytes(JsonNode node) => Encoding.UTF8.GetBytes(node.ToJsonString());
}
