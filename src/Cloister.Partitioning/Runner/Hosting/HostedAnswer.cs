using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner.Wire;

namespace Cloister.Partitioning.Runner.Hosting;

/// <summary>Computes runs of one connection, one after the other, and holds the frame that answers the last.</summary>
internal sealed class HostedAnswer(AcceleratorOptions options) : IDisposable
{
    private const int Usual = 4096;
    private const long MaximumKept = 4 << 20;

    private PinnedBuffer _buffer = PinnedBuffer.Allocate(Usual);
    private int _length;

    /// <summary>The frame; until the next run.</summary>
    public ReadOnlyMemory<byte> Frame => _buffer.Memory(0, _length);

    /// <summary>What the frame refuses; null if it answers.</summary>
    public RefusalNote? Refusal { get; private set; }

    /// <summary>Bytes that are held between two runs.</summary>
    public long Held => _buffer.Length;

    /// <summary>Runs the model; a cancelled run ends before its next operator.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Compute(OrtSession session, HostedRun run, SharedSlots? slots, CancellationToken cancellation)
    {
        Refusal = null;
        try
        {
            OrtTensor[] outputs = Run(session, run, cancellation);
            try
            {
                Answer(run, outputs, slots);
            }
            finally
            {
                foreach (OrtTensor output in outputs) output.Dispose();
            }
        }
        catch (RefusedException refused)
        {
            Refuse(run, refused.Code, refused.Message);
        }
    }

    /// <summary>The frame was sent: what is large is given back, since every connection has such memory.</summary>
    public void Trim()
    {
        if (_buffer.Length <= MaximumKept) return;
        _length = 0;
        Grow(Usual);
    }

    public void Dispose() => _buffer.Dispose();

    private OrtTensor[] Run(OrtSession session, HostedRun run, CancellationToken cancellation)
    {
        OrtTensor[] inputs = run.Tensors();
        using var stop = new OrtRunOptions();
        using var timeout = new CancellationTokenSource(options.MaximumRunTime, options.TimeProvider);
        using CancellationTokenRegistration late = timeout.Token.Register(stop.Terminate), ending = cancellation.Register(stop.Terminate);
        try
        {
            var outputs = new OrtTensor?[session.Outputs.Count];
            session.Run(inputs, outputs, stop);
            return outputs!;
        }
        catch (OnnxRuntimeException failed)
        {
            cancellation.ThrowIfCancellationRequested();
            throw stop.Terminated
                ? new RefusedException(RefusalCode.RunTooLong, $"The run took longer than {options.MaximumRunTime}.")
                : new RefusedException(RefusalCode.RunFailed, failed.Message);
        }
        catch (ArgumentException unfit)
        {
            throw new RefusedException(RefusalCode.RunRefused, unfit.Message);
        }
        finally
        {
            foreach (OrtTensor input in inputs) input.Dispose();
        }
    }

    private void Answer(HostedRun run, OrtTensor[] outputs, SharedSlots? slots)
    {
        TensorHead[] heads = [.. outputs.Select(output => new TensorHead(output.Type, output.Shape.ToArray()))];
        long bytes = heads.Sum(head => head.Bytes);
        if (bytes > options.MaximumRunBytes || (run.Slot is not null && bytes > slots!.Offer.OutputBytes))
            throw new RefusedException(RefusalCode.RunTooLarge, $"The outputs have {bytes} bytes, more than there is room for.");
        int head = InputDigest.Size + TensorHeads.Size(heads), inline = run.Slot is null ? (int)bytes : 0;
        Span<byte> payload = Begin(FrameKind.Answer, run.Id, head + inline);
        run.Digest(payload);
        TensorHeads.Write(heads, payload[InputDigest.Size..]);
        Span<byte> elements = run.Slot is { } slot ? slots!.Outputs(slot) : payload[head..];
        foreach (OrtTensor output in outputs)
        {
            output.Bytes.CopyTo(elements);
            elements = elements[output.Bytes.Length..];
        }
    }

    private void Refuse(HostedRun run, RefusalCode code, string text)
    {
        Refusal = new RefusalNote(code, text);
        byte[] note = Refusal.Value.Write();
        note.CopyTo(Begin(FrameKind.Refusal, run.Id, note.Length));
    }

    private Span<byte> Begin(FrameKind kind, ulong id, int length)
    {
        _length = FrameHeader.Size + length;
        if (_buffer.Length < _length) Grow(_length);
        new FrameHeader(kind, id, length).Write(_buffer.Span(0, FrameHeader.Size));
        return _buffer.Span(FrameHeader.Size, length);
    }

    private void Grow(long length)
    {
        _buffer.Dispose();
        _buffer = PinnedBuffer.Allocate(length);
    }
}
