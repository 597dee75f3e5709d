using Cloister.Partitioning.Runner.Wire;

namespace Cloister.Partitioning.Runner.Pooling;

/// <summary>A workload's side of a connection until the accelerator is ready: who it is, whether it has the model, what it made of it.</summary>
internal sealed class LinkGreeting(PoolCore core, AcceleratorLink link, WireConnection wire)
{
    private readonly string _digest = Convert.ToHexStringLower(core.BackNet.Digest.AsSpan());

    /// <summary>Encrypts the connection, if the accelerator has the key that its address names.</summary>
    /// <exception cref="WireException"><see cref="AcceleratorFault.OtherKey"/>, <see cref="AcceleratorFault.NoTls"/>, or it took too long.</exception>
    public Task SecureAsync(CancellationToken cancellation) => StepAsync(async token =>
    {
        await wire.SecureAsync(link.Address, token);
        return true;
    }, "for the TLS handshake", cancellation);

    /// <summary>Greets, and sees that the accelerator has the model; gives what it takes.</summary>
    /// <exception cref="WireException">It did something else, or took too long.</exception>
    public async Task<Greeting> RunAsync(CancellationToken cancellation)
    {
        Greeting limits = await StepAsync(GreetAsync, "to greet", cancellation);
        ReadOnlyMemory<byte> model = core.BackNet.Model;
        if (model.Length > limits.MaximumModelBytes)
            throw new WireException(AcceleratorFault.ModelRefused, $"It takes models of {limits.MaximumModelBytes} bytes; this one has {model.Length}.");
        if (!new BatchLimits(core, limits).Fits(1))
            throw new WireException(AcceleratorFault.ModelRefused, $"It takes {limits.MaximumRunBytes} bytes in a run; one item of this model has more.");
        bool known = await StepAsync(OfferAsync, "to say whether it has the model", cancellation);
        if (!known) await SendModelAsync(model, cancellation);
        ModelFace face = await WithinAsync(core.Options.LoadTimeout, core.Options.TimeProvider, async token =>
        {
            FrameHeader header = await ExpectAsync(token, FrameKind.Ready);
            return ModelFace.Read(await wire.ReadPayloadAsync(header, token));
        }, "to load the model", cancellation);
        if (new ModelFace(core.BackNet.Inputs, core.BackNet.Outputs).Mismatch(face) is { } other)
            throw new WireException(AcceleratorFault.OtherModel, $"What it has under the digest {_digest} is another model: {other}.");
        core.Counters.Received(wire.BytesIn);
        core.Logger.AcceleratorReady(link.Address, _digest, known ? "there" : "sent");
        return limits;
    }

    /// <summary>Makes memory that both sides see; its name is gone when this returns.</summary>
    /// <exception cref="WireException">The accelerator does not take it, or there is none to be had.</exception>
    public async Task<SharedSlots> ShareMemoryAsync(BatchLimits limits, CancellationToken cancellation)
    {
        SharedSlots slots;
        try
        {
            slots = SharedSlots.Create(limits.Depth, core.BackNet.InputBytes(limits.MaximumRows), core.BackNet.OutputBytes(limits.MaximumRows));
        }
        catch (PartitioningException unusable)
        {
            throw new WireException(AcceleratorFault.Unreachable, unusable.Message, unusable);
        }
        try
        {
            await StepAsync(async token =>
            {
                await wire.WriteFrameAsync(FrameKind.Memory, 0, slots.Offer.Write(), token);
                return await ExpectAsync(token, FrameKind.Mapped);
            }, "to open the shared memory", cancellation);
            slots.Unlink();
            return slots;
        }
        catch
        {
            slots.Dispose();
            throw;
        }
    }

    /// <summary>Does something within a time.</summary>
    /// <exception cref="WireException"><see cref="AcceleratorFault.Stalled"/>.</exception>
    public static async Task<T> WithinAsync<T>(TimeSpan time, TimeProvider clock, Func<CancellationToken, ValueTask<T>> work, string what, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(time, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            return await work(either.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new WireException(AcceleratorFault.Stalled, $"It took longer than {time} {what}.");
        }
    }

    private Task<T> StepAsync<T>(Func<CancellationToken, ValueTask<T>> work, string what, CancellationToken cancellation) =>
        WithinAsync(core.Options.StallTimeout, core.Options.TimeProvider, work, what, cancellation);

    private async ValueTask<Greeting> GreetAsync(CancellationToken cancellation)
    {
        try
        {
            await wire.WriteFrameAsync(FrameKind.Hello, 0, Greeting.Hello(), cancellation);
            FrameHeader header = await ExpectAsync(cancellation, FrameKind.Welcome);
            return Greeting.ReadWelcome(await wire.ReadPayloadAsync(header, cancellation));
        }
        catch (WireException ended) when (link.Address.Transport == AcceleratorTransport.Tcp && ended.Fault is AcceleratorFault.Disconnected or AcceleratorFault.TornFrame)
        {
            throw new WireException(ended.Fault, $"It hung up on the greeting: either it has as many connections as it takes, or it speaks TLS, and its address begins with tls:. ({ended.Message})", ended);
        }
    }

    private async ValueTask<bool> OfferAsync(CancellationToken cancellation)
    {
        await wire.WriteFrameAsync(FrameKind.Offer, 0, new ModelOffer([.. core.BackNet.Digest], core.BackNet.Model.Length).Write(), cancellation);
        return (await ExpectAsync(cancellation, FrameKind.Have, FrameKind.Send)).Kind == FrameKind.Have;
    }

    private async Task SendModelAsync(ReadOnlyMemory<byte> model, CancellationToken cancellation)
    {
        int told = 0; // quarters
        for (int at = 0; at < model.Length;)
        {
            ReadOnlyMemory<byte> chunk = model.Slice(at, Math.Min(FrameHeader.MaximumChunk, model.Length - at));
            await StepAsync(async token =>
            {
                await wire.WriteFrameAsync(FrameKind.Chunk, 0, chunk, token);
                return true;
            }, "to take a part of the model", cancellation);
            at += chunk.Length;
            core.Counters.Sent(chunk.Length);
            link.Sent(at);
            if ((int)(4L * at / model.Length) is var quarters && quarters > told)
            {
                told = quarters;
                core.Logger.ModelProgress(_digest, link.Address, at, model.Length);
            }
        }
    }

    private async ValueTask<FrameHeader> ExpectAsync(CancellationToken cancellation, params FrameKind[] kinds)
    {
        FrameHeader header = await wire.NextHeaderAsync(cancellation);
        if (kinds.Contains(header.Kind)) return header;
        if (header.Kind != FrameKind.Refusal)
            throw new WireException(AcceleratorFault.BadFrame, $"It sent {header.Kind} where {string.Join(" or ", kinds)} should come.");
        var note = RefusalNote.Read(await wire.ReadPayloadAsync(header, cancellation));
        throw new WireException(note.Code == RefusalCode.Protocol ? AcceleratorFault.WrongProtocol : AcceleratorFault.ModelRefused, $"It refuses ({note.Code}): {note.Text}");
    }
}
