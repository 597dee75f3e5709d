using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Cloister.Serving.Engines;
using Cloister.Serving.Execution;

namespace Cloister.Serving.Partitioned;

/// <summary>One run of a part inside, on one of the executor's threads. Interrupting it stops ONNX Runtime before its next operator.</summary>
internal abstract class PartCall : IInference
{
    private readonly Lock _gate = new();
    private OrtRunOptions? _options;
    private bool _interrupted;

    public void Execute()
    {
        using var options = new OrtRunOptions();
        lock (_gate)
        {
            _options = options;
            if (_interrupted) options.Terminate();
        }
        try
        {
            Run(options);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new ServingException(ServingError.EngineFailed, $"ONNX Runtime could not run the model: {exception.Message}", exception);
        }
        catch (ArgumentException misfit)
        {
            throw Misfit(misfit);
        }
        finally
        {
            lock (_gate) _options = null;
        }
    }

    /// <summary>The refusal of a request of which a part makes something that the next part does not take.</summary>
    public static ServingException Misfit(ArgumentException misfit) =>
        new(ServingError.WrongShape, "What a part of the model makes of inputs of this shape is not what its next part takes; send another number of items.", misfit);

    public void Interrupt()
    {
        lock (_gate)
        {
            _interrupted = true;
            _options?.Terminate();
        }
    }

    protected abstract void Run(OrtRunOptions options);
}

/// <summary>The part before the cut.</summary>
internal sealed class FrontCall(PartitionedRunner runner, IReadOnlyList<Tensor> inputs) : PartCall
{
    /// <summary>What crosses the cut; whoever takes it erases it.</summary>
    public OrtTensor[] Crossing { get; private set; } = [];

    protected override void Run(OrtRunOptions options)
    {
        var native = new OrtTensor[inputs.Count];
        var owned = new bool[native.Length];
        try
        {
            for (int i = 0; i < native.Length; i++) native[i] = inputs[i].ToNative(out owned[i]);
            Crossing = runner.RunFront(native, options);
        }
        finally
        {
            for (int i = 0; i < native.Length; i++)
                if (owned[i]) native[i].Dispose();
        }
    }
}

/// <summary>The part after the accelerator's, and the class mapping.</summary>
/// <param name="runner">Runs it.</param>
/// <param name="returned">What the accelerator gave; erased here, whether it runs or not: <see cref="Dispose"/>.</param>
/// <param name="mapping">Names the best classes; null where the model's own outputs are answered.</param>
internal sealed class TailCall(PartitionedRunner runner, OrtTensor[] returned, ClassMapping? mapping) : PartCall, IDisposable
{
    private OrtTensor[]? _returned = returned;

    /// <summary>The answer, for the caller to dispose; null unless the run has ended well.</summary>
    public Tensor[]? Outputs { get; private set; }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _returned, null) is { } left) PartitionedRunner.Erase(left);
    }

    protected override void Run(OrtRunOptions options)
    {
        OrtTensor[] outputs = runner.RunTail(Interlocked.Exchange(ref _returned, null)!, options);
        if (mapping is null)
        {
            Outputs = [.. outputs.Select(output => new Tensor(output))];
            return;
        }
        try
        {
            Outputs = mapping.Map(outputs[0]);
        }
        finally
        {
            PartitionedRunner.Erase(outputs);
        }
    }
}
