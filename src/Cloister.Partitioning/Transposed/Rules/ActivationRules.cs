using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed.Rules;

/// <summary>Functions of one element: the upstream gradient times the derivative. At a kink the derivative from the flat side counts.</summary>
internal static class ActivationRules
{
    public static void Relu(GradientTape tape, NodeProto node) => Times(tape, node, tape.Mask("Greater", node.Inputs[0], tape.Number(0)));

    public static void LeakyRelu(GradientTape tape, NodeProto node) =>
        Times(tape, node, Bent(tape, node.Inputs[0], tape.Number(Attributes.Number(node, "alpha", 0.01f))));

    public static void PRelu(GradientTape tape, NodeProto node)
    {
        if (tape.Wants(node.Inputs[1]))
            throw GradientTape.Refused($"PRelu '{node.Name}' takes its slope from the input.");
        Times(tape, node, Bent(tape, node.Inputs[0], node.Inputs[1]));
    }

    // Below zero y = alpha (e^x - 1), whose derivative is y + alpha.
    public static void Elu(GradientTape tape, NodeProto node) =>
        Times(tape, node, Bent(tape, node.Inputs[0], tape.Node("Add", [node.Outputs[0], tape.Number(Attributes.Number(node, "alpha", 1))])));

    public static void Clip(GradientTape tape, NodeProto node)
    {
        string? mask = null;
        for (int i = 1; i < node.Inputs.Length; i++)
        {
            if (node.Inputs[i].Length == 0)
                continue;
            if (tape.Wants(node.Inputs[i]))
                throw GradientTape.Refused($"Clip '{node.Name}' takes its bounds from the input.");
            string inside = tape.Mask(i == 1 ? "Greater" : "Less", node.Inputs[0], node.Inputs[i]);
            mask = mask is null ? inside : tape.Node("Mul", [mask, inside]);
        }
        Times(tape, node, mask);
    }

    public static void Sigmoid(GradientTape tape, NodeProto node)
    {
        string y = node.Outputs[0];
        Times(tape, node, tape.Node("Mul", [y, tape.Node("Sub", [tape.Number(1), y])]));
    }

    public static void HardSigmoid(GradientTape tape, NodeProto node)
    {
        string y = node.Outputs[0];
        string inside = tape.Node("Mul", [tape.Mask("Greater", y, tape.Number(0)), tape.Mask("Less", y, tape.Number(1))]);
        Times(tape, node, tape.Node("Mul", [inside, tape.Number(Attributes.Number(node, "alpha", 0.2f))]));
    }

    // y = x h(x) with h = max(0, min(1, x/6 + 1/2)), so that y' = h + x/6 where h is not flat.
    public static void HardSwish(GradientTape tape, NodeProto node)
    {
        string x = node.Inputs[0], sixth = tape.Number(1 / 6f);
        string h = tape.Node("HardSigmoid", [x], AttributeProto.Of("alpha", 1 / 6f), AttributeProto.Of("beta", 0.5f));
        string inside = tape.Node("Mul", [tape.Mask("Greater", h, tape.Number(0)), tape.Mask("Less", h, tape.Number(1))]);
        Times(tape, node, tape.Node("Add", [h, tape.Node("Mul", [inside, tape.Node("Mul", [x, sixth])])]));
    }

    public static void Tanh(GradientTape tape, NodeProto node)
    {
        string y = node.Outputs[0];
        Times(tape, node, tape.Node("Sub", [tape.Number(1), tape.Node("Mul", [y, y])]));
    }

    public static void Exp(GradientTape tape, NodeProto node) => Times(tape, node, node.Outputs[0]);

    public static void Sqrt(GradientTape tape, NodeProto node) => Times(tape, node, tape.Node("Div", [tape.Number(0.5f), node.Outputs[0]]));

    // erf' = 2 / sqrt(pi) e^(-x^2)
    public static void Erf(GradientTape tape, NodeProto node)
    {
        string x = node.Inputs[0];
        string bell = tape.Node("Exp", [tape.Node("Neg", [tape.Node("Mul", [x, x])])]);
        Times(tape, node, tape.Node("Mul", [bell, tape.Number((float)(2 / Math.Sqrt(Math.PI)))]));
    }

    // 1 above zero, the slope below.
    private static string Bent(GradientTape tape, string x, string slope)
    {
        string above = tape.Mask("Greater", x, tape.Number(0));
        return tape.Node("Add", [above, tape.Node("Mul", [tape.Node("Sub", [tape.Number(1), above]), slope])]);
    }

    private static void Times(GradientTape tape, NodeProto node, string? derivative)
    {
        string upstream = tape.Gradient(node.Outputs[0])!;
        tape.Give(node.Inputs[0], derivative is null ? upstream : tape.Node("Mul", [upstream, derivative]));
    }
}
