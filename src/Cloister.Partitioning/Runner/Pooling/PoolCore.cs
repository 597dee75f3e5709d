using System.Collections.Immutable;
using Cloister.Onnx.Runtime;
using Microsoft.Extensions.Logging;

namespace Cloister.Partitioning.Runner.Pooling;

/// <summary>What the links of a pool share: the queue, the counters, and where a request goes that none of them can take.</summary>
internal sealed class PoolCore : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly ImmutableArray<AcceleratorLink> _links;
    private readonly Task[] _running;
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _ended;

    public PoolCore(BackNet backNet, IReadOnlyList<AcceleratorAddress> addresses, AcceleratorPoolOptions options, ILogger logger)
    {
        (BackNet, Options, Logger) = (backNet, options, logger);
        Queue = new RequestQueue(options.MaximumQueued);
        Inside = new InsideRuns(this);
        _links = [.. addresses.Select(address => new AcceleratorLink(this, address))];
        _running = [.. _links.Select(link => Task.Run(() => link.RunAsync(_ending.Token)))];
    }

    public BackNet BackNet { get; }

    public AcceleratorPoolOptions Options { get; }

    public ILogger Logger { get; }

    public RequestQueue Queue { get; }

    public InsideRuns Inside { get; }

    public PoolCounters Counters { get; } = new();

    public ImmutableArray<AcceleratorLink> Links => _links;

    public bool RunsInside => Options.Fallback == AcceleratorFallback.Inside;

    public bool HasEnded => Volatile.Read(ref _ended);

    private bool AnyReady => _links.Any(link => link.Phase == AcceleratorPhase.Ready);

    private bool AllBanned => _links.All(link => link.Phase == AcceleratorPhase.Banned);

    public long Now => Options.TimeProvider.GetTimestamp();

    public TimeSpan Since(long timestamp) => Options.TimeProvider.GetElapsedTime(timestamp);

    /// <summary>Whether an accelerator is the only one that takes requests now.</summary>
    public bool IsOnly(AcceleratorLink link) => !_links.Any(other => other != link && other.Phase == AcceleratorPhase.Ready);

    /// <summary>Whether an answer's values are passed on: finite, where the BackNet's are.</summary>
    public bool AreSound(IReadOnlyList<OrtTensor> outputs)
    {
        bool sound = true;
        for (int i = 0; i < outputs.Count; i++)
            sound &= BackNet.NotFinite[i] || TensorValues.AreSound(outputs[i].Type, outputs[i].Bytes);
        return sound;
    }

    /// <summary>Finds a request's way: the queue, or inside.</summary>
    public void Admit(PoolRequest request)
    {
        if (HasEnded) request.Fail(new ObjectDisposedException(nameof(AcceleratorPool)));
        else if (RunsInside && !AnyReady) Inside.Start(request);
        else if (AllBanned) request.Fail(NoAccelerator());
        else if (Inside.Waiting >= Options.MaximumQueued || !Queue.TryAdd(request)) request.Fail(Overloaded());
        else LookAfterQueue(request);
    }

    /// <summary>A request that an accelerator failed goes on: to the front of the queue, inside, or back to its caller.</summary>
    public void Retry(PoolRequest request, AcceleratorLink failedAt, string trouble)
    {
        if (request.Done.IsCompleted) return;
        request.FailedAt = failedAt;
        request.Whereabouts = trouble;
        if (++request.Failures <= Options.MaximumRetries)
        {
            Counters.Retried();
            Queue.AddAgain(request);
            LookAfterQueue(request);
        }
        else if (RunsInside)
        {
            Inside.Start(request);
        }
        else
        {
            request.Fail(new PartitioningException(PartitioningError.AcceleratorFaulty, $"The request was given up after {request.Failures} accelerator(s) failed it; the last: {trouble}"));
        }
    }

    /// <summary>A link's phase is another.</summary>
    public void PhaseChanged()
    {
        TaskCompletionSource changed;
        lock (_lock) (changed, _changed) = (_changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
        changed.TrySetResult();
        Queue.Wake();
        LookAfterQueue(null);
    }

    /// <summary>Completes when requests can be taken.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.AcceleratorUnavailable"/>: they never will be.</exception>
    public async Task ReadyAsync(CancellationToken cancellation)
    {
        while (true)
        {
            Task changed;
            lock (_lock) changed = _changed.Task;
            if (RunsInside || AnyReady) return;
            ObjectDisposedException.ThrowIf(HasEnded, typeof(AcceleratorPool));
            if (AllBanned) throw NoAccelerator();
            await changed.WaitAsync(cancellation);
        }
    }

    public AcceleratorStatistics Statistics() => Counters.Read(Queue.Count, _links.SelectMany(link => link.State.Faults)
        .GroupBy(fault => fault.Key).ToImmutableDictionary(group => group.Key, group => group.Sum(fault => fault.Value)));

    /// <summary>Where accelerators stand, in a line for whoever was refused.</summary>
    public string Describe() => _links.IsEmpty ? "no accelerator is configured" : string.Join("; ", _links.Select(link => link.State)
        .Select(state => $"{state.Address} is {state.Phase}" + (state.LastFault is { } last ? $" ({last})" : "")));

    public PartitioningException Overloaded() =>
        new(PartitioningError.AcceleratorOverloaded, $"{Options.MaximumQueued} requests wait for an accelerator already; try again later.");

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _ended, true)) return;
        await _ending.CancelAsync();
        PhaseChanged();
        await Task.WhenAll(_running);
        foreach (PoolRequest request in Queue.Drain()) request.Fail(new ObjectDisposedException(nameof(AcceleratorPool)));
        await Inside.EndedAsync();
        Inside.Dispose();
        _ending.Dispose();
    }

    // Requests that came in, or back, just when the last accelerator went; and one whose caller gave up just before it had its place.
    private void LookAfterQueue(PoolRequest? came)
    {
        if (came is { Done.IsCompleted: true }) Queue.Remove(came);
        if (HasEnded || (RunsInside && !AnyReady) || AllBanned)
        {
            foreach (PoolRequest request in Queue.Drain())
            {
                if (HasEnded) request.Fail(new ObjectDisposedException(nameof(AcceleratorPool)));
                else if (RunsInside) Inside.Start(request);
                else request.Fail(NoAccelerator());
            }
        }
    }

    private PartitioningException NoAccelerator() =>
        new(PartitioningError.AcceleratorUnavailable, $"No accelerator can be asked, and the model is not to run inside: {Describe()}.");
}
