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

    public static void Log(GradientTape tape, NodeProto node) => Times(tape, node, tape.Node("Reciprocal", [node.Inputs[0]]));

    public static void Abs(GradientTape tape, NodeProto node) => Times(tape, node, tape.Node("Sign", [node.Inputs[0]]));

    public static void Sin(GradientTape tape, NodeProto node) => Times(tape, node, tape.Node("Cos", [node.Inputs[0]]));

    public static void Cos(GradientTape tape, NodeProto node) => Times(tape, node, tape.Node("Neg", [tape.Node("Sin", [node.Inputs[0]])]));

    public static void Reciprocal(GradientTape tape, NodeProto node) =>
        Times(tape, node, tape.Node("Neg", [tape.Node("Mul", [node.Outputs[0], node.Outputs[0]])]));

    public static void Softplus(GradientTape tape, NodeProto node) => Times(tape, node, tape.Node("Sigmoid", [node.Inputs[0]]));

    // y = x / (1 + |x|)
    public static void Softsign(GradientTape tape, NodeProto node)
    {
        string over = tape.Node("Reciprocal", [tape.Node("Add", [tape.Node("Abs", [node.Inputs[0]]), tape.Number(1)])]);
        Times(tape, node, tape.Node("Mul", [over, over]));
    }

    public static void ThresholdedRelu(GradientTape tape, NodeProto node) =>
        Times(tape, node, tape.Mask("Greater", node.Inputs[0], tape.Number(Attributes.Number(node, "alpha", 1))));

    // Below zero y = gamma alpha (e^x - 1), above gamma x.
    public static void Selu(GradientTape tape, NodeProto node)
    {
        float alpha = Attributes.Number(node, "alpha", 1.67326319217681884765625f), gamma = Attributes.Number(node, "gamma", 1.05070102214813232421875f);
        string below = tape.Node("Add", [tape.Node("Mul", [node.Outputs[0], tape.Number(1 / gamma)]), tape.Number(alpha)]);
        Times(tape, node, tape.Node("Mul", [Bent(tape, node.Inputs[0], below), tape.Number(gamma)]));
    }

    // Below zero y = alpha (e^(x / alpha) - 1), whose derivative is y / alpha + 1.
    public static void Celu(GradientTape tape, NodeProto node) => Times(tape, node, Bent(
        tape, node.Inputs[0], tape.Node("Add", [tape.Node("Mul", [node.Outputs[0], tape.Number(1 / Attributes.Number(node, "alpha", 1))]), tape.Number(1)])));

    // y = x tanh(s) with s = softplus(x), whose derivative is the sigmoid.
    public static void Mish(GradientTape tape, NodeProto node)
    {
        string x = node.Inputs[0], t = tape.Node("Tanh", [tape.Node("Softplus", [x])]);
        string bend = tape.Node("Mul", [tape.Node("Mul", [x, tape.Node("Sigmoid", [x])]), tape.Node("Sub", [tape.Number(1), tape.Node("Mul", [t, t])])]);
        Times(tape, node, tape.Node("Add", [t, bend]));
    }

    // y = x p(x): p is the normal distribution's, or (1 + tanh(u)) / 2 with u = c (x + 0.044715 x^3), c = sqrt(2 / pi).
    public static void Gelu(GradientTape tape, NodeProto node)
    {
        string x = node.Inputs[0], squared = tape.Node("Mul", [x, x]), half = tape.Number(0.5f), one = tape.Number(1);
        string share, slope;
        if (Attributes.Text(node, "approximate", "none") == "tanh")
        {
            float c = (float)Math.Sqrt(2 / Math.PI);
            string u = tape.Node("Mul", [x, tape.Node("Add", [tape.Number(c), tape.Node("Mul", [squared, tape.Number(c * 0.044715f)])])]), t = tape.Node("Tanh", [u]);
            share = tape.Node("Mul", [half, tape.Node("Add", [one, t])]);
            string steep = tape.Node("Add", [tape.Number(c / 2), tape.Node("Mul", [squared, tape.Number(c * 3 * 0.044715f / 2)])]);
            slope = tape.Node("Mul", [tape.Node("Sub", [one, tape.Node("Mul", [t, t])]), steep]);
        }
        else
        {
            share = tape.Node("Mul", [half, tape.Node("Add", [one, tape.Node("Erf", [tape.Node("Mul", [x, tape.Number((float)Math.Sqrt(0.5))])])])]);
            slope = tape.Node("Mul", [tape.Node("Exp", [tape.Node("Mul", [squared, tape.Number(-0.5f)])]), tape.Number((float)(1 / Math.Sqrt(2 * Math.PI)))]);
        }
        Times(tape, node, tape.Node("Add", [share, tape.Node("Mul", [x, slope])]));
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
