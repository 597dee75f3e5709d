using Cloister.Homomorphic.Models;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Execution;

namespace Cloister.Serving.Encrypted;

/// <summary>Answers encrypted queries with a compiled model, on the executor's threads. It decrypts nothing but envelopes.</summary>
internal sealed class HomomorphicEngine : IQueryEngine
{
    private readonly Lane _lane;

    /// <summary>Takes over the model.</summary>
    /// <param name="model">The compiled model.</param>
    /// <param name="lane">Its queue.</param>
    /// <param name="pool">Memory for answers.</param>
    /// <param name="keys">The keys of envelopes.</param>
    public HomomorphicEngine(CompiledModel model, Lane lane, TensorPool pool, EnvelopeKeys keys)
    {
        (Model, _lane, Pool, Keys) = (model, lane, pool, keys);
        Digest = Convert.FromHexString(model.Client.Digest);
        MaximumQueryBytes = QuerySizes.Largest(model);
    }

    public string Platform => "cloister_homomorphic";

    public IReadOnlyList<TensorInfo> Inputs { get; } = [new("query", TensorElementType.UInt8, [-1])];

    public IReadOnlyList<TensorInfo> Outputs { get; } = [new("answer", TensorElementType.UInt8, [-1])];

    public long MaximumQueryBytes { get; }

    public EngineLoad Load => _lane.Load;

    /// <summary>What computes.</summary>
    internal CompiledModel Model { get; }

    /// <summary>SHA-256 of the compiled model, to which queries and answers are bound.</summary>
    internal ReadOnlyMemory<byte> Digest { get; }

    internal EnvelopeKeys Keys { get; }

    internal TensorPool Pool { get; }

    public bool IsOverloaded(out TimeSpan retryAfter)
    {
        bool full = _lane.IsFull;
        retryAfter = full ? _lane.RetryAfter : TimeSpan.Zero;
        return full;
    }

    public Task<Prediction> PredictAsync(IReadOnlyList<Tensor> inputs, TimeSpan timeout, CancellationToken cancellation) =>
        PredictAsync(inputs, NoAccount.Instance, timeout, cancellation);

    public async Task<Prediction> PredictAsync(IReadOnlyList<Tensor> inputs, IQueryAccount account, TimeSpan timeout, CancellationToken cancellation)
    {
        if (inputs.Count != 1) throw new ArgumentException($"The model has 1 input, {inputs.Count} tensors are given.", nameof(inputs));
        Demand(inputs[0]);
        using var call = new HomomorphicCall(this, inputs[0], account);
        RunTimes times = await _lane.RunAsync(call, timeout, cancellation);
        return new Prediction([call.Answer!], times.Queued, times.Computed) { Rows = call.Rows };
    }

    public ValueTask DisposeAsync()
    {
        Model.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Demand(Tensor query)
    {
        if (Inputs[0].Mismatch(query.Type, query.Shape) is { } problem)
            throw new ServingException(query.Type == TensorElementType.UInt8 ? ServingError.WrongShape : ServingError.WrongType, $"The input {problem}");
        if (query.ElementCount > MaximumQueryBytes)
            throw new ServingException(ServingError.TooLarge, $"The query has {query.ElementCount} bytes; this model takes {MaximumQueryBytes}: send fewer rows at once.");
    }

    private sealed class NoAccount : IQueryAccount
    {
        public static readonly NoAccount Instance = new();

        public ReadOnlyMemory<byte>? Owner => null;

        public void ChargeRows(long rows, long paid)
        {
            // Nobody asks: there is no budget.
        }
    }
}
