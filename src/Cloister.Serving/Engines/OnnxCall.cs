using Cloister.Onnx.Runtime;

namespace Cloister.Serving.Engines;

/// <summary>One run of an ONNX model. Interrupting it stops ONNX Runtime before its next operator.</summary>
internal sealed class OnnxCall(OnnxEngine engine, IReadOnlyList<Tensor> inputs) : IModelCall
{
    private readonly Lock _gate = new();
    private OrtRunOptions? _options;
    private bool _interrupted;

    public Tensor[]? Outputs { get; private set; }

    public void Execute()
    {
        OrtRunOptions options = engine.RentOptions();
        lock (_gate)
        {
            _options = options;
            if (_interrupted) options.Terminate();
        }
        var outputs = new Tensor?[engine.Outputs.Count];
        try
        {
            Run(options, outputs);
            Outputs = outputs!;
        }
        catch (OnnxRuntimeException exception)
        {
            foreach (Tensor? output in outputs) output?.Dispose();
            throw new ServingException(ServingError.EngineFailed, $"ONNX Runtime could not run the model: {exception.Message}", exception);
        }
        finally
        {
            // From here on an interruption that comes too late cannot reach the next run that uses these options.
            lock (_gate) _options = null;
            engine.ReturnOptions(options);
        }
    }

    public void Interrupt()
    {
        lock (_gate)
        {
            _interrupted = true;
            _options?.Terminate();
        }
    }

    private void Run(OrtRunOptions options, Tensor?[] outputs)
    {
        var native = new OrtTensor[inputs.Count];
        bool[]? owned = null;
        var results = new OrtTensor?[outputs.Length];
        try
        {
            for (int i = 0; i < native.Length; i++)
            {
                native[i] = inputs[i].ToNative(out bool own);
                if (own) (owned ??= new bool[native.Length])[i] = true;
            }
            for (int i = 0; i < results.Length; i++)
            {
                outputs[i] = engine.TryRentOutput(i);
                results[i] = outputs[i]?.ToNative(out _);
            }
            engine.Session.Run(native, results, options);
            for (int i = 0; i < results.Length; i++)
            {
                outputs[i] ??= new Tensor(results[i]!);
                results[i] = null;
            }
        }
        catch
        {
            for (int i = 0; i < results.Length; i++)
                if (outputs[i] is null) results[i]?.Dispose();
            throw;
        }
        finally
        {
            for (int i = 0; owned is not null && i < owned.Length; i++)
                if (owned[i]) native[i].Dispose();
        }
    }
}
