using System.Collections.Immutable;
using System.Net.Sockets;
using System.Security.Cryptography;
using Cloister.Partitioning.Runner.Wire;

namespace Cloister.Partitioning.Runner.Pooling;

/// <summary>One accelerator of a pool: connects, greets, serves requests; after a fault waits a while and begins again.</summary>
internal sealed class AcceleratorLink(PoolCore core, AcceleratorAddress address)
{
    private const int MaximumDoublings = 20;
    private const int WellAfter = 10; // who was well for so many times the last wait begins again with the first

    private readonly Lock _lock = new();
    private AcceleratorState _state = new(address, AcceleratorPhase.Connecting, 0, core.BackNet.Model.Length, 0, ImmutableDictionary<AcceleratorFault, long>.Empty, null);
    private Func<string, int>? _failOver; // of the session that there was
    private volatile AcceleratorPhase _phase;
    private volatile int _held;
    private TimeSpan _lastWait;
    private int _faultsInRow;
    private long _readyAt, _wellAt;
    private long _unchecked;

    public AcceleratorAddress Address => address;

    public AcceleratorState State
    {
        get
        {
            lock (_lock) return _state with { Phase = _phase, InFlight = _held };
        }
    }

    public AcceleratorPhase Phase => _phase;

    /// <summary>Runs until cancelled, or until the accelerator lied.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested && Phase != AcceleratorPhase.Banned)
        {
            try
            {
                await ServeOnceAsync(cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                break;
            }
            catch (WireException fault)
            {
                await RestAsync(fault, cancellation);
            }
            catch (Exception unexpected)
            {
                core.Logger.LinkBroke(address, unexpected);
                await RestAsync(new WireException(AcceleratorFault.Disconnected, unexpected.GetType().Name, unexpected), cancellation);
            }
        }
        if (Phase != AcceleratorPhase.Banned) Become(AcceleratorPhase.Closed);
        _failOver?.Invoke($"{address}: the pool was closed.");
    }

    /// <summary>An answer was passed on as it came.</summary>
    public void AnsweredUnchecked() => Interlocked.Increment(ref _unchecked);

    /// <summary>It gave an answer that fits, or a sign of life that it was asked for.</summary>
    public void IsWell() => Volatile.Write(ref _wellAt, core.Now);

    /// <summary>The session's connection is no more: its batches go elsewhere.</summary>
    public void Lost(Exception why)
    {
        Become(AcceleratorPhase.Waiting);
        _failOver?.Invoke(Trouble(why));
        _held = 0;
    }

    /// <summary>Tells how far the model is.</summary>
    public void Sent(long modelBytes) => Change(state => state with { ModelBytesSent = modelBytes });

    /// <summary>Tells how many batches are there.</summary>
    public void Holds(int batches) => _held = batches;

    // Ends without a fault where the connection is to be made anew.
    private async Task ServeOnceAsync(CancellationToken cancellation)
    {
        Become(AcceleratorPhase.Connecting);
        Sent(0);
        Socket socket = await LinkGreeting.WithinAsync(core.Options.StallTimeout, core.Options.TimeProvider, token => AcceleratorSocket.ConnectAsync(address, token), "to connect", cancellation);
        using var wire = new WireConnection(socket, fromWorkload: false);
        AcceleratorSocket.Tune(socket);
        var greeting = new LinkGreeting(core, this, wire);
        if (address.Transport == AcceleratorTransport.Tls) await greeting.SecureAsync(cancellation);
        var limits = new BatchLimits(core, await greeting.RunAsync(cancellation));
        using SharedSlots? slots = address.Transport == AcceleratorTransport.SharedMemory ? await greeting.ShareMemoryAsync(limits, cancellation) : null;
        using var session = new LinkSession(core, this, wire, limits, slots);
        _failOver = session.FailOver;
        _readyAt = _wellAt = core.Now;
        Become(AcceleratorPhase.Ready);
        await session.RunAsync(cancellation);
    }

    private async Task RestAsync(WireException fault, CancellationToken cancellation)
    {
        Change(state => state with
        {
            Faults = state.Faults.SetItem(fault.Fault, state.Faults.GetValueOrDefault(fault.Fault) + 1),
            LastFault = $"{fault.Fault}: {fault.Message}",
        });
        Become(fault.Fault == AcceleratorFault.Lied ? AcceleratorPhase.Banned : AcceleratorPhase.Waiting);
        int failed = _failOver?.Invoke(Trouble(fault)) ?? 0;
        _failOver = null;
        _held = 0;
        if (fault.Fault == AcceleratorFault.Lied)
        {
            core.Logger.AcceleratorLied(address, fault.Message, Interlocked.Read(ref _unchecked));
            return;
        }
        // Whoever answers once and fails again is not well: it would be connected to, and told of, ten times a second for ever. Nor is
        // who takes requests and keeps them, however long.
        if (core.Options.TimeProvider.GetElapsedTime(_readyAt, Volatile.Read(ref _wellAt)) > WellAfter * _lastWait) _faultsInRow = 0;
        _readyAt = _wellAt = core.Now;
        TimeSpan wait = _lastWait = Backoff(++_faultsInRow);
        core.Logger.AcceleratorFailed(address, fault.Fault, fault.Message, (long)wait.TotalMilliseconds, failed);
        try
        {
            await Task.Delay(wait, core.Options.TimeProvider, cancellation);
        }
        catch (OperationCanceledException)
        {
            // The loop above sees it.
        }
    }

    private string Trouble(Exception why) => why is WireException fault ? $"{address}: {fault.Fault}: {fault.Message}" : $"{address}: {why.GetType().Name}";

    // Half of the wait is by chance, so that many workloads do not come back at once.
    private TimeSpan Backoff(int faults)
    {
        double full = Math.Min(core.Options.MaximumBackoff.TotalMilliseconds, core.Options.FirstBackoff.TotalMilliseconds * Math.Pow(2, Math.Min(faults - 1, MaximumDoublings)));
        return TimeSpan.FromMilliseconds(full * (0.5 + (RandomNumberGenerator.GetInt32(1 << 20) / (double)(1 << 21))));
    }

    private void Become(AcceleratorPhase phase)
    {
        _phase = phase;
        core.PhaseChanged();
    }

    private void Change(Func<AcceleratorState, AcceleratorState> change)
    {
        lock (_lock) _state = change(_state);
    }
}
