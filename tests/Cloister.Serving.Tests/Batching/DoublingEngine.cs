using Cloister.Onnx.Runtime;
using Cloister.Serving.Batching;
using Cloister.Serving.Engines;
using Cloister.Serving.Execution;

namespace Cloister.Serving.Tests.Batching;

/// <summary>y = 2x over float [N, 2], on a real executor, one run at a time; it can be held, and it refuses whole batches that hold a NaN.</summary>
internal sealed class DoublingEngine : ICallableEngine, IDisposable
{
    private readonly InferenceExecutor _executor;
    private readonly SemaphoreSlim _open = new(0);
    private volatile bool _held;

    public DoublingEngine(TimeProvider time, int queueLimit = 1000)
    {
        _executor = new InferenceExecutor(new ExecutorOptions { Threads = 1, QueueLimit = queueLimit }, time);
        Lane = _executor.CreateLane();
    }

    public Lane Lane { get; }

    public TensorPool Pool { get; } = new(1 << 20);

    /// <summary>The items of each run, in order.</summary>
    public List<long> Runs { get; } = [];

    /// <summary>Ends with each run that begins while the engine is held.</summary>
    public SemaphoreSlim Entered { get; } = new(0);

    public string Platform => "test";

    public IReadOnlyList<TensorInfo> Inputs { get; init; } = [new("x", TensorElementType.Float, [-1, 2])];

    public IReadOnlyList<TensorInfo> Outputs { get; init; } = [new("y", TensorElementType.Float, [-1, 2])];

    public void Hold() => _held = true;

    public void Open(int runs = 1) => _open.Release(runs);

    public void StopHolding()
    {
        _held = false;
        _open.Release(1000);
    }

    public ValueTask StopAsync() => _executor.DisposeAsync();

    public bool IsOverloaded(out TimeSpan retryAfter)
    {
        retryAfter = Lane.RetryAfter;
        return Lane.IsFull;
    }

    public void Demand(IReadOnlyList<Tensor> inputs)
    {
        if (Inputs[0].Mismatch(inputs[0].Type, inputs[0].Shape) is { } problem) throw new ServingException(ServingError.WrongShape, problem);
    }

    public IModelCall Call(IReadOnlyList<Tensor> inputs) => new Run(this, inputs);

    public async Task<Prediction> PredictAsync(IReadOnlyList<Tensor> inputs, TimeSpan timeout, CancellationToken cancellation)
    {
        var run = new Run(this, inputs);
        RunTimes times = await Lane.RunAsync(run, timeout, cancellation);
        return new Prediction(run.Outputs!, times.Queued, times.Computed);
    }

    public async ValueTask DisposeAsync() => await _executor.DisposeAsync();

    public void Dispose()
    {
        _open.Dispose();
        Entered.Dispose();
        Pool.Dispose();
    }

    private sealed class Run(DoublingEngine engine, IReadOnlyList<Tensor> inputs) : IModelCall
    {
        private volatile bool _interrupted;

        public Tensor[]? Outputs { get; private set; }

        public void Execute()
        {
            engine.Runs.Add(inputs[0].Shape[0]);
            if (engine._held)
            {
                engine.Entered.Release();
                engine._open.Wait();
            }
            if (_interrupted) throw new ServingException(ServingError.EngineFailed, "interrupted");
            float[] values = inputs[0].Elements<float>().ToArray();
            if (values.Any(float.IsNaN)) throw new ServingException(ServingError.EngineFailed, "a NaN");
            Tensor output = BatchTensors.Rent(TensorElementType.Float, inputs[0].Shape.ToArray(), engine.Pool);
            for (int i = 0; i < values.Length; i++) output.Elements<float>()[i] = 2 * values[i];
            Outputs = [output];
        }

        public void Interrupt()
        {
            _interrupted = true;
            engine._open.Release();
        }
    }
}
