using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed.Rules;

/// <summary>Products of matrices.</summary>
internal static class LinearRules
{
    // Y = alpha op(A) op(B) + beta C
    public static void Gemm(GradientTape tape, NodeProto node)
    {
        string upstream = tape.Gradient(node.Outputs[0])!, a = node.Inputs[0], b = node.Inputs[1];
        float alpha = Attributes.Number(node, "alpha", 1);
        bool turnedA = Attributes.Integer(node, "transA", 0) != 0, turnedB = Attributes.Integer(node, "transB", 0) != 0;
        if (tape.Wants(a))
            tape.Give(a, turnedA ? Product(tape, b, turnedB, upstream, true, alpha) : Product(tape, upstream, false, b, !turnedB, alpha));
        if (tape.Wants(b))
            tape.Give(b, turnedB ? Product(tape, upstream, true, a, turnedA, alpha) : Product(tape, a, !turnedA, upstream, false, alpha));
        if (node.Inputs.Length > 2 && node.Inputs[2].Length > 0 && tape.Wants(node.Inputs[2]))
            tape.GiveSummed(node.Inputs[2], tape.Node("Mul", [upstream, tape.Number(Attributes.Number(node, "beta", 1))]), tape.Shape(node.Outputs[0]));
    }

    public static void MatMul(GradientTape tape, NodeProto node)
    {
        string upstream = tape.Gradient(node.Outputs[0])!, a = node.Inputs[0], b = node.Inputs[1];
        int rankA = tape.Shape(a).Length, rankB = tape.Shape(b).Length;
        if (rankA < 2 || rankB < 2)
            throw GradientTape.Refused($"MatMul '{node.Name}' takes a vector; only matrices have a gradient rule here.");
        if (tape.Wants(a))
            tape.GiveSummed(a, tape.Node("MatMul", [upstream, Turned(tape, b)]), [.. tape.Shape(node.Outputs[0])[..^1], tape.Shape(b)[^2]]);
        if (tape.Wants(b))
            tape.GiveSummed(b, tape.Node("MatMul", [Turned(tape, a), upstream]), [.. tape.Shape(node.Outputs[0])[..^2], tape.Shape(a)[^1], tape.Shape(b)[^1]]);
    }

    private static string Product(GradientTape tape, string left, bool turnedLeft, string right, bool turnedRight, float alpha) => tape.Node(
        "Gemm", [left, right],
        AttributeProto.Of("alpha", alpha), AttributeProto.Of("transA", turnedLeft ? 1L : 0), AttributeProto.Of("transB", turnedRight ? 1L : 0));

    private static string Turned(GradientTape tape, string matrix)
    {
        int rank = tape.Shape(matrix).Length;
        long[] order = [.. Enumerable.Range(0, rank).Select(i => (long)i)];
        (order[^1], order[^2]) = (order[^2], order[^1]);
        return tape.Node("Transpose", [matrix], AttributeProto.Of("perm", order));
    }
}
