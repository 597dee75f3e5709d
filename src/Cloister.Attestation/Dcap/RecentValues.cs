namespace Cloister.Attestation.Dcap;

/// <summary>
/// Remembers the values of a few recent inputs, compared byte for byte. What is remembered was proven without looking at time,
/// so the answer is the same with and without it. Thread-safe; reading takes no lock.
/// </summary>
internal sealed class RecentValues<T>(int capacity)
    where T : class
{
    private readonly Lock _adding = new();
    private volatile Entry[] _newestFirst = [];

    public T? Find(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        foreach (Entry entry in _newestFirst)
            if (entry.First.AsSpan().SequenceEqual(first) && entry.Second.AsSpan().SequenceEqual(second)) return entry.Value;
        return null;
    }

    /// <summary>Remembers a value; the oldest goes. The inputs must not change any more.</summary>
    public void Add(byte[] first, byte[] second, T value)
    {
        lock (_adding)
            _newestFirst = [new Entry(first, second, value), .. _newestFirst.Take(capacity - 1)];
    }

    private sealed record Entry(byte[] First, byte[] Second, T Value);
}
