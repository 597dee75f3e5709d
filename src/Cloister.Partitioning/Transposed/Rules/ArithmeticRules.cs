using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed.Rules;

/// <summary>Element by element; what was broadcast is summed back.</summary>
internal static class ArithmeticRules
{
    public static void Add(GradientTape tape, NodeProto node)
    {
        foreach (string input in node.Inputs)
            tape.GiveSummed(input, Upstream(tape, node), Shape(tape, node));
    }

    public static void Sub(GradientTape tape, NodeProto node)
    {
        tape.GiveSummed(node.Inputs[0], Upstream(tape, node), Shape(tape, node));
        if (tape.Wants(node.Inputs[1]))
            tape.GiveSummed(node.Inputs[1], tape.Node("Neg", [Upstream(tape, node)]), Shape(tape, node));
    }

    public static void Mul(GradientTape tape, NodeProto node)
    {
        for (int i = 0; i < 2; i++)
            if (tape.Wants(node.Inputs[i]))
                tape.GiveSummed(node.Inputs[i], tape.Node("Mul", [Upstream(tape, node), node.Inputs[1 - i]]), Shape(tape, node));
    }

    // (a / b)' = a' / b - b' y / b
    public static void Div(GradientTape tape, NodeProto node)
    {
        string over = tape.Node("Div", [Upstream(tape, node), node.Inputs[1]]);
        tape.GiveSummed(node.Inputs[0], over, Shape(tape, node));
        if (tape.Wants(node.Inputs[1]))
            tape.GiveSummed(node.Inputs[1], tape.Node("Neg", [tape.Node("Mul", [over, node.Outputs[0]])]), Shape(tape, node));
    }

    public static void Neg(GradientTape tape, NodeProto node) => tape.Give(node.Inputs[0], tape.Node("Neg", [Upstream(tape, node)]));

    public static void Mean(GradientTape tape, NodeProto node)
    {
        string share = tape.Node("Mul", [Upstream(tape, node), tape.Number(1f / node.Inputs.Length)]);
        foreach (string input in node.Inputs)
            tape.GiveSummed(input, share, Shape(tape, node));
    }

    public static void Pow(GradientTape tape, NodeProto node)
    {
        string x = node.Inputs[0], exponent = node.Inputs[1];
        if (tape.Wants(exponent))
            throw GradientTape.Refused($"Pow '{node.Name}' takes its exponent from the input.");
        if (!tape.IsFloat(exponent))
            exponent = tape.Node("Cast", [exponent], AttributeProto.Of("to", (long)TensorDataType.Float));
        string slope = tape.Node("Mul", [exponent, tape.Node("Pow", [x, tape.Node("Sub", [exponent, tape.Number(1)])])]);
        tape.GiveSummed(x, tape.Node("Mul", [Upstream(tape, node), slope]), Shape(tape, node));
    }

    // Max and Min: the gradient goes to the first that is the result.
    public static void Extreme(GradientTape tape, NodeProto node)
    {
        string left = Upstream(tape, node);
        foreach (string input in node.Inputs)
        {
            string taken = tape.Node("Mul", [left, tape.Mask("Equal", input, node.Outputs[0])]);
            tape.GiveSummed(input, taken, Shape(tape, node));
            left = tape.Node("Sub", [left, taken]);
        }
    }

    public static void Where(GradientTape tape, NodeProto node)
    {
        if (tape.Wants(node.Inputs[1]))
            tape.GiveSummed(node.Inputs[1], tape.Node("Where", [node.Inputs[0], Upstream(tape, node), tape.Number(0)]), Shape(tape, node));
        if (tape.Wants(node.Inputs[2]))
            tape.GiveSummed(node.Inputs[2], tape.Node("Where", [node.Inputs[0], tape.Number(0), Upstream(tape, node)]), Shape(tape, node));
    }

    private static string Upstream(GradientTape tape, NodeProto node) => tape.Gradient(node.Outputs[0])!;

    private static ImmutableArray<long> Shape(GradientTape tape, NodeProto node) => tape.Shape(node.Outputs[0]);
}
