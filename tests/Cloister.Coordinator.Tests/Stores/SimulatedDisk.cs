using Cloister.Coordinator.Stores;

namespace Cloister.Coordinator.Tests.Stores;

/// <summary>
/// A disk that remembers what was made durable and what was not, and dies after a given number of operations. What a crash leaves
/// is every combination that a file system may leave: any of the renames and creations since the last flush of the folder,
/// and of unflushed content nothing, a part, zeros, a part with zeros before or after it, or all.
/// </summary>
internal sealed class SimulatedDisk : IFileLayer
{
    private readonly Dictionary<string, Node> _durableNames;
    private readonly List<Action<Dictionary<string, Node>>> _pending = [];
    private readonly Dictionary<string, Node> _names;

    public SimulatedDisk() : this([])
    {
    }

    private SimulatedDisk(Dictionary<string, Node> names) => (_durableNames, _names) = (names, new(names));

    /// <summary>Operations until the crash, after which none succeeds; negative: never.</summary>
    public int OperationsLeft { get; set; } = -1;

    /// <summary>The operation at which the storage reports an error instead of doing its work; negative: never.</summary>
    public int FailsAt { get; set; } = -1;

    /// <summary>How many operations fail from that one on.</summary>
    public int Failures { get; set; } = 1;

    /// <summary>Lays a durable file on the disk.</summary>
    public void Put(string path, byte[] content) => _durableNames[path] = _names[path] = new Node { Content = content, Durable = content };

    public byte[]? Read(string path, long maxBytes) => _names.TryGetValue(path, out Node? node) ? [.. node.Content] : null;

    public IWrittenFile Create(string path)
    {
        Step();
        if (!_names.TryGetValue(path, out Node? node))
        {
            var created = node = new Node();
            Name(names => names[path] = created);
        }
        node.Content = [];
        return new Writing(this, node);
    }

    public long? Length(string path) => _names.TryGetValue(path, out Node? node) ? node.Content.Length : null;

    public IWrittenFile Append(string path, long offset)
    {
        Step();
        Node node = _names[path];
        Assert.Equal(offset, node.Content.Length);
        return new Writing(this, node);
    }

    public void Rename(string from, string to)
    {
        Step();
        Name(names =>
        {
            if (names.Remove(from, out Node? node))
                names[to] = node;
        });
    }

    public void FlushFolder(string folder)
    {
        Step();
        foreach (var change in _pending)
            change(_durableNames);
        _pending.Clear();
    }

    /// <summary>Every disk that a crash now may leave.</summary>
    public IEnumerable<SimulatedDisk> AfterCrash()
    {
        for (int subset = 0; subset < 1 << _pending.Count; subset++)
        {
            var names = new Dictionary<string, Node>(_durableNames);
            for (int i = 0; i < _pending.Count; i++)
            {
                if ((subset >> i & 1) != 0)
                    _pending[i](names);
            }
            foreach (int outcome in Enumerable.Range(0, 6))
                yield return new SimulatedDisk(names.ToDictionary(name => name.Key, name => name.Value.AfterCrash(outcome)));
        }
    }

    private void Name(Action<Dictionary<string, Node>> change)
    {
        change(_names);
        _pending.Add(change);
    }

    private void Step()
    {
        if (FailsAt == 0)
        {
            FailsAt = --Failures > 0 ? 0 : -1;
            throw new IOException("No space left on device");
        }
        FailsAt = Math.Max(-1, FailsAt - 1);
        if (OperationsLeft == 0)
            throw new CrashException();
        OperationsLeft = Math.Max(-1, OperationsLeft - 1);
    }

    internal sealed class CrashException : Exception;

    internal sealed class Node
    {
        public byte[] Content = [], Durable = [];

        public Node AfterCrash(int outcome)
        {
            // What was durable before bytes were appended stays so.
            byte[] kept = Content.AsSpan().StartsWith(Durable) ? Durable : [], written = Content[kept.Length..];
            int half = written.Length / 2;
            byte[] content = outcome switch
            {
                0 => Durable,
                1 => Content,
                2 => [.. kept, .. written[..half]],
                3 => [.. kept, .. new byte[written.Length]],
                4 => [.. kept, .. written[..half], .. new byte[written.Length - half]],
                _ => [.. kept, .. new byte[half], .. written[half..]],
            };
            return new Node { Content = content, Durable = content };
        }
    }

    private sealed class Writing(SimulatedDisk disk, Node node) : IWrittenFile
    {
        public void Write(ReadOnlySpan<byte> bytes)
        {
            disk.Step();
            node.Content = [.. node.Content, .. bytes];
        }

        public void Flush()
        {
            disk.Step();
            node.Durable = node.Content;
        }

        public void Dispose()
        {
        }
    }
}
