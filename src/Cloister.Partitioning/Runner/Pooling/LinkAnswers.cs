using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner.Wire;

namespace Cloister.Partitioning.Runner.Pooling;

/// <summary>Reads answers into memory of the inside, and checks there everything that can be checked; what needs the BackNet itself is judged beside it.</summary>
internal sealed class LinkAnswers(PoolCore core, AcceleratorLink link, WireConnection wire, SharedSlots? slots)
{
    private readonly TaskCompletionSource _guilty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private readonly HashSet<Task> _judging = [];
    private volatile WireException? _lie;

    /// <summary>Fails when the inside found an answer wrong that looked well.</summary>
    public Task Guilty => _guilty.Task;

    /// <summary>The lie that was found, if one was: whatever else the accelerator did on this connection, before or after, does not cover it.</summary>
    public WireException? Lie => _lie;

    /// <summary>Ends when nothing is judged any more.</summary>
    public Task JudgedAsync()
    {
        lock (_lock) return Task.WhenAll(_judging);
    }

    /// <summary>Reads an answer; gives what hands it to its callers.</summary>
    /// <exception cref="WireException">It is not one to this batch.</exception>
    public async ValueTask<Action> ReadAsync(Batch batch, FrameHeader header, CancellationToken cancellation)
    {
        long beganAt = core.Now;
        if (header.Length != batch.AnswerLength)
            throw new WireException(AcceleratorFault.WrongTensors, $"Its answer has {header.Length} bytes; one for {batch.Rows} item(s) has {batch.AnswerLength}.");
        byte[] head = new byte[InputDigest.Size + batch.AnswerHeads.Length];
        await wire.ReadAsync(head, cancellation);
        if (!head.AsSpan(0, InputDigest.Size).SequenceEqual(batch.Digest))
            throw new WireException(AcceleratorFault.OtherInput, "Its answer belongs to another input.");
        if (!head.AsSpan(InputDigest.Size).SequenceEqual(batch.AnswerHeads))
            throw new WireException(AcceleratorFault.WrongTensors, "Its answer has another number of tensors, other types or other shapes.");

        PinnedBuffer[][] memory = batch.AllocateOutputs();
        try
        {
            if (batch.Slot is { } slot)
                CopyOut(memory, slots!.Outputs(slot));
            else
                await ReadAsync(memory, cancellation);
            OrtTensor[][] answers = [.. memory.Select((buffers, i) => batch.Tensors(buffers, batch.Requests[i]))];
            bool[] sound = [.. answers.Select(core.AreSound)];
            core.Counters.Received(FrameHeader.Size + header.Length + (batch.Slot is null ? 0 : batch.AnswerBytes));
            Count(batch, beganAt);
            return () => Deliver(batch, answers, sound);
        }
        finally
        {
            foreach (PinnedBuffer buffer in memory.SelectMany(buffers => buffers)) buffer.Dispose(); // tensors keep theirs alive
        }
    }

    /// <summary>The accelerator says that ONNX Runtime does not run these inputs: the inside answers, and says whether that is so.</summary>
    public void JudgeRefusal(Batch batch, RefusalNote note) => Judge(async () =>
    {
        InsideRuns.Verdict[] verdicts = await Task.WhenAll(batch.Requests.Select(request => core.Inside.JudgeAsync(request, null, areSound: false)));
        if (verdicts.All(verdict => verdict == InsideRuns.Verdict.Guilty))
            _guilty.TrySetException(new WireException(AcceleratorFault.RunRefused, $"It refuses a run ({note.Code}) that goes well inside: {note.Text}"));
    });

    private async ValueTask ReadAsync(PinnedBuffer[][] memory, CancellationToken cancellation)
    {
        for (int output = 0; output < memory[0].Length; output++)
        {
            foreach (PinnedBuffer[] request in memory)
                await wire.ReadAsync(request[output].Memory(0, (int)request[output].Length), cancellation);
        }
    }

    private static void CopyOut(PinnedBuffer[][] memory, ReadOnlySpan<byte> shared)
    {
        for (int output = 0; output < memory[0].Length; output++)
        {
            foreach (PinnedBuffer[] request in memory)
            {
                int length = (int)request[output].Length;
                shared[..length].CopyTo(request[output].Span(0, length));
                shared = shared[length..];
            }
        }
    }

    private void Deliver(Batch batch, OrtTensor[][] answers, bool[] sound)
    {
        for (int i = 0; i < answers.Length; i++)
        {
            PoolRequest request = batch.Requests[i];
            OrtTensor[] answer = answers[i];
            bool isSound = sound[i];
            if (isSound && !core.Inside.Draw())
            {
                link.AnsweredUnchecked();
                request.TryComplete(answer);
                continue;
            }
            if (isSound) core.Counters.Checked();
            Judge(async () =>
            {
                if (await core.Inside.JudgeAsync(request, answer, isSound) == InsideRuns.Verdict.Innocent)
                    return;
                if (isSound) _lie = new WireException(AcceleratorFault.Lied, "an answer was computed again inside and is another");
                _guilty.TrySetException(_lie ?? new WireException(AcceleratorFault.BadValues, "Its answer has NaN, an infinity or a boolean that is none, which the model does not give."));
            });
        }
    }

    private void Judge(Func<Task> work)
    {
        Task judging = work();
        lock (_lock)
        {
            _judging.RemoveWhere(task => task.IsCompletedSuccessfully);
            _judging.Add(judging);
        }
    }

    private void Count(Batch batch, long beganAt)
    {
        long now = core.Now, sentAt = batch.SentAt == 0 ? beganAt : batch.SentAt;
        TimeProvider clock = core.Options.TimeProvider;
        TimeSpan queued = batch.Requests.Aggregate(TimeSpan.Zero, (sum, request) => sum + clock.GetElapsedTime(request.CameAt, batch.TakenAt));
        core.Counters.Answered(batch.Requests.Count, queued, clock.GetElapsedTime(batch.TakenAt, sentAt), clock.GetElapsedTime(sentAt, beganAt), clock.GetElapsedTime(beganAt, now));
    }
}
