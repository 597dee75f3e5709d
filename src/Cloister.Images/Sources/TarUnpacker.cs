using System.Formats.Tar;
using Cloister.Images.Build;
using Cloister.Images.Definition;

namespace Cloister.Images.Sources;

/// <summary>How a tar is put into a root.</summary>
internal sealed record TarRules
{
    /// <summary>Whether numbers of users and groups are kept; otherwise root owns everything.</summary>
    public bool KeepOwners { get; init; }

    /// <summary>Whether names that begin with <c>.wh.</c> take away what lower layers have (OCI image layer specification).</summary>
    public bool Whiteouts { get; init; }

    /// <summary>Whether a folder takes the place of a link to a folder; packages keep the link, layers do not.</summary>
    public bool ReplaceLinks { get; init; }

    /// <summary>Says of a path inside whether it is wanted; null: everything is.</summary>
    public Func<string, bool>? Wanted { get; init; }
}

/// <summary>Puts one tar into a root. A path that leads out, a device, a claim that is too large is refused.</summary>
internal sealed class TarUnpacker(RootTree tree, ContentStore contents, string to, TarRules rules, string what)
{
    private const string Whiteout = ".wh.", Opaque = ".wh..wh..opq";
    private const int ModeBits = 0b111_111_111, MaximumOwner = 65534;

    // Of this tar itself, with the folders above: what an opaque folder does not hide.
    private readonly HashSet<string> _own = new(StringComparer.Ordinal);

    /// <summary>Reads the tar to its end.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.ArchiveInvalid"/>, <see cref="ImageError.SourceRefused"/> or <see cref="ImageError.SourceTooLarge"/>.</exception>
    public async Task UnpackAsync(Stream tar, CancellationToken cancellation)
    {
        try
        {
            await using var reader = new TarReader(tar, leaveOpen: true);
            int entries = 0;
            while (await reader.GetNextEntryAsync(copyData: false, cancellation) is { } entry)
            {
                if (++entries > RootTree.MaximumEntries) throw new ImageException(ImageError.SourceTooLarge, $"{what}: more than {RootTree.MaximumEntries:N0} entries.");
                await PutAsync(entry, cancellation);
            }
        }
        catch (Exception malformed) when (IsMalformed(malformed))
        {
            throw new ImageException(ImageError.ArchiveInvalid, $"{what} is not a tar that can be read: {malformed.Message}", malformed);
        }
    }

    /// <summary>What the framework's readers of tar and gzip throw for bytes that are none.</summary>
    internal static bool IsMalformed(Exception exception) =>
        exception is InvalidDataException or EndOfStreamException or FormatException or ArgumentException or OverflowException or NotSupportedException or IOException;

    private async Task PutAsync(TarEntry entry, CancellationToken cancellation)
    {
        if (entry.EntryType == TarEntryType.GlobalExtendedAttributes) return;
        string path = PathOf(entry.Name);
        string name = path[(path.LastIndexOf('/') + 1)..];
        if (rules.Whiteouts && name.StartsWith(Whiteout, StringComparison.Ordinal))
        {
            Hide(path[..path.LastIndexOf('/')], name);
            return;
        }
        if (rules.Wanted is { } wanted && !wanted(path)) return;
        string place = SourceList.Join(to, path.TrimStart('/'));
        int mode = (int)entry.Mode & ModeBits;
        (int user, int group) = rules.KeepOwners ? (Math.Clamp(entry.Uid, 0, MaximumOwner), Math.Clamp(entry.Gid, 0, MaximumOwner)) : (0, 0);
        switch (entry.EntryType)
        {
            case TarEntryType.Directory or TarEntryType.DirectoryList:
                tree.PutFolder(place, mode, user, group, rules.ReplaceLinks);
                break;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                FileContent content = await contents.AddAsync(entry.DataStream ?? Stream.Null, $"{what}: {path}", cancellation);
                Clear(place);
                tree.PutFile(place, mode, content, user, group);
                break;
            case TarEntryType.SymbolicLink:
                Clear(place);
                tree.PutLink(place, entry.LinkName, user, group);
                break;
            case TarEntryType.HardLink:
                tree.PutHardLink(place, SourceList.Join(to, PathOf(entry.LinkName).TrimStart('/')));
                break;
            case TarEntryType.CharacterDevice or TarEntryType.BlockDevice or TarEntryType.Fifo when GuestPath.IsWithin(place, "/dev"):
                break; // the machine makes its own /dev
            default:
                throw new ImageException(ImageError.SourceRefused, $"{what}: {path} is a {entry.EntryType}; an image holds files, folders and links.");
        }
        if (!rules.Whiteouts) return;
        for (string at = place; at.Length > 0; at = at[..at.LastIndexOf('/')])
            _own.Add(at);
    }

    // In a layer, whatever is there gives way.
    private void Clear(string place)
    {
        if (rules.Whiteouts) tree.Remove(place);
    }

    private void Hide(string folder, string name)
    {
        string at = SourceList.Join(to, folder.TrimStart('/'));
        if (name == Opaque) tree.Empty(at, _own);
        else if (name.Length > Whiteout.Length && name[Whiteout.Length..] is not ("." or "..") and var hidden) tree.Remove(SourceList.Join(at, hidden));
        else throw Refuse(name, "is a whiteout of nothing");
    }

    private string PathOf(string name)
    {
        if (name.StartsWith('/')) throw Refuse(name, "is an absolute path");
        string[] parts = [.. name.Split('/').Where(part => part is not ("" or "."))];
        if (parts.Contains("..")) throw Refuse(name, "leads out of the root");
        string path = "/" + string.Join('/', parts);
        return GuestPath.Problem(path) is { } problem ? throw Refuse(name, problem) : path;
    }

    private ImageException Refuse(string name, string reason) => new(ImageError.SourceRefused, $"{what}: the entry '{name}' {reason}.");
}
