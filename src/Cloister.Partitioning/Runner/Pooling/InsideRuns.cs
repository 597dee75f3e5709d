using System.Security.Cryptography;
using Cloister.Onnx.Runtime;

namespace Cloister.Partitioning.Runner.Pooling;

/// <summary>Runs of the BackNet inside: where there is no accelerator, and to judge what one said.</summary>
internal sealed class InsideRuns(PoolCore core) : IDisposable
{
    private readonly SemaphoreSlim _places = new(core.Options.MaximumInside);
    private readonly Lock _lock = new();
    private readonly HashSet<Task> _running = [];
    private int _waiting;

    /// <summary>What the inside says of an answer.</summary>
    public enum Verdict
    {
        /// <summary>The accelerator is not to blame, or the request ended meanwhile.</summary>
        Innocent,
        /// <summary>The BackNet gives something else.</summary>
        Guilty,
    }

    /// <summary>Requests that wait to be run here, or are.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Whether an answer is to be computed again: the chance is the same for each, and the accelerator cannot foresee it.</summary>
    public bool Draw()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        double drawn = (BitConverter.ToUInt64(bytes) >> 11) * (1.0 / (1UL << 53)); // [0, 1)
        return drawn < core.Options.SpotChecks;
    }

    /// <summary>Answers a request, in the background.</summary>
    public void Start(PoolRequest request)
    {
        if (Interlocked.Increment(ref _waiting) > core.Options.MaximumQueued)
        {
            Interlocked.Decrement(ref _waiting);
            request.Fail(core.Overloaded());
            return;
        }
        Track(AnswerAsync(request));
    }

    /// <summary>Ends when nothing runs any more.</summary>
    public Task EndedAsync()
    {
        lock (_lock) return Task.WhenAll(_running);
    }

    public void Dispose() => _places.Dispose();

    /// <summary>Compares an answer with the BackNet's, and ends the request with what is right.</summary>
    /// <param name="request">The request.</param>
    /// <param name="outputs">The answer, which is disposed of or becomes the caller's; null where the accelerator refused.</param>
    /// <param name="areSound">Whether the answer's values are ones that are passed on.</param>
    public async Task<Verdict> JudgeAsync(PoolRequest request, OrtTensor[]? outputs, bool areSound)
    {
        request.Whereabouts = "its answer was computed again inside";
        Interlocked.Increment(ref _waiting);
        Verdict verdict = Verdict.Innocent;
        try
        {
            if (await RunAsync(request) is not { } own) return verdict;
            bool ownIsSound = core.AreSound(own);
            if (outputs is not null && areSound && AreNear(own, outputs))
            {
                PartitionedRunner.Erase(own);
                request.TryComplete(outputs);
                outputs = null;
                return verdict;
            }
            // An input can be made that overflows: then NaN is the model's own word, and no fault.
            if (ownIsSound) verdict = Verdict.Guilty;
            End(request, own, ownIsSound);
        }
        catch (Exception failed)
        {
            request.Fail(failed); // the input is at fault: it does not run inside either
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
            PartitionedRunner.Erase(outputs);
        }
        return verdict;
    }

    private async Task AnswerAsync(PoolRequest request)
    {
        try
        {
            request.Whereabouts = "it waited to run inside";
            if (await RunAsync(request) is { } outputs)
            {
                core.Counters.AnsweredInside();
                End(request, outputs, core.AreSound(outputs));
            }
        }
        catch (Exception failed)
        {
            request.Fail(failed);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private static void End(PoolRequest request, OrtTensor[] outputs, bool areSound)
    {
        if (areSound)
        {
            request.TryComplete(outputs);
            return;
        }
        PartitionedRunner.Erase(outputs);
        request.Fail(new PartitioningException(PartitioningError.AnswerNotFinite, "The model gives NaN or an infinity for this input."));
    }

    private async Task<OrtTensor[]?> RunAsync(PoolRequest request)
    {
        await _places.WaitAsync();
        try
        {
            if (core.HasEnded) request.Fail(new ObjectDisposedException(nameof(AcceleratorPool))); // it waited; only what runs is waited for
            if (!request.TryHold()) return null;
            try
            {
                return await Task.Run(() => core.BackNet.RunInside(request.Inputs));
            }
            finally
            {
                request.LetGo();
            }
        }
        finally
        {
            _places.Release();
        }
    }

    private bool AreNear(OrtTensor[] own, OrtTensor[] given)
    {
        bool near = true;
        for (int i = 0; i < own.Length; i++)
            near &= TensorValues.AreNear(own[i].Type, own[i].Bytes, given[i].Bytes, core.Options.SpotTolerance);
        return near;
    }

    private void Track(Task task)
    {
        lock (_lock)
        {
            _running.RemoveWhere(one => one.IsCompleted);
            _running.Add(task);
        }
    }
}
