using System.Numerics;

namespace Cloister.Serving.Batching;

/// <summary>How the requests of one model were joined, since it was loaded.</summary>
internal sealed class BatchStatistics
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<int, BatchSizeFigures> _sizes = [];
    private readonly long[] _waits = new long[BatchFigures.WaitBuckets];
    private long _requests, _items, _padding, _failures;
    private TimeSpan _waited;

    /// <summary>What was counted up to now.</summary>
    public BatchFigures Read()
    {
        lock (_gate) return new BatchFigures(_requests, _items, _padding, _failures, _waited, [.. _waits], [.. _sizes.Values]);
    }

    internal void Record(ReadOnlySpan<BatchMember> members, int size, long start, long end, TimeProvider time)
    {
        lock (_gate)
        {
            int items = 0;
            foreach (BatchMember member in members)
            {
                items += member.Items;
                TimeSpan wait = time.GetElapsedTime(member.Since, start);
                _waited += wait;
                _waits[Math.Min(_waits.Length - 1, BitOperations.Log2((ulong)Math.Max(1, wait.TotalMicroseconds)) + 1)]++;
            }
            _requests += members.Length;
            _items += items;
            _padding += size - items;
            BatchSizeFigures before = _sizes.GetValueOrDefault(size, new BatchSizeFigures(size, 0, TimeSpan.Zero));
            _sizes[size] = before with { Batches = before.Batches + 1, Computed = before.Computed + time.GetElapsedTime(start, end) };
        }
    }

    internal void RecordFailure()
    {
        lock (_gate) _failures++;
    }
}

/// <summary>A reading of <see cref="BatchStatistics"/>.</summary>
/// <param name="Requests">Requests that were answered.</param>
/// <param name="Items">Their items.</param>
/// <param name="Padding">Items that were added to reach an allowed size.</param>
/// <param name="Failures">Batches that failed and whose requests were then run one by one.</param>
/// <param name="Waited">The sum of the requests' waiting times, from arrival to the run.</param>
/// <param name="Waits">Requests by waiting time: entry 0 less than 1 us, entry i less than 2^i us, the last one all longer.</param>
/// <param name="Sizes">Batches by size, ascending.</param>
internal sealed record BatchFigures(
    long Requests, long Items, long Padding, long Failures, TimeSpan Waited, IReadOnlyList<long> Waits, IReadOnlyList<BatchSizeFigures> Sizes)
{
    internal const int WaitBuckets = 26;

    /// <summary>How many batches were run.</summary>
    public long Batches => Sizes.Sum(size => size.Batches);
}

/// <summary>Batches of one size.</summary>
/// <param name="Size">Items a batch, padding included.</param>
/// <param name="Batches">How many there were.</param>
/// <param name="Computed">How long they ran, in sum.</param>
internal readonly record struct BatchSizeFigures(int Size, long Batches, TimeSpan Computed);
