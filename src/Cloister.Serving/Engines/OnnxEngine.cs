using System.Collections.Concurrent;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Execution;

namespace Cloister.Serving.Engines;

/// <summary>Predicts with ONNX Runtime on the executor's threads.</summary>
internal sealed class OnnxEngine : ICallableEngine
{
    private readonly TensorPool _pool;
    private readonly bool _steady;
    private readonly ConcurrentBag<OrtRunOptions> _idle = [];
    private readonly long[]?[] _fixedOutputs;

    /// <summary>Takes over the session.</summary>
    /// <param name="session">The model.</param>
    /// <param name="lane">Its queue.</param>
    /// <param name="pool">Memory for outputs.</param>
    /// <param name="steady">Whether no request of one item can make a run longer than another: <see cref="SteadyModel"/>.</param>
    /// <exception cref="ServingException">The model has an input or output that no surface can carry.</exception>
    public OnnxEngine(OrtSession session, Lane lane, TensorPool pool, bool steady = false)
    {
        Session = session;
        _steady = steady;
        Lane = lane;
        _pool = pool;
        foreach (TensorInfo tensor in session.Inputs.Concat(session.Outputs))
            if (!TensorTypes.IsCarried(tensor.Type))
                throw new ServingException(ServingError.ModelRefused, $"'{tensor.Name}' has elements of type {tensor.Type}, which cannot be sent; cast it inside the model.");
        _fixedOutputs = [.. session.Outputs.Select(output =>
            output.Type != TensorElementType.String && output.Shape.All(dimension => dimension > 0) ? output.Shape.ToArray() : null)];
    }

    public string Platform => "onnxruntime_onnx";

    public IReadOnlyList<TensorInfo> Inputs => Session.Inputs;

    public IReadOnlyList<TensorInfo> Outputs => Session.Outputs;

    public Lane Lane { get; }

    public EngineLoad Load => Lane.Load;

    internal OrtSession Session { get; }

    public bool IsOverloaded(out TimeSpan retryAfter)
    {
        bool full = Lane.IsFull;
        retryAfter = full ? Lane.RetryAfter : TimeSpan.Zero;
        return full;
    }

    public async Task<Prediction> PredictAsync(IReadOnlyList<Tensor> inputs, TimeSpan timeout, CancellationToken cancellation)
    {
        Demand(inputs);
        var call = new OnnxCall(this, inputs);
        // Two changes of thread cost half as much as a small model's run.
        if (!_steady || !IsOneItem(inputs) || !Lane.TryRunHere(call, cancellation, out RunTimes times)) times = await Lane.RunAsync(call, timeout, cancellation);
        return new Prediction(call.Outputs!, times.Queued, times.Computed);
    }

    public IModelCall Call(IReadOnlyList<Tensor> inputs) => new OnnxCall(this, inputs);

    public void Demand(IReadOnlyList<Tensor> inputs)
    {
        if (inputs.Count != Inputs.Count) throw new ArgumentException($"The model has {Inputs.Count} inputs, {inputs.Count} tensors are given.", nameof(inputs));
        for (int i = 0; i < inputs.Count; i++) Demand(Inputs[i], inputs[i]);
    }

    public ValueTask DisposeAsync()
    {
        Session.Dispose();
        while (_idle.TryTake(out OrtRunOptions? options)) options.Dispose();
        return ValueTask.CompletedTask;
    }

    internal OrtRunOptions RentOptions() => _idle.TryTake(out OrtRunOptions? options) ? options : new OrtRunOptions();

    internal void ReturnOptions(OrtRunOptions options)
    {
        if (options.Terminated) options.Dispose();
        else _idle.Add(options);
    }

    /// <summary>Memory for an output whose shape the model fixes; null where ONNX Runtime must allocate it.</summary>
    internal Tensor? TryRentOutput(int index)
    {
        if (_fixedOutputs[index] is not { } shape) return null;
        TensorElementType type = Outputs[index].Type;
        long bytes = type.ByteLength(shape.Aggregate(1L, (product, dimension) => checked(product * dimension)));
        return bytes > TensorPool.LargestTensor ? null : new Tensor(type, shape, _pool.Rent(bytes));
    }

    private bool IsOneItem(IReadOnlyList<Tensor> inputs)
    {
        for (int i = 0; i < inputs.Count; i++)
            if (Inputs[i].Shape is [< 0, ..] && inputs[i].Shape[0] != 1) return false;
        return true;
    }

    private static void Demand(TensorInfo input, Tensor tensor)
    {
        if (input.Mismatch(tensor.Type, tensor.Shape) is { } problem)
            throw new ServingException(input.Type == tensor.Type ? ServingError.WrongShape : ServingError.WrongType, $"The input {problem}");
    }
}
