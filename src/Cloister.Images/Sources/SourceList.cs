using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Cloister.Images.Build;

namespace Cloister.Images.Sources;

/// <summary>One thing that a source gives: a folder, a file with its content, or a link with its target.</summary>
/// <param name="Path">Relative to the source, <c>a/b</c>; empty for the source itself.</param>
/// <param name="Mode">Access rights, nine bits.</param>
/// <param name="Content">A file's content.</param>
/// <param name="Target">A link's target.</param>
internal sealed record SourceItem(string Path, int Mode, FileContent? Content = null, string? Target = null);

/// <summary>What a directory holds, sorted, and the digest of it all.</summary>
internal sealed class SourceList(IReadOnlyList<SourceItem> items)
{
    public IReadOnlyList<SourceItem> Items { get; } = items;

    /// <summary>SHA-256 over every item: path, kind, mode, and content's digest or target, each with its length before it.</summary>
    public string Sha256 { get; } = Digest(items);

    /// <summary>Puts everything at a place in a root, owned by root.</summary>
    public void PutInto(RootTree tree, string to)
    {
        foreach (SourceItem item in Items)
        {
            string path = Join(to, item.Path);
            if (item.Content is { } content) tree.PutFile(path, item.Mode, content);
            else if (item.Target is { } target) tree.PutLink(path, target);
            else tree.PutFolder(path, item.Mode);
        }
    }

    internal static string Join(string folder, string path) => path.Length == 0 ? folder : folder == "/" ? "/" + path : $"{folder}/{path}";

    private static string Digest(IReadOnlyList<SourceItem> items)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[4];
        foreach (SourceItem item in items)
        {
            (string kind, string value) = item.Content is { } content ? ("file", content.Sha256) : item.Target is { } target ? ("link", target) : ("folder", "");
            foreach (string part in new[] { item.Path, kind, Convert.ToString(item.Mode, 8), value })
            {
                byte[] bytes = Encoding.UTF8.GetBytes(part);
                BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
                hash.AppendData(length);
                hash.AppendData(bytes);
            }
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
