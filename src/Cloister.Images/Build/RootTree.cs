using Cloister.Images.Definition;

namespace Cloister.Images.Build;

/// <summary>What stands at a path of a root.</summary>
internal abstract record RootNode(int User, int Group);

/// <summary>A folder.</summary>
internal sealed record RootFolder(int Mode, int User = 0, int Group = 0) : RootNode(User, Group)
{
    public SortedDictionary<string, RootNode> Children { get; init; } = new(StringComparer.Ordinal);
}

/// <summary>A file.</summary>
internal sealed record RootFile(int Mode, FileContent Content, int User = 0, int Group = 0) : RootNode(User, Group);

/// <summary>A symbolic link; its target is read inside the root.</summary>
internal sealed record RootLink(string Target, int User = 0, int Group = 0) : RootNode(User, Group);

/// <summary>
/// A root filesystem in memory, sorted, so that its order never depends on a disk's. Paths are resolved in it as the machine will resolve
/// them: links are followed inside the root, and none leads out.
/// </summary>
internal sealed class RootTree
{
    /// <summary>Most files, folders and links.</summary>
    public const int MaximumEntries = 500_000;

    /// <summary>Most parts of a path.</summary>
    public const int MaximumDepth = 128;

    private const int MaximumLinks = 40, MaximumName = 255, FolderMode = 0b111_101_101;

    private int _entries;

    public RootFolder Root { get; private set; } = new(FolderMode);

    /// <summary>Makes a folder, or gives one that is there its mode and owner. A link to a folder stays what it is unless <paramref name="replaceLink"/>.</summary>
    public void PutFolder(string path, int mode, int user = 0, int group = 0, bool replaceLink = false)
    {
        if (path == "/")
        {
            // The root itself stays readable for everyone, or no program could be executed in it.
            return;
        }
        (RootFolder parent, string name) = Place(path);
        switch (parent.Children.GetValueOrDefault(name))
        {
            case RootFolder folder:
                parent.Children[name] = folder with { Mode = mode, User = user, Group = group };
                break;
            case RootLink when !replaceLink && Find(path) is RootFolder:
                break;
            case { } other when other is not RootLink && !replaceLink:
                throw Clash(path, "a file where a folder is to be");
            default:
                Put(parent, name, new RootFolder(mode, user, group));
                break;
        }
    }

    /// <summary>Puts a file, over a file or link that is there.</summary>
    public void PutFile(string path, int mode, FileContent content, int user = 0, int group = 0) => PutLeaf(path, new RootFile(mode, content, user, group));

    /// <summary>Puts a symbolic link, over a file or link that is there.</summary>
    public void PutLink(string path, string target, int user = 0, int group = 0)
    {
        if (target.Length is 0 or > 4095 || target.Contains('\0', StringComparison.Ordinal)) throw Clash(path, "a link without a proper target");
        PutLeaf(path, new RootLink(target, user, group));
    }

    /// <summary>Puts a second name of a file.</summary>
    public void PutHardLink(string path, string existing)
    {
        (RootFolder parent, string name) = Place(existing);
        if (parent.Children.GetValueOrDefault(name) is not (RootFile or RootLink) || parent.Children[name] is not { } node)
            throw Clash(path, $"a second name of {existing}, which is no file before it");
        PutLeaf(path, node);
    }

    /// <summary>Takes away what stands at a path, if anything does.</summary>
    public void Remove(string path)
    {
        (RootFolder parent, string name) = Place(path);
        if (parent.Children.Remove(name, out RootNode? gone)) _entries -= Count(gone);
    }

    /// <summary>Takes away all that a folder holds, but for the paths of <paramref name="keep"/>.</summary>
    public void Empty(string path, IReadOnlySet<string> keep)
    {
        if (Find(path) is not RootFolder folder) return;
        foreach ((string name, RootNode child) in folder.Children.ToArray())
        {
            string below = path == "/" ? $"/{name}" : $"{path}/{name}";
            if (!keep.Contains(below))
            {
                folder.Children.Remove(name);
                _entries -= Count(child);
            }
            else if (child is RootFolder)
            {
                Empty(below, keep);
            }
        }
    }

    /// <summary>What a path leads to, links followed; null if nothing.</summary>
    public RootNode? Find(string path)
    {
        int links = 0;
        return Resolve(path, ref links) is { } end ? end.Count == 0 ? Root : end[^1] : null;
    }

    /// <summary>All there is but the root itself: folders before what they hold, in the order of their names' bytes.</summary>
    public IEnumerable<(string Path, RootNode Node)> All() => All("", Root);

    private static IEnumerable<(string Path, RootNode Node)> All(string at, RootFolder folder)
    {
        foreach ((string name, RootNode node) in folder.Children)
        {
            string path = $"{at}/{name}";
            yield return (path, node);
            if (node is not RootFolder inner) continue;
            foreach ((string, RootNode) below in All(path, inner))
                yield return below;
        }
    }

    private void PutLeaf(string path, RootNode node)
    {
        if (path == "/") throw Clash(path, "a file where the root is to be");
        (RootFolder parent, string name) = Place(path);
        if (parent.Children.GetValueOrDefault(name) is RootFolder { Children.Count: > 0 }) throw Clash(path, "a file where a folder with content is");
        Put(parent, name, node);
    }

    private void Put(RootFolder parent, string name, RootNode node)
    {
        if (parent.Children.Remove(name, out RootNode? gone)) _entries -= Count(gone);
        if (++_entries > MaximumEntries) throw new ImageException(ImageError.SourceTooLarge, $"the root would have more than {MaximumEntries:N0} files and folders.");
        parent.Children.Add(name, node);
    }

    private static int Count(RootNode node) => node is RootFolder folder ? 1 + folder.Children.Values.Sum(Count) : 1;

    // The folder in which a path's last part stands; folders on the way are made.
    private (RootFolder Parent, string Name) Place(string path)
    {
        if (GuestPath.Problem(path) is { } problem) throw Clash(path, problem);
        if (path == "/") throw Clash(path, "the root itself");
        int cut = path.LastIndexOf('/');
        string name = path[(cut + 1)..];
        RootFolder at = Root;
        string walked = "";
        foreach (string part in path[..cut].Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            walked = $"{walked}/{part}";
            if (!at.Children.TryGetValue(part, out RootNode? next))
                Put(at, Checked(part, path), next = new RootFolder(FolderMode));
            int links = 0;
            if (next is RootLink) next = Resolve(walked, ref links) is { } end ? end.Count == 0 ? Root : end[^1] : null;
            at = next as RootFolder ?? throw Clash(path, $"{walked} is no folder");
        }
        if (path.AsSpan().Count('/') > MaximumDepth) throw Clash(path, $"more than {MaximumDepth} folders deep");
        return (at, Checked(name, path));
    }

    private static string Checked(string name, string path) =>
        System.Text.Encoding.UTF8.GetByteCount(name) <= MaximumName ? name : throw Clash(path, $"a name of more than {MaximumName} bytes");

    // The nodes from the root's first to the last of a path, no link among them; null if it leads nowhere.
    private List<RootNode>? Resolve(string path, ref int links)
    {
        var way = new List<RootNode>();
        var open = new Stack<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        while (open.TryPop(out string? part))
        {
            if (part == ".") continue;
            if (part == "..")
            {
                if (way.Count > 0) way.RemoveAt(way.Count - 1);
                continue;
            }
            if ((way.Count == 0 ? Root : way[^1]) is not RootFolder at || !at.Children.TryGetValue(part, out RootNode? next)) return null;
            if (next is not RootLink link)
            {
                way.Add(next);
                continue;
            }
            if (++links > MaximumLinks) return null;
            if (link.Target.StartsWith('/')) way.Clear();
            foreach (string inner in link.Target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                open.Push(inner);
        }
        return way;
    }

    private static ImageException Clash(string path, string reason) => new(ImageError.SourceRefused, $"{path}: {reason}.");
}
