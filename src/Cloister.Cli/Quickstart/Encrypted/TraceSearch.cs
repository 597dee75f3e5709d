using System.Buffers.Binary;

namespace Cloister.Cli.Quickstart.Encrypted;

/// <summary>
/// Searches bytes for many traces at once. Of every trace the eight bytes with the most different values stand for it: they are hashed
/// into a table of bits, and only where a place's eight bytes hit the table is it compared with whole traces.
/// </summary>
internal sealed class TraceSearch
{
    private const int TableBits = 20;
    private readonly Dictionary<ulong, List<(Trace Trace, int At)>> _anchors = [];
    private readonly bool[] _table = new bool[1 << TableBits];

    /// <exception cref="ArgumentException">A trace is too short.</exception>
    public TraceSearch(IReadOnlyCollection<Trace> traces)
    {
        if (traces.Any(trace => trace.Bytes.Length < Trace.Least))
            throw new ArgumentException($"A trace has fewer than {Trace.Least} bytes.", nameof(traces));
        Traces = traces;
        Longest = traces.Select(trace => trace.Bytes.Length).DefaultIfEmpty(Trace.Least).Max();
        foreach (Trace trace in traces)
        {
            int at = Telling(trace.Bytes);
            ulong anchor = BinaryPrimitives.ReadUInt64LittleEndian(trace.Bytes.AsSpan(at));
            _table[Slot(anchor)] = true;
            if (!_anchors.TryGetValue(anchor, out List<(Trace, int)>? sharing))
                _anchors[anchor] = sharing = [];
            sharing.Add((trace, at));
        }
    }

    public IReadOnlyCollection<Trace> Traces { get; }

    /// <summary>The length of the longest trace.</summary>
    public int Longest { get; }

    /// <summary>Adds the traces that lie in <paramref name="bytes"/>.</summary>
    public void Scan(ReadOnlySpan<byte> bytes, ISet<Trace> found)
    {
        for (int at = 0; at <= bytes.Length - Trace.Least; at++)
        {
            ulong eight = BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
            if (!_table[Slot(eight)] || !_anchors.TryGetValue(eight, out List<(Trace Trace, int At)>? sharing))
                continue;
            foreach ((Trace trace, int offset) in sharing)
                if (at >= offset && bytes[(at - offset)..].StartsWith(trace.Bytes))
                    found.Add(trace);
        }
    }

    private static int Slot(ulong eight) => (int)(eight * 0x9E3779B97F4A7C15 >> 64 - TableBits); // Fibonacci hashing

    private static int Telling(ReadOnlySpan<byte> bytes)
    {
        int best = 0, most = 0;
        for (int at = 0; at <= bytes.Length - Trace.Least; at++)
        {
            int different = Different(bytes.Slice(at, Trace.Least));
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
