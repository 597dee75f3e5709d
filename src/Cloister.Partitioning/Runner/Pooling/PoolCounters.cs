using System.Collections.Immutable;

namespace Cloister.Partitioning.Runner.Pooling;

/// <summary>What a pool counts.</summary>
internal sealed class PoolCounters
{
    private readonly Lock _lock = new();
    private long _requests, _answered, _inside, _refused, _batches, _retries, _spotChecks, _bytesOut, _bytesIn;
    private double _queue, _send, _away, _read;

    public void Came() => Interlocked.Increment(ref _requests);

    public void Refused() => Interlocked.Increment(ref _refused);

    public void AnsweredInside() => Interlocked.Increment(ref _inside);

    public void Retried() => Interlocked.Increment(ref _retries);

    public void Checked() => Interlocked.Increment(ref _spotChecks);

    public void Sent(long bytes) => Interlocked.Add(ref _bytesOut, bytes);

    public void SentBatch() => Interlocked.Increment(ref _batches);

    public void Received(long bytes) => Interlocked.Add(ref _bytesIn, bytes);

    /// <summary>Counts the answered requests of a batch.</summary>
    public void Answered(int requests, TimeSpan queue, TimeSpan send, TimeSpan away, TimeSpan read)
    {
        lock (_lock)
        {
            _answered += requests;
            _queue += queue.TotalSeconds;
            _send += requests * send.TotalSeconds;
            _away += requests * away.TotalSeconds;
            _read += requests * read.TotalSeconds;
        }
    }

    public AcceleratorStatistics Read(int queued, ImmutableDictionary<AcceleratorFault, long> faults)
    {
        lock (_lock)
        {
            return new AcceleratorStatistics
            {
                Requests = Interlocked.Read(ref _requests),
                Answered = _answered,
                Inside = Interlocked.Read(ref _inside),
                Refused = Interlocked.Read(ref _refused),
                Queued = queued,
                Batches = Interlocked.Read(ref _batches),
                Retries = Interlocked.Read(ref _retries),
                SpotChecks = Interlocked.Read(ref _spotChecks),
                Faults = faults,
                BytesOut = Interlocked.Read(ref _bytesOut),
                BytesIn = Interlocked.Read(ref _bytesIn),
                QueueSeconds = _queue,
                SendSeconds = _send,
                AwaySeconds = _away,
                ReadSeconds = _read,
            };
        }
    }
}
