using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner.Wire;

namespace Cloister.Partitioning.Runner.Pooling;

/// <summary>
/// A workload's side of a connection whose accelerator is ready: one loop sends batches, one reads answers, one looks at the clock. Whatever
/// is wrong with an answer ends the connection; its batches go elsewhere.
/// </summary>
internal sealed class LinkSession : IDisposable
{
    private const int TicksPerStall = 4;

    private readonly PoolCore _core;
    private readonly AcceleratorLink _link;
    private readonly WireConnection _wire;
    private readonly SharedSlots? _slots;
    private readonly LinkAnswers _answers;
    private readonly BatchLimits _limits;
    private readonly SemaphoreSlim _depth, _writing = new(1);
    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, Batch> _inFlight = [];
    private readonly Stack<int> _freeSlots;
    private readonly ulong _firstId;
    private PinnedBuffer _frame;
    private ulong _nextId;
    private ulong _ping; // 0: none is out
    private long _readAt, _pingAt;
    private int _failedOver;

    public LinkSession(PoolCore core, AcceleratorLink link, WireConnection wire, BatchLimits limits, SharedSlots? slots)
    {
        (_core, _link, _wire, _limits, _slots) = (core, link, wire, limits, slots);
        _answers = new LinkAnswers(core, link, wire, slots);
        _depth = new SemaphoreSlim(limits.Depth);
        _freeSlots = new Stack<int>(Enumerable.Range(0, slots?.Offer.Slots ?? 0));
        _frame = PinnedBuffer.Allocate(Batch.HeadSize(core.BackNet) + (slots is null ? Math.Min(core.BackNet.InputBytes(1), limits.MaximumBytes) : 0));
        // Ids begin anywhere and are never used again here: what was meant for another connection is not taken for an answer.
        _firstId = _nextId = (BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8)) >> 1) + 1;
        _readAt = core.Now;
    }

    /// <summary>Serves until cancelled, or until the connection's TLS key has encrypted as much as it may; then nothing is under way.</summary>
    /// <exception cref="WireException">The accelerator did something wrong.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task[] loops = [SendAsync(ended.Token), ReadAsync(ended.Token), WatchAsync(ended.Token)];
        Task first = await Task.WhenAny([.. loops, _answers.Guilty]);
        await ended.CancelAsync();
        await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // What the inside still says of earlier answers may take long: what was not answered does not wait for it.
        if (first.Exception?.InnerException is { } cause) _link.Lost(cause);
        await _answers.JudgedAsync();
        if (_answers.Lie is { } lie) throw lie;
        await (_answers.Guilty.IsFaulted ? _answers.Guilty : first);
    }

    /// <summary>Sends what was not answered elsewhere, once the loops have ended. Gives the number of batches so far.</summary>
    public int FailOver(string trouble)
    {
        Batch[] left;
        lock (_lock)
        {
            left = [.. _inFlight.Values.OrderByDescending(batch => batch.Id)]; // each goes to the front: the oldest last
            _inFlight.Clear();
        }
        foreach (PoolRequest request in left.SelectMany(batch => batch.Requests.Reverse()))
            _core.Retry(request, _link, trouble);
        return _failedOver += left.Length;
    }

    public void Dispose()
    {
        _depth.Dispose();
        _writing.Dispose();
        _frame.Dispose();
    }

    private async Task SendAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await _depth.WaitAsync(cancellation);
            if (_wire.Records >= _core.Options.MaximumTlsRecords)
            {
                for (int others = 1; others < _limits.Depth; others++) await _depth.WaitAsync(cancellation);
                return;
            }
            List<PoolRequest> requests = await _core.Queue.TakeAsync(_link, _limits.MaximumRows, () => _core.IsOnly(_link), cancellation);
            if (Compose(requests) is not { } batch)
            {
                _depth.Release();
                continue;
            }
            await _writing.WaitAsync(cancellation);
            try
            {
                long bytes = batch.FrameLength;
                _core.Counters.SentBatch(); // counted before the answer can come
                _core.Counters.Sent(bytes + (batch.Slot is null ? 0 : _core.BackNet.InputBytes(batch.Rows)));
                await _wire.WriteAsync(_frame.Memory(0, (int)bytes), cancellation);
                batch.SentAt = _core.Now;
            }
            finally
            {
                _writing.Release();
            }
        }
    }

    // From here on the batch is in flight, whatever happens to it.
    private Batch? Compose(List<PoolRequest> requests)
    {
        List<PoolRequest> held = new(requests.Count), unwritten = [], unfit = [];
        try
        {
            foreach (PoolRequest request in requests)
            {
                if (!_limits.Fits(request.Rows)) unfit.Add(request);
                else if (request.TryHold()) held.Add(request);
            }
            if (held.Count == 0) return null;
            Batch batch = Write(held);
            int count;
            lock (_lock)
            {
                _inFlight.Add(batch.Id, batch);
                count = _inFlight.Count;
            }
            _link.Holds(count);
            return batch;
        }
        catch
        {
            unwritten = requests;
            throw;
        }
        finally
        {
            foreach (PoolRequest request in held) request.LetGo();
            // Last, or whoever takes one from the queue finds it held.
            foreach (PoolRequest request in unfit.Except(unwritten)) _core.Retry(request, _link, $"{_link.Address} takes {_limits.MaximumBytes} bytes in a run, and the request's tensors are larger; ask for fewer items at once.");
            foreach (PoolRequest request in unwritten) _core.Retry(request, _link, $"{_link.Address}: the batch could not be written.");
        }
    }

    private Batch Write(List<PoolRequest> held)
    {
        int rows = held.Sum(request => request.Rows), head = Batch.HeadSize(_core.BackNet);
        long inputs = _core.BackNet.InputBytes(rows);
        int? slot = null;
        lock (_lock)
        {
            // A request that is larger than a slot travels in the frames.
            if (_slots is not null && inputs <= _slots.Offer.InputBytes && _core.BackNet.OutputBytes(rows) <= _slots.Offer.OutputBytes && _freeSlots.TryPop(out int free))
                slot = free;
        }
        long length = head + (slot is null ? inputs : 0);
        if (_frame.Length < length)
        {
            _frame.Dispose();
            _frame = PinnedBuffer.Allocate(length);
        }
        foreach (PoolRequest request in held) request.Whereabouts = $"it was with {_link.Address}";
        return Batch.Write(_core.BackNet, held, NextId(), _frame.Span(0, (int)length), slot, slot is { } place ? _slots!.Inputs(place) : default, _core.Now);
    }

    private async Task ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            FrameHeader header = await _wire.NextHeaderAsync(cancellation);
            Volatile.Write(ref _readAt, _core.Now);
            switch (header.Kind)
            {
                case FrameKind.Answer:
                    Batch answered = Find(header.Id);
                    Action deliver = await _answers.ReadAsync(answered, header, cancellation);
                    _link.IsWell();
                    Finish(answered, deliver);
                    break;
                case FrameKind.Refusal:
                    var note = RefusalNote.Read(await _wire.ReadPayloadAsync(header, cancellation));
                    if (header.Id == 0)
                        throw new WireException(AcceleratorFault.RunRefused, $"It refuses ({note.Code}): {note.Text}");
                    Batch refused = Find(header.Id);
                    // An input can be made that no ONNX Runtime runs: that is the caller's doing.
                    if (note.Code != RefusalCode.RunFailed)
                        throw new WireException(AcceleratorFault.RunRefused, $"It refuses a run ({note.Code}): {note.Text}");
                    Finish(refused, () => _answers.JudgeRefusal(refused, note));
                    break;
                case FrameKind.Pong when Interlocked.CompareExchange(ref _ping, 0, header.Id) == header.Id && header.Id != 0:
                    _link.IsWell();
                    break;
                default:
                    throw new WireException(header.Kind == FrameKind.Pong ? AcceleratorFault.UnknownAnswer : AcceleratorFault.BadFrame, $"It sent {header.Kind}, which nobody asked for.");
            }
        }
    }

    // The place is free before callers hear of the answer: they may ask again at once.
    private void Finish(Batch batch, Action deliver)
    {
        int left;
        lock (_lock)
        {
            _inFlight.Remove(batch.Id);
            left = _inFlight.Count;
            if (batch.Slot is { } slot) _freeSlots.Push(slot);
        }
        _link.Holds(left);
        _depth.Release();
        deliver();
    }

    private Batch Find(ulong id)
    {
        lock (_lock)
        {
            if (_inFlight.TryGetValue(id, out Batch? batch)) return batch;
            throw id >= _firstId && id < _nextId
                ? new WireException(AcceleratorFault.AnsweredTwice, "It answered one question twice.")
                : new WireException(AcceleratorFault.UnknownAnswer, "It answered what nobody asked.");
        }
    }

    private async Task WatchAsync(CancellationToken cancellation)
    {
        TimeSpan stall = _core.Options.StallTimeout;
        while (true)
        {
            await Task.Delay(stall / TicksPerStall, _core.Options.TimeProvider, cancellation);
            long? oldest;
            lock (_lock) oldest = _inFlight.Count == 0 ? null : _inFlight.Values.Min(batch => batch.TakenAt);
            if (oldest is { } taken && _core.Since(taken) > stall)
                throw new WireException(AcceleratorFault.Stalled, $"A batch was unanswered for longer than {stall}.");
            if (Volatile.Read(ref _ping) != 0)
            {
                if (_core.Since(_pingAt) > stall) throw new WireException(AcceleratorFault.Stalled, $"It gave no sign of life for longer than {stall}.");
            }
            else if (oldest is null && _core.Since(Volatile.Read(ref _readAt)) > stall && await _writing.WaitAsync(0, cancellation))
            {
                try
                {
                    await PingAsync(cancellation);
                }
                finally
                {
                    _writing.Release();
                }
            }
        }
    }

    private async Task PingAsync(CancellationToken cancellation)
    {
        ulong id = NextId();
        _pingAt = _core.Now;
        Volatile.Write(ref _ping, id);
        await _wire.WriteFrameAsync(FrameKind.Ping, id, default, cancellation);
    }

    private ulong NextId()
    {
        lock (_lock) return _nextId++;
    }
}
