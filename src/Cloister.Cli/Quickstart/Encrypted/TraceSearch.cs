using System.Buffers.Binary;

namespace Cloister.Cli.Quickstart.Encrypted;

/// <summary>
/// Searches bytes for many traces at once. Of every trace eight bytes stand for it, and eight more that lie 24 bytes behind them where it is
/// long enough: small numbers are mostly zeros, and eight bytes of them lie everywhere. The first eight are hashed into a table; only where a
/// place hits the table are both looked up, and only then is it compared with whole traces.
/// </summary>
internal sealed class TraceSearch
{
    private const int TableBits = 20, Gap = 24, Reach = Gap + sizeof(ulong);
    private readonly Dictionary<(ulong First, ulong Second), List<(Trace Trace, int At)>> _anchors = [];
    private readonly bool[] _table = new bool[1 << TableBits];

    /// <exception cref="ArgumentException">A trace is too short.</exception>
    public TraceSearch(IReadOnlyCollection<Trace> traces)
    {
        if (traces.Any(trace => trace.Bytes.Length < Trace.Least))
            throw new ArgumentException($"A trace has fewer than {Trace.Least} bytes.", nameof(traces));
        Longest = traces.Select(trace => trace.Bytes.Length).DefaultIfEmpty(Trace.Least).Max();
        foreach (Trace trace in traces)
        {
            int at = Telling(trace.Bytes);
            ulong first = Eight(trace.Bytes, at), second = trace.Bytes.Length >= Reach ? Eight(trace.Bytes, at + Gap) : first;
            _table[Slot(first)] = true;
            if (!_anchors.TryGetValue((first, second), out List<(Trace, int)>? sharing))
                _anchors[(first, second)] = sharing = [];
            sharing.Add((trace, at));
        }
    }

    /// <summary>The length of the longest trace.</summary>
    public int Longest { get; }

    /// <summary>Adds the traces that lie in <paramref name="bytes"/>.</summary>
    public void Scan(ReadOnlySpan<byte> bytes, ISet<Trace> found)
    {
        for (int at = 0; at <= bytes.Length - Trace.Least; at++)
        {
            ulong first = Eight(bytes, at);
            if (!_table[Slot(first)])
                continue;
            Compare(bytes, at, (first, first), found);
            if (at <= bytes.Length - Reach && Eight(bytes, at + Gap) is var second && second != first)
                Compare(bytes, at, (first, second), found);
        }
    }

    private void Compare(ReadOnlySpan<byte> bytes, int at, (ulong, ulong) anchor, ISet<Trace> found)
    {
        if (!_anchors.TryGetValue(anchor, out List<(Trace Trace, int At)>? sharing))
            return;
        foreach ((Trace trace, int offset) in sharing)
            if (at >= offset && bytes[(at - offset)..].StartsWith(trace.Bytes))
                found.Add(trace);
    }

    private static ulong Eight(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    private static int Slot(ulong eight) => (int)(eight * 0x9E3779B97F4A7C15 >> 64 - TableBits); // Fibonacci hashing

    /// <summary>Where the bytes that stand for a trace have the most different values.</summary>
    private static int Telling(ReadOnlySpan<byte> bytes)
    {
        int best = 0, most = 0, reach = bytes.Length >= Reach ? Reach : Trace.Least;
        for (int at = 0; at <= bytes.Length - reach; at++)
        {
            int different = 4 * Different(bytes.Slice(at, Trace.Least)) + Different(bytes.Slice(at + reach - Trace.Least, Trace.Least));
            if (different > most)
                (best, most) = (at, different);
        }
        return best;
    }

    private static int Different(ReadOnlySpan<byte> bytes)
    {
        UInt128 low = 0, high = 0;
        foreach (byte value in bytes)
        {
            if (value < 128) low |= UInt128.One << value;
            else high |= UInt128.One << value - 128;
        }
        return (int)(UInt128.PopCount(low) + UInt128.PopCount(high));
    }
}
