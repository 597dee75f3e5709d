using System.Collections.Immutable;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Transposed.Rules;

namespace Cloister.Partitioning.Transposed;

/// <summary>
/// Writes the gradient of an ONNX graph as another ONNX graph, as ONNX Runtime computes none itself: the forward nodes as they are, behind
/// them a transposed node or two for each, from the last to the first. For as many items as the shapes say (one, where the batch is open), in
/// 32-bit floats; halves are widened.
/// </summary>
public static class TransposedGraph
{
    /// <summary>The scalar output of <see cref="EmitMatching"/>: how far the tensors are from their targets.</summary>
    public const string Loss = "cloister/loss";

    /// <summary>Names of operators that a gradient can pass.</summary>
    public static IReadOnlyList<string> Operators { get; } = [.. RuleBook.Operators.Order(StringComparer.Ordinal)];

    /// <summary>The name of the input that takes the gradient of the loss by a tensor.</summary>
    public static string Upstream(string tensor) => "cloister/upstream/" + tensor;

    /// <summary>The name of the output that gives the gradient of the loss by an input.</summary>
    public static string Gradient(string input) => "cloister/gradient/" + input;

    /// <summary>The name of the input of <see cref="EmitMatching"/> that takes what a tensor should be.</summary>
    public static string Target(string tensor) => "cloister/target/" + tensor;

    /// <summary>The name of the input of <see cref="EmitMatching"/> that takes a tensor's weight in the loss, a scalar.</summary>
    public static string Weight(string tensor) => "cloister/weight/" + tensor;

    /// <summary>The vector-Jacobian product: from the inputs, and <see cref="Upstream"/> for each output, the outputs and <see cref="Gradient"/> for each input.</summary>
    /// <param name="front">From the inputs to the tensors at the cut, which are its outputs.</param>
    /// <param name="inputShapes">Shapes of inputs whose graph leaves more than the batch open, or that take more than one item.</param>
    /// <exception cref="PartitioningException">
    /// <see cref="PartitioningError.GradientRefused"/>: an operator has no rule here (the text names it), or an output does not depend on an input.
    /// </exception>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime does not run the model.</exception>
    public static ModelProto Emit(ModelProto front, IReadOnlyDictionary<string, long[]>? inputShapes = null)
    {
        GradientTape tape = GradientTape.Over(front, inputShapes);
        foreach (string tensor in tape.Outputs)
            tape.Give(tensor, Upstream(tensor));
        tape.Unwind();
        return tape.ToModel([.. tape.Outputs.Select(tensor => tape.Value(Upstream(tensor), tensor))], []);
    }

    /// <summary>
    /// The gradient of the weighted sum over the front's outputs of squared distances to targets: from the inputs, and <see cref="Target"/>
    /// and <see cref="Weight"/> for each output, the outputs, <see cref="Loss"/>, and <see cref="Gradient"/> for each input.
    /// </summary>
    /// <inheritdoc cref="Emit"/>
    public static ModelProto EmitMatching(ModelProto front, IReadOnlyDictionary<string, long[]>? inputShapes = null)
    {
        GradientTape tape = GradientTape.Over(front, inputShapes);
        string? sum = null;
        foreach (string tensor in tape.Outputs)
        {
            string distance = tape.Node("Sub", [tensor, Target(tensor)]);
            string loss = tape.Node("Mul", [tape.Node("ReduceSum", [tape.Node("Mul", [distance, distance])], AttributeProto.Of("keepdims", 0L)), Weight(tensor)]);
            sum = sum is null ? loss : tape.Node("Add", [sum, loss]);
            tape.Give(tensor, tape.Node("Mul", [distance, tape.Node("Add", [Weight(tensor), Weight(tensor)])]));
        }
        tape.Name(sum!, Loss);
        tape.Unwind();
        ImmutableArray<ValueInfoProto> inputs =
        [
            .. tape.Outputs.Select(tensor => tape.Value(Target(tensor), tensor)),
            .. tape.Outputs.Select(tensor => ValueInfoProto.Tensor(Weight(tensor), TensorDataType.Float)),
        ];
        return tape.ToModel(inputs, [ValueInfoProto.Tensor(Loss, TensorDataType.Float)]);
    }
}
