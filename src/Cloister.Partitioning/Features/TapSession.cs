using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;

namespace Cloister.Partitioning.Features;

/// <summary>Runs a model of one input up to tensors in its middle: what somebody outside would see of a picture. Safe for many threads.</summary>
public sealed class TapSession : IDisposable
{
    private readonly OrtSession _session;
    private readonly long[] _shape;

    private TapSession(OrtSession session, long[] shape) => (_session, _shape) = (session, shape);

    /// <summary>Opens a model.</summary>
    /// <param name="model">The model; it has one input of 32-bit floats.</param>
    /// <param name="tensors">Names of what to look at, in the order that <see cref="Run"/> gives; the input's own name is allowed.</param>
    /// <param name="size">The input's size; its first dimension is one item.</param>
    /// <param name="threads">Threads inside one run.</param>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.ModelRefused"/>: the model's input is another, or a tensor is none of floats.</exception>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime does not run the model, or there is no such tensor.</exception>
    public static TapSession Open(ModelProto model, IReadOnlyList<string> tensors, PictureSize size, int threads = 1)
    {
        var session = OrtSession.FromMemory(WithOutputs(model, tensors).ToBytes(), new OrtSessionOptions { IntraThreads = threads, Level = GraphOptimization.Basic });
        try
        {
            long[] shape = [1, size.Channels, size.Height, size.Width];
            if (session.Inputs is not [{ Type: TensorElementType.Float } input] || input.Mismatch(TensorElementType.Float, shape) is not null)
                throw new PartitioningException(PartitioningError.ModelRefused, $"The model must have one input of 32-bit floats that takes [{string.Join(", ", shape)}].");
            if (session.Outputs.FirstOrDefault(output => output.Type != TensorElementType.Float) is { } other)
                throw new PartitioningException(PartitioningError.ModelRefused, $"'{other.Name}' has elements of type {other.Type}; only 32-bit floats can be assessed.");
            return new TapSession(session, shape);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Runs one picture; gives one tensor a name, for the caller to dispose.</summary>
    /// <param name="input">The model's input of one item.</param>
    /// <exception cref="OnnxRuntimeException">The run failed.</exception>
    public OrtTensor[] Run(float[] input)
    {
        using OrtTensor tensor = OrtTensor.OverPinned(input.AsMemory(), _shape);
        var outputs = new OrtTensor?[_session.Outputs.Count];
        _session.Run([tensor], outputs);
        return outputs!;
    }

    /// <summary>Runs one picture, and disposes the tensors once they have been looked at.</summary>
    /// <param name="input">The model's input of one item.</param>
    /// <param name="look">Takes what is wanted of one tensor a name.</param>
    /// <exception cref="OnnxRuntimeException">The run failed.</exception>
    public T Look<T>(float[] input, Func<OrtTensor[], T> look)
    {
        OrtTensor[] seen = Run(input);
        try
        {
            return look(seen);
        }
        finally
        {
            foreach (OrtTensor tensor in seen)
                tensor.Dispose();
        }
    }

    /// <inheritdoc cref="Look{T}"/>
    public void Look(float[] input, Action<OrtTensor[]> look) => Look(input, seen =>
    {
        look(seen);
        return 0;
    });

    /// <summary>Lets go of the session; runs that go on finish first.</summary>
    public void Dispose() => _session.Dispose();

    // An Identity an output, so that the model's input and one tensor twice can be looked at as well. ONNX Runtime runs nodes that
    // lead to no output too: what comes after the tensors is left out.
    internal static ModelProto WithOutputs(ModelProto model, IReadOnlyList<string> tensors)
    {
        NodeProto[] taps = [.. tensors.Select((tensor, i) => new NodeProto { OpType = "Identity", Name = Tap(i), Inputs = [tensor], Outputs = [Tap(i)] })];
        return model with { Graph = model.Graph with { Nodes = [.. Needed(model.Graph, tensors), .. taps], Outputs = [.. taps.Select(tap => new ValueInfoProto { Name = tap.Name })] } };
    }

    private static IEnumerable<NodeProto> Needed(GraphProto graph, IReadOnlyList<string> tensors)
    {
        // Graphs inside nodes use values that the node does not name.
        if (graph.Nodes.Any(node => node.Attributes.Any(attribute => attribute.Graph is not null || attribute.Graphs.Length > 0)))
            return graph.Nodes;
        var wanted = new HashSet<string>(tensors, StringComparer.Ordinal);
        var kept = new Stack<NodeProto>();
        for (int i = graph.Nodes.Length - 1; i >= 0; i--)
            if (graph.Nodes[i].Outputs.Any(output => output.Length > 0 && wanted.Contains(output)))
            {
                kept.Push(graph.Nodes[i]);
                wanted.UnionWith(graph.Nodes[i].Inputs);
            }
        return kept;
    }

    private static string Tap(int place) => $"cloister/tap/{place}";
}
