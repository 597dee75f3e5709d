using System.Net.Sockets;
using System.Numerics;
using System.Security.Cryptography;
using System.Threading.Channels;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner.Wire;

namespace Cloister.Partitioning.Runner.Hosting;

/// <summary>An accelerator's side of one connection: greeting, model, then runs in their order.</summary>
internal sealed class PeerConnection(Socket socket, HostShared shared, long number, bool mayShareMemory) : IDisposable
{
    private readonly WireConnection _wire = new(socket, fromWorkload: true);
    private readonly AcceleratorOptions _options = shared.Options;
    private readonly BufferShelf _buffers = new();
    private SharedSlots? _slots;
    private int _unanswered;
    private int _pings;
    private long _refused;

    private int Depth => Math.Clamp(_options.MaximumDepth, 1, Greeting.MaximumDepth);

    /// <summary>Serves the peer until it ends, misbehaves or is cancelled.</summary>
    /// <exception cref="WireException">It did what the wire does not allow.</exception>
    /// <exception cref="RefusedException">It asked for what is not given; it was told.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            await ServeAsync(cancellation);
        }
        catch (RefusedException refused)
        {
            if (!_wire.BrokenOff) await WithinAsync(token => _wire.WriteFrameAsync(FrameKind.Refusal, 0, new RefusalNote(refused.Code, refused.Message).Write(), token), cancellation);
            throw;
        }
    }

    public void Dispose()
    {
        _wire.Dispose();
        _slots?.Dispose();
        _buffers.Dispose();
    }

    private async Task ServeAsync(CancellationToken cancellation)
    {
        _wire.MaximumTensorFrame = (int)Math.Min(FrameHeader.MaximumTensorFrame, _options.MaximumRunBytes + (64 << 10));
        if (shared.Tls is { } tls) await WithinAsync(token => _wire.SecureAsync(tls, token), cancellation);
        await WithinAsync(GreetAsync, cancellation);
        using ModelShelf.Lease model = await TakeModelAsync(cancellation);
        byte[] face = new ModelFace(model.Session.Inputs, model.Session.Outputs).Write();
        await WithinAsync(token => _wire.WriteFrameAsync(FrameKind.Ready, 0, face, token), cancellation);

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var waiting = Channel.CreateUnbounded<HostedRun>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true }); // bounded by what may be unanswered
        Task reading = ReadAsync(model.Session, waiting.Writer, ended.Token);
        Task answering = AnswerAsync(model.Session, waiting.Reader, ended.Token);
        Task first = await Task.WhenAny(reading, answering);
        // What was asked before a peer ended properly is still computed; after a fault nothing is.
        if (!first.IsCompletedSuccessfully || first == answering)
            await ended.CancelAsync();
        try
        {
            await Task.WhenAll(reading, answering);
        }
        catch (Exception) when (first.IsFaulted)
        {
            await first; // the cause, not what followed from it
        }
        finally
        {
            while (waiting.Reader.TryRead(out HostedRun? left)) Drop(left);
        }
    }

    private async ValueTask GreetAsync(CancellationToken cancellation)
    {
        FrameHeader hello = await ExpectAsync(FrameKind.Hello, cancellation);
        byte[] payload = await _wire.ReadPayloadAsync(hello, cancellation);
        try
        {
            Greeting.ReadHello(payload);
        }
        catch (WireException other)
        {
            throw new RefusedException(RefusalCode.Protocol, other.Message);
        }
        await _wire.WriteFrameAsync(FrameKind.Welcome, 0, new Greeting(Depth, _options.MaximumModelBytes, _options.MaximumRunBytes).Welcome(), cancellation);
    }

    private async Task<ModelShelf.Lease> TakeModelAsync(CancellationToken cancellation)
    {
        ModelOffer offer = default;
        await WithinAsync(async token => offer = ModelOffer.Read(await _wire.ReadPayloadAsync(await ExpectAsync(FrameKind.Offer, token), token)), cancellation);
        string digest = Convert.ToHexStringLower(offer.Digest);
        if (shared.Models.TryTake(digest) is { } there)
        {
            await WithinAsync(token => _wire.WriteFrameAsync(FrameKind.Have, 0, default, token), cancellation);
            return there;
        }
        shared.Models.Reserve(offer.Length);
        OrtSession session;
        try
        {
            await WithinAsync(token => _wire.WriteFrameAsync(FrameKind.Send, 0, default, token), cancellation);
            session = await ReceiveModelAsync(offer, cancellation);
        }
        catch
        {
            shared.Models.Release(offer.Length);
            throw;
        }
        ModelShelf.Lease lease = shared.Models.Keep(digest, session, offer.Length);
        shared.Logger.ModelLoaded(number, digest, offer.Length);
        return lease;
    }

    private async Task<OrtSession> ReceiveModelAsync(ModelOffer offer, CancellationToken cancellation)
    {
        using var buffer = PinnedBuffer.Allocate(offer.Length); // fresh pages: what does not come costs nothing
        for (long at = 0; at < offer.Length;)
        {
            await WithinAsync(async token =>
            {
                FrameHeader chunk = await ExpectAsync(FrameKind.Chunk, token);
                if (chunk.Length > offer.Length - at)
                    throw new WireException(AcceleratorFault.BadFrame, "More bytes come than the model has.");
                await _wire.ReadAsync(buffer.Memory(at, chunk.Length), token);
                at += chunk.Length;
            }, cancellation);
        }
        return await Task.Run(() => Load(buffer, offer), cancellation);
    }

    private OrtSession Load(PinnedBuffer buffer, ModelOffer offer)
    {
        ReadOnlyMemory<byte> model = buffer.Memory(0, (int)offer.Length);
        if (!SHA256.HashData(model.Span).AsSpan().SequenceEqual(offer.Digest))
            throw new RefusedException(RefusalCode.OtherDigest, "The bytes that came have another SHA-256 than the one offered.");
        try
        {
            var session = OrtSession.FromMemory(model, new OrtSessionOptions { IntraThreads = _options.Threads, Level = _options.Level });
            if (session.Inputs.Concat(session.Outputs).All(tensor => TensorValues.CanCross(tensor.Type)))
                return session;
            session.Dispose();
            throw new RefusedException(RefusalCode.ModelRefused, "The model has an input or output whose elements cannot be sent.");
        }
        catch (OnnxRuntimeException refused)
        {
            throw new RefusedException(RefusalCode.ModelRefused, refused.Message);
        }
    }

    private async Task ReadAsync(OrtSession session, ChannelWriter<HostedRun> waiting, CancellationToken cancellation)
    {
        try
        {
            while (await _wire.ReadHeaderAsync(cancellation) is { } header)
            {
                switch (header.Kind)
                {
                    case FrameKind.Memory when mayShareMemory && _slots is null:
                        MemoryOffer offer = default;
                        await WithinAsync(async token => offer = MemoryOffer.Read(await _wire.ReadPayloadAsync(header, token)), cancellation);
                        _slots = SharedSlots.Open(offer);
                        waiting.TryWrite(HostedRun.Reply(FrameKind.Mapped, header.Id));
                        break;
                    case FrameKind.Ping:
                        CountIn(ref _pings, 1, "ping");
                        waiting.TryWrite(HostedRun.Reply(FrameKind.Pong, header.Id));
                        break;
                    case FrameKind.Run:
                        CountIn(ref _unanswered, Depth, "run(s)");
                        waiting.TryWrite(await ReadRunAsync(session, header, cancellation));
                        break;
                    default:
                        throw new WireException(AcceleratorFault.BadFrame, $"A {header.Kind} frame came where a run should.");
                }
            }
        }
        finally
        {
            waiting.TryComplete();
        }
    }

    private static void CountIn(ref int unanswered, int most, string what)
    {
        if (Interlocked.Increment(ref unanswered) > most)
            throw new RefusedException(RefusalCode.Flood, $"More than {most} {what} are unanswered.");
    }

    private async ValueTask<HostedRun> ReadRunAsync(OrtSession session, FrameHeader header, CancellationToken cancellation)
    {
        byte[] head = new byte[TensorHeads.SlotSize + TensorHeads.Size(session.Inputs)];
        if (header.Length < head.Length)
            throw new WireException(AcceleratorFault.BadFrame, "A run ends before its tensors are described.");
        await WithinAsync(token => _wire.ReadAsync(head, token), cancellation);
        HostedRun run = HostedRun.Describe(header, head, _slots, _options.MaximumRunBytes);
        await shared.RunMemory.TakeAsync(run.InputBytes, cancellation);
        try
        {
            run.Allocate(_buffers);
            if (run.Slot is { } slot)
                run.TakeInputs(_slots!.Inputs(slot));
            else
                await WithinAsync(token => _wire.ReadAsync(run.Inputs, token), cancellation);
            return run;
        }
        catch
        {
            Drop(run);
            throw;
        }
    }

    private async Task AnswerAsync(OrtSession session, ChannelReader<HostedRun> waiting, CancellationToken cancellation)
    {
        using var answer = new HostedAnswer(_options);
        await foreach (HostedRun run in waiting.ReadAllAsync(cancellation))
        {
            if (run.Answer is { } reply)
            {
                if (reply == FrameKind.Pong) Interlocked.Decrement(ref _pings);
                await WithinAsync(token => _wire.WriteFrameAsync(reply, run.Id, default, token), cancellation);
                continue;
            }
            await ComputeAsync(session, run, answer, cancellation);
            if (answer.Refusal is { } note && BitOperations.IsPow2(++_refused)) shared.Logger.RunRefused(number, note.Text, _refused);
            Interlocked.Decrement(ref _unanswered); // before the peer can see the answer, and ask again at once
            await WithinAsync(token => _wire.WriteAsync(answer.Frame, token), cancellation);
            answer.Trim();
        }
    }

    // The inputs are given back before the answer goes: who takes it slowly holds none of the memory that all share.
    private async Task ComputeAsync(OrtSession session, HostedRun run, HostedAnswer answer, CancellationToken cancellation)
    {
        try
        {
            await shared.Turn.WaitAsync(cancellation);
            try
            {
                await Task.Run(() => answer.Compute(session, run, _slots, cancellation), CancellationToken.None);
            }
            finally
            {
                shared.Turn.Release();
            }
        }
        finally
        {
            Drop(run);
        }
    }

    private void Drop(HostedRun run)
    {
        if (run.Answer is not null) return;
        run.Dispose();
        shared.RunMemory.Return(run.InputBytes);
    }

    private async ValueTask<FrameHeader> ExpectAsync(FrameKind kind, CancellationToken cancellation)
    {
        FrameHeader header = await _wire.NextHeaderAsync(cancellation);
        return header.Kind == kind ? header : throw new WireException(AcceleratorFault.BadFrame, $"A {header.Kind} frame came where {kind} should.");
    }

    private async ValueTask WithinAsync(Func<CancellationToken, ValueTask> work, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(_options.PeerTimeout, _options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            await work(either.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new WireException(AcceleratorFault.Stalled, $"The peer took longer than {_options.PeerTimeout} for a step.");
        }
    }
}
