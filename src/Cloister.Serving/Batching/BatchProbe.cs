using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Execution;

namespace Cloister.Serving.Batching;

/// <summary>
/// Tries whether a model keeps the items of a batch apart: one item, two other ones of a very different size, and all three
/// together must give the same rows. A model that does not (a mean over the batch, a scale found at run time, chance) would let one
/// caller's data show in another's answer; its requests are never joined.
/// </summary>
internal sealed class BatchProbe(ICallableEngine engine, TensorPool pool) : IInference
{
    private static readonly int[] FreeDimensions = [1, 4, 16, 32, 64];

    /// <summary>Why the model's requests must not be joined; null if they may, once it has run.</summary>
    public string? Problem { get; private set; }

    /// <summary>Finds out on one of the executor's threads.</summary>
    /// <exception cref="ServingException">The executor stops.</exception>
    public static async Task<string?> FindProblemAsync(ICallableEngine engine, TensorPool pool, CancellationToken cancellation)
    {
        if (BatchShape.Problem(engine.Inputs, engine.Outputs) is { } declared) return declared;
        var probe = new BatchProbe(engine, pool);
        await engine.Lane.RunAsync(probe, Timeout.InfiniteTimeSpan, cancellation);
        return probe.Problem;
    }

    public void Execute()
    {
        foreach (int free in FreeDimensions)
        {
            if (!TryRun(free, out string? problem)) continue;
            Problem = problem;
            return;
        }
        Problem = "it refuses the values that it was tried with";
    }

    public void Interrupt()
    {
        // Two small runs; whoever waits may stop waiting.
    }

    /// <summary>False if the model does not run with so large a free dimension.</summary>
    private bool TryRun(int free, out string? problem)
    {
        problem = null;
        var used = new List<Tensor>();
        try
        {
            Tensor[] one = Make(1, free, 1, 1f, used), two = Make(2, free, 2, 64f, used), all = Join(one, two, used);
            if (Run(one, used) is not { } single || Run(two, used) is not { } pair) return false;
            problem = Run(all, used) is not { } joined ? "it refuses a batch whose items it takes by themselves"
                : !BatchShape.Follows(single, 1) || !BatchShape.Follows(pair, 2) || !BatchShape.Follows(joined, 3) ? "its outputs do not follow the first dimension of its inputs"
                : Same(single, joined, 0) && Same(pair, joined, 1) ? null
                : "the items of a batch change each other's results";
            return true;
        }
        finally
        {
            foreach (Tensor tensor in used) tensor.Dispose();
        }
    }

    private Tensor[]? Run(Tensor[] inputs, List<Tensor> used)
    {
        IModelCall call = engine.Call(inputs);
        try
        {
            call.Execute();
        }
        catch (ServingException)
        {
            return null;
        }
        used.AddRange(call.Outputs!);
        return call.Outputs;
    }

    private Tensor[] Make(int items, int free, int seed, float scale, List<Tensor> used)
    {
        var random = new Random(seed);
        var tensors = new Tensor[engine.Inputs.Count];
        for (int i = 0; i < tensors.Length; i++)
        {
            TensorInfo input = engine.Inputs[i];
            tensors[i] = BatchTensors.Rent(input.Type, [items, .. input.Shape.Skip(1).Select(dimension => dimension < 0 ? free : dimension)], pool);
            used.Add(tensors[i]);
            ProbeValues.Fill(tensors[i], random, scale);
        }
        return tensors;
    }

    private Tensor[] Join(Tensor[] one, Tensor[] two, List<Tensor> used)
    {
        Tensor[] all = BatchTensors.Concatenate([one, two], pool);
        used.AddRange(all);
        return all;
    }

    private static bool Same(Tensor[] alone, Tensor[] joined, int first)
    {
        for (int i = 0; i < alone.Length; i++)
        {
            if (!alone[i].Shape[1..].SequenceEqual(joined[i].Shape[1..]) || !ProbeValues.Same(alone[i], joined[i], first)) return false;
        }
        return true;
    }
}
