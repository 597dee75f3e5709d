namespace Cloister.Onnx.Runtime;

/// <summary>
/// A model that is ready to run. Runs from several threads at once are allowed; a session may be disposed while runs go on, and is
/// released when the last one ends.
/// </summary>
public sealed unsafe partial class OrtSession : IDisposable
{
    private const int OnStack = 32;

    private readonly OrtApi _api;
    private readonly OrtSessionHandle _handle;
    private readonly NativeStrings _inputNames, _outputNames;
    private readonly TensorInfo[] _inputs, _outputs;

    private OrtSession(OrtApi api, OrtSessionHandle handle, NativeStrings inputNames, NativeStrings outputNames, TensorInfo[] inputs, TensorInfo[] outputs)
    {
        _api = api;
        _handle = handle;
        _inputNames = inputNames;
        _outputNames = outputNames;
        _inputs = inputs;
        _outputs = outputs;
    }

    /// <summary>What the model reads, in the order that <see cref="Run(ReadOnlySpan{OrtTensor}, Span{OrtTensor}, OrtRunOptions)"/> takes.</summary>
    public IReadOnlyList<TensorInfo> Inputs => _inputs;

    /// <summary>What the model gives, in the order that <see cref="Run(ReadOnlySpan{OrtTensor}, Span{OrtTensor}, OrtRunOptions)"/> fills.</summary>
    public IReadOnlyList<TensorInfo> Outputs => _outputs;

    /// <summary>Runs the model once.</summary>
    /// <param name="inputs">One tensor an input, in the order of <see cref="Inputs"/>.</param>
    /// <param name="outputs">
    /// One place an output, in the order of <see cref="Outputs"/>. A tensor that stands there is written to; where null stands, ONNX
    /// Runtime allocates one, which the caller disposes.
    /// </param>
    /// <param name="options">What can stop the run.</param>
    /// <exception cref="ArgumentException">A tensor does not fit the model's input or output; the text says which and why.</exception>
    /// <exception cref="OnnxRuntimeException">The run failed, or was stopped through <paramref name="options"/>.</exception>
    /// <exception cref="ObjectDisposedException">The session, a tensor or the options were disposed before the run began.</exception>
    public void Run(ReadOnlySpan<OrtTensor> inputs, Span<OrtTensor?> outputs, OrtRunOptions? options = null)
    {
        ObjectDisposedException.ThrowIf(_handle.IsDisposed, this);
        Demand(inputs, outputs);

        int count = inputs.Length + outputs.Length;
        nint* values = stackalloc nint[OnStack];
        nint[]? many = count <= OnStack ? null : GC.AllocateArray<nint>(count, pinned: true);
        if (many is not null)
            fixed (nint* pinned = many)
                values = pinned; // the pinned heap never moves it; `many` keeps it alive below

        int held = 0;
        bool session = false, run = false;
        try
        {
            _handle.Hold(ref session);
            options?.Handle.Hold(ref run);
            for (; held < count; held++)
            {
                OrtValueHandle? value = held < inputs.Length ? inputs[held].Handle : outputs[held - inputs.Length]?.Handle;
                bool taken = false;
                value?.Hold(ref taken);
                values[held] = value?.Value ?? 0;
            }

            _api.Check(_api.Run(
                _handle.Value, options?.Handle.Value ?? 0, _inputNames.Pointers, values, (nuint)inputs.Length,
                _outputNames.Pointers, (nuint)outputs.Length, values + inputs.Length));
            Adopt(outputs, values + inputs.Length);
        }
        finally
        {
            while (--held >= 0)
            {
                if (held < inputs.Length)
                    inputs[held].Handle.DangerousRelease();
                else if (values[held] != 0)
                    outputs[held - inputs.Length]!.Handle.DangerousRelease();
            }
            if (run)
                options!.Handle.DangerousRelease();
            if (session)
                _handle.DangerousRelease();
            GC.KeepAlive(many);
        }
    }

    /// <summary>Runs the model once, with inputs by name; gives the outputs in the order of <see cref="Outputs"/>, for the caller to dispose.</summary>
    /// <exception cref="ArgumentException">An input is unknown, missing, or does not fit the model; the text says which and why.</exception>
    /// <exception cref="OnnxRuntimeException">The run failed, or was stopped through <paramref name="options"/>.</exception>
    public OrtTensor[] Run(IReadOnlyDictionary<string, OrtTensor> inputs, OrtRunOptions? options = null)
    {
        OrtTensor[] ordered = new OrtTensor[_inputs.Length];
        for (int i = 0; i < ordered.Length; i++)
            ordered[i] = inputs.TryGetValue(_inputs[i].Name, out OrtTensor? tensor)
                ? tensor
                : throw new ArgumentException($"The input '{_inputs[i].Name}' is missing; the model wants {Names(_inputs)}.", nameof(inputs));
        if (inputs.Count != ordered.Length)
        {
            string unknown = inputs.Keys.First(name => !Array.Exists(_inputs, input => input.Name == name));
            throw new ArgumentException($"The model has no input '{unknown}'; it wants {Names(_inputs)}.", nameof(inputs));
        }
        OrtTensor?[] outputs = new OrtTensor?[_outputs.Length];
        Run(ordered, outputs, options);
        return outputs!;
    }

    /// <summary>Lets go of the session; runs that go on finish first.</summary>
    public void Dispose() => _handle.Dispose();

    private static string Names(TensorInfo[] infos) => string.Join(", ", infos.Select(info => $"'{info.Name}'"));

    /// <summary>Makes tensors of what ONNX Runtime allocated. If one cannot be, none stays.</summary>
    private static void Adopt(Span<OrtTensor?> outputs, nint* values)
    {
        // Each adopted value's place is set to zero: the caller releases only the references it took.
        int made = 0;
        OrtTensor?[]? adopted = null;
        try
        {
            for (int i = 0; i < outputs.Length; i++)
            {
                if (outputs[i] is not null)
                    continue;
                nint value = values[i];
                values[i] = 0;
                adopted ??= new OrtTensor?[outputs.Length];
                adopted[i] = OrtTensor.Adopt(value);
                made++;
            }
        }
        catch
        {
            for (int i = 0; i < outputs.Length; i++)
            {
                adopted?[i]?.Dispose();
                if (outputs[i] is null && values[i] != 0)
                {
                    new OrtValueHandle(values[i], null).Dispose();
                    values[i] = 0;
                }
            }
            throw;
        }
        for (int i = 0; made > 0 && i < outputs.Length; i++)
            outputs[i] ??= adopted![i];
    }

    private void Demand(ReadOnlySpan<OrtTensor> inputs, Span<OrtTensor?> outputs)
    {
        if (inputs.Length != _inputs.Length)
            throw new ArgumentException($"The model has {_inputs.Length} inputs ({Names(_inputs)}), {inputs.Length} tensors are given.", nameof(inputs));
        if (outputs.Length != _outputs.Length)
            throw new ArgumentException($"The model has {_outputs.Length} outputs ({Names(_outputs)}), {outputs.Length} places are given.", nameof(outputs));
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i] is null)
                throw new ArgumentException($"There is no tensor for the input '{_inputs[i].Name}'.", nameof(inputs));
            if (_inputs[i].Mismatch(inputs[i].Type, inputs[i].Shape) is { } problem)
                throw new ArgumentException("The input " + problem, nameof(inputs));
        }
        for (int i = 0; i < outputs.Length; i++)
        {
            if (outputs[i] is { } output && _outputs[i].Mismatch(output.Type, output.Shape) is { } problem)
                throw new ArgumentException("The output " + problem, nameof(outputs));
        }
    }
}
