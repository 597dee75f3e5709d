using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Transposed;

/// <summary>How far the features of an input are from wanted ones, and which way the input should go. Safe for many threads.</summary>
internal sealed class FeatureMatching : IDisposable
{
    private readonly TapSession _front;
    private readonly OrtSession _matching;
    private readonly long[] _shape;
    private readonly int _tensors;

    private FeatureMatching(TapSession front, OrtSession matching, PictureSize size, int tensors) =>
        (_front, _matching, _shape, _tensors) = (front, matching, [1, size.Channels, size.Height, size.Width], tensors);

    /// <exception cref="PartitioningException">The model's input is none of pictures, there is no such tensor, or an operator has no gradient.</exception>
    public static FeatureMatching Open(ModelProto model, IReadOnlyList<string> tensors, PictureSize size)
    {
        ModelProto front = FrontGraph.Of(WideModel.Of(model), tensors);
        string[] taps = [.. tensors.Select((_, i) => FrontGraph.Tap(i))];
        if (front.Graph.Inputs is not [{ } input])
            throw new PartitioningException(PartitioningError.ModelRefused, "The tensors must depend on one input, the picture.");
        TapSession forward = TapSession.Open(front, taps, size);
        try
        {
            ModelProto matching = TransposedGraph.EmitMatching(front, new Dictionary<string, long[]> { [input.Name] = [1, size.Channels, size.Height, size.Width] });
            matching = matching with { Graph = matching.Graph with { Outputs = [.. matching.Graph.Outputs.Where(output => !taps.Contains(output.Name))] } };
            return new FeatureMatching(forward, OrtSession.FromMemory(matching.ToBytes(), new OrtSessionOptions { Level = GraphOptimization.Basic }), size, taps.Length);
        }
        catch
        {
            forward.Dispose();
            throw;
        }
    }

    /// <summary>The features of an input, for the caller to dispose.</summary>
    public OrtTensor[] Features(float[] input) => _front.Run(input);

    /// <summary>Begins a search for an input with the given features.</summary>
    /// <param name="input">Where the search stands; the caller changes it between steps.</param>
    /// <param name="wanted">The features; they must live as long as the search.</param>
    public Search Towards(float[] input, OrtTensor[] wanted) => new(this, input, wanted);

    public void Dispose()
    {
        _front.Dispose();
        _matching.Dispose();
    }

    /// <summary>One search.</summary>
    internal sealed class Search : IDisposable
    {
        private readonly FeatureMatching _owner;
        private readonly OrtTensor[] _inputs;
        private readonly OrtTensor[] _own;
        private readonly OrtTensor?[] _outputs;

        public Search(FeatureMatching owner, float[] input, OrtTensor[] wanted)
        {
            _owner = owner;
            OrtTensor[] weights = [.. wanted.Select(_ => OrtTensor.Allocate<float>([]))];
            Gradient = new float[input.Length];
            OrtTensor position = OrtTensor.OverPinned(input.AsMemory(), owner._shape), gradient = OrtTensor.OverPinned(Gradient.AsMemory(), owner._shape);
            _inputs = [position, .. wanted, .. weights];
            _outputs = [OrtTensor.Allocate<float>([]), gradient];
            _own = [position, .. weights, .. _outputs!];
        }

        /// <summary>The loss by the input, after <see cref="Step"/>.</summary>
        public float[] Gradient { get; }

        /// <summary>Gives a tensor its weight in the loss; without it is left out.</summary>
        public void Weigh(int tensor, double weight) => _inputs[1 + _owner._tensors + tensor].Span<float>()[0] = (float)weight;

        /// <summary>Computes loss and gradient where the input stands.</summary>
        public double Step()
        {
            _owner._matching.Run(_inputs, _outputs);
            return _outputs[0]!.Span<float>()[0];
        }

        public void Dispose()
        {
            foreach (OrtTensor tensor in _own)
                tensor.Dispose();
        }
    }
}
