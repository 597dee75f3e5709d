using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Onnx.Runtime;

namespace Cloister.Partitioning.Runner;

/// <summary>
/// The part of a model that runs outside: its bytes, and what is known of it from having run it inside, so that no word of an accelerator
/// is needed to know what an answer looks like.
/// </summary>
public sealed class BackNet : IDisposable
{
    private readonly OrtSession _session;
    private readonly ImmutableArray<BatchedShape> _inputs, _outputs;

    private BackNet(ReadOnlyMemory<byte> model, OrtSession session, BackNetProbe probe)
    {
        (Model, _session) = (model, session);
        Digest = [.. SHA256.HashData(model.Span)];
        (_inputs, _outputs) = (probe.Inputs, probe.Outputs);
        (TakesBatches, CanJoin, NotFinite) = (probe.TakesBatches, probe.CanJoin, probe.NotFinite);
    }

    /// <summary>The ONNX model, as accelerators get it.</summary>
    public ReadOnlyMemory<byte> Model { get; }

    /// <summary>SHA-256 of <see cref="Model"/>.</summary>
    public ImmutableArray<byte> Digest { get; }

    /// <summary>What it reads: the tensors that cross the cut.</summary>
    public IReadOnlyList<TensorInfo> Inputs => _session.Inputs;

    /// <summary>What it gives.</summary>
    public IReadOnlyList<TensorInfo> Outputs => _session.Outputs;

    /// <summary>Whether a call may give several items: the first dimension of an input is free.</summary>
    public bool TakesBatches { get; }

    /// <summary>
    /// Whether requests may be joined: every tensor's first dimension counts the items, and items were seen not to touch each other. A
    /// model that normalises over the batch, for one, would mix what different callers sent.
    /// </summary>
    public bool CanJoin { get; }

    /// <summary>The outputs that hold NaN or an infinity by their nature; in others they are refused.</summary>
    internal ImmutableArray<bool> NotFinite { get; }

    /// <summary>Opens a BackNet and runs it on a few made-up inputs.</summary>
    /// <param name="model">An ONNX model whose weights lie inside it; not copied, and not to be changed.</param>
    /// <param name="itemShapes">Shapes of one item, by the input's name, for inputs with a free dimension besides the first; others may be absent. The first dimension is not looked at.</param>
    /// <param name="options">How it runs inside; the defaults if null.</param>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.BackNetRefused"/>: a dimension is free and not given, an element type has no fixed size, or shapes do not follow the number of items.</exception>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime does not run the model.</exception>
    public static BackNet Open(ReadOnlyMemory<byte> model, IReadOnlyDictionary<string, long[]>? itemShapes = null, OrtSessionOptions? options = null)
    {
        var session = OrtSession.FromMemory(model, options);
        try
        {
            return new BackNet(model, session, BackNetProbe.Of(session, itemShapes));
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Lets go of the session inside; runs that go on finish first.</summary>
    public void Dispose() => _session.Dispose();

    /// <summary>How many items a call's inputs hold.</summary>
    /// <exception cref="ArgumentException">They do not fit the model.</exception>
    internal int Rows(IReadOnlyList<OrtTensor> inputs)
    {
        if (inputs.Count != _inputs.Length)
            throw new ArgumentException($"The BackNet has {_inputs.Length} inputs, {inputs.Count} tensors are given.", nameof(inputs));
        long rows = 1;
        for (int i = 0; i < inputs.Count; i++)
        {
            if (Inputs[i].Mismatch(inputs[i].Type, inputs[i].Shape) is { } problem)
                throw new ArgumentException("The BackNet's input " + problem, nameof(inputs));
            if (_inputs[i].Scales(0) && TakesBatches)
                rows = inputs[i].Shape[0];
        }
        if (rows is < 1 or > int.MaxValue)
            throw new ArgumentException("A call has at least one item.", nameof(inputs));
        for (int i = 0; i < inputs.Count; i++)
        {
            if (!inputs[i].Shape.SequenceEqual(_inputs[i].For(rows)))
                throw new ArgumentException($"The BackNet's input '{Inputs[i].Name}' wants shape [{string.Join(",", _inputs[i].For(rows))}] for {rows} item(s), not [{string.Join(",", inputs[i].Shape.ToArray())}].", nameof(inputs));
        }
        return (int)rows;
    }

    /// <summary>The shape of an input of so many items.</summary>
    internal long[] InputShape(int input, int rows) => _inputs[input].For(rows);

    /// <summary>The shape of an output of so many items.</summary>
    internal long[] OutputShape(int output, int rows) => _outputs[output].For(rows);

    /// <summary>The bytes of all inputs of so many items.</summary>
    internal long InputBytes(int rows) => Bytes(Inputs, _inputs, rows);

    /// <summary>The bytes of all outputs of so many items.</summary>
    internal long OutputBytes(int rows) => Bytes(Outputs, _outputs, rows);

    /// <summary>Runs it here, on the caller's thread; the caller disposes of the outputs.</summary>
    /// <exception cref="OnnxRuntimeException">The run failed.</exception>
    internal OrtTensor[] RunInside(IReadOnlyList<OrtTensor> inputs, OrtRunOptions? options = null)
    {
        var outputs = new OrtTensor?[Outputs.Count];
        _session.Run([.. inputs], outputs, options);
        return outputs!;
    }

    private static long Bytes(IReadOnlyList<TensorInfo> tensors, ImmutableArray<BatchedShape> shapes, int rows)
    {
        UInt128 sum = 0;
        for (int i = 0; i < shapes.Length; i++)
            sum += (UInt128)tensors[i].Type.ByteLength(1) * shapes[i].Elements(rows);
        return sum > long.MaxValue ? long.MaxValue : (long)sum;
    }
}
