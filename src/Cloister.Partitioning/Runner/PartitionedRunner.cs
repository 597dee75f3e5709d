using System.Security.Cryptography;
using Cloister.Onnx.Runtime;

namespace Cloister.Partitioning.Runner;

/// <summary>
/// Runs a model in parts: front and tail here, the BackNet on an accelerator. Safe for many threads. What lay between the parts is zeroed
/// before it is released; what ONNX Runtime keeps for the inside of a session is not, which <see cref="OrtSessionOptions.DisableArena"/> shortens.
/// </summary>
public sealed class PartitionedRunner : IDisposable
{
    private readonly OrtSession _front;
    private readonly OrtSession? _tail;
    private readonly AcceleratorPool _pool;
    private readonly int[] _crossing, _returning;

    /// <summary>Joins the parts; front and tail belong to the runner from here on, the pool does not.</summary>
    /// <param name="front">From the model's inputs to the cut; its outputs bear the names of the BackNet's inputs.</param>
    /// <param name="pool">Runs the BackNet.</param>
    /// <param name="tail">From the BackNet's outputs to the model's; null where the BackNet gives the model's outputs.</param>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.BackNetRefused"/>: the parts do not fit each other.</exception>
    public PartitionedRunner(OrtSession front, AcceleratorPool pool, OrtSession? tail)
    {
        (_front, _pool, _tail) = (front, pool, tail);
        _crossing = Order(front.Outputs, pool.BackNet.Inputs, "front", "BackNet");
        _returning = tail is null ? [] : Order(pool.BackNet.Outputs, tail.Inputs, "BackNet", "tail");
    }

    /// <summary>The model's inputs.</summary>
    public IReadOnlyList<TensorInfo> Inputs => _front.Inputs;

    /// <summary>The model's outputs.</summary>
    public IReadOnlyList<TensorInfo> Outputs => _tail is null ? _pool.BackNet.Outputs : _tail.Outputs;

    /// <summary>Runs all parts, front and tail on the caller's thread or where it goes on after waiting; the caller disposes of the outputs.</summary>
    /// <param name="inputs">One tensor an input, in the order of <see cref="Inputs"/>; they must stay until the task ends.</param>
    /// <param name="timeout">How long the BackNet's answer may take.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ArgumentException">An input does not fit the model.</exception>
    /// <exception cref="OnnxRuntimeException">A part inside failed.</exception>
    /// <exception cref="PartitioningException">As <see cref="AcceleratorPool.RunAsync"/> says.</exception>
    public async Task<OrtTensor[]> RunAsync(IReadOnlyList<OrtTensor> inputs, TimeSpan timeout, CancellationToken cancellation)
    {
        OrtTensor[] crossing = RunFront([.. inputs]);
        OrtTensor[] returned = await RunBackAsync(crossing, timeout, cancellation);
        return RunTail(returned);
    }

    /// <summary>Runs the front; gives the BackNet's inputs in its order.</summary>
    /// <exception cref="ArgumentException">An input does not fit the model.</exception>
    /// <exception cref="OnnxRuntimeException">The run failed, or was stopped through <paramref name="options"/>.</exception>
    public OrtTensor[] RunFront(ReadOnlySpan<OrtTensor> inputs, OrtRunOptions? options = null)
    {
        var outputs = new OrtTensor?[_front.Outputs.Count];
        _front.Run(inputs, outputs, options);
        return [.. _crossing.Select(place => outputs[place]!)];
    }

    /// <summary>Runs the BackNet outside; zeroes and disposes of what it is given.</summary>
    /// <param name="crossing">What <see cref="RunFront"/> gave.</param>
    /// <param name="timeout">How long the answer may take.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="PartitioningException">As <see cref="AcceleratorPool.RunAsync"/> says.</exception>
    public async Task<OrtTensor[]> RunBackAsync(OrtTensor[] crossing, TimeSpan timeout, CancellationToken cancellation)
    {
        try
        {
            return await _pool.RunAsync(crossing, timeout, cancellation);
        }
        finally
        {
            Erase(crossing);
        }
    }

    /// <summary>Runs the tail, and zeroes and disposes of what it is given; without a tail, gives it back as it is.</summary>
    /// <exception cref="OnnxRuntimeException">The run failed, or was stopped through <paramref name="options"/>.</exception>
    public OrtTensor[] RunTail(OrtTensor[] returned, OrtRunOptions? options = null)
    {
        if (_tail is null)
            return returned;
        try
        {
            var outputs = new OrtTensor?[_tail.Outputs.Count];
            _tail.Run([.. _returning.Select(place => returned[place])], outputs, options);
            return outputs!;
        }
        finally
        {
            Erase(returned);
        }
    }

    /// <summary>Lets go of front and tail; runs that go on finish first.</summary>
    public void Dispose()
    {
        _front.Dispose();
        _tail?.Dispose();
    }

    /// <summary>Zeroes and disposes of tensors.</summary>
    public static void Erase(ReadOnlySpan<OrtTensor> tensors)
    {
        foreach (OrtTensor tensor in tensors)
        {
            CryptographicOperations.ZeroMemory(tensor.Bytes);
            tensor.Dispose();
        }
    }

    // For each tensor that the next part reads: where the part before gives it.
    private static int[] Order(IReadOnlyList<TensorInfo> given, IReadOnlyList<TensorInfo> read, string from, string to)
    {
        var order = new int[read.Count];
        for (int i = 0; i < order.Length; i++)
        {
            TensorInfo wanted = read[i];
            order[i] = Enumerable.Range(0, given.Count).FirstOrDefault(place => given[place].Name == wanted.Name, -1);
            if (order[i] < 0 || given[order[i]].Type != wanted.Type)
                throw new PartitioningException(PartitioningError.BackNetRefused, $"The {to} reads {wanted}, which the {from} does not give: it gives {string.Join(", ", given)}.");
        }
        return given.Count == order.Length ? order : throw new PartitioningException(PartitioningError.BackNetRefused, $"The {from} gives more tensors than the {to} reads: {string.Join(", ", given)}.");
    }
}
