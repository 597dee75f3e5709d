using System.Collections.Concurrent;

namespace Cloister.Bench;

/// <summary>What became of every request that was sent: each ends in exactly one place.</summary>
internal sealed class SoakTally
{
    private readonly ConcurrentDictionary<string, long> _ends = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _losses = new();
    private long _sent;

    public long Sent => Interlocked.Read(ref _sent);

    public long Lost { get; private set; }

    /// <summary>The first few losses, in words.</summary>
    public IReadOnlyCollection<string> Losses => _losses;

    public IReadOnlyDictionary<string, long> Ends => _ends;

    public void Send() => Interlocked.Increment(ref _sent);

    /// <summary>It was answered, refused with a reason, or given up by the client itself.</summary>
    public void End(string how) => _ends.AddOrUpdate(how, 1, static (_, count) => count + 1);

    /// <summary>It was none of these.</summary>
    public void Lose(string kind, string why)
    {
        lock (_losses)
        {
            Lost++;
            if (_losses.Count < 20) _losses.Enqueue($"{kind}: {why}");
        }
    }
}
