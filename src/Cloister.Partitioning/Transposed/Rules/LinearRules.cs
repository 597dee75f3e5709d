using System.Collections.Immutable;
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

    // A vector on the left is a row, one on the right a column.
    public static void MatMul(GradientTape tape, NodeProto node)
    {
        string a = node.Inputs[0], b = node.Inputs[1];
        ImmutableArray<long> shapeA = tape.Shape(a), shapeB = tape.Shape(b), made = tape.Shape(node.Outputs[0]);
        bool row = shapeA.Length == 1, column = shapeB.Length == 1;
        ImmutableArray<long> rows = row ? [1, .. shapeA] : shapeA, columns = column ? [.. shapeB, 1] : shapeB;
        ImmutableArray<long> many = [.. made[..^((row ? 0 : 1) + (column ? 0 : 1))]];
        string upstream = row || column ? tape.Reshape(tape.Gradient(node.Outputs[0])!, [.. many, rows[^2], columns[^1]]) : tape.Gradient(node.Outputs[0])!;
        if (tape.Wants(a))
        {
            string left = tape.Node("MatMul", [upstream, Turned(tape, column ? tape.Reshape(b, columns) : b, columns.Length)]);
            tape.GiveSummed(a, row ? tape.Reshape(left, [.. many, rows[^1]]) : left, row ? [.. many, rows[^1]] : [.. many, rows[^2], rows[^1]]);
        }
        if (tape.Wants(b))
        {
            string right = tape.Node("MatMul", [Turned(tape, row ? tape.Reshape(a, rows) : a, rows.Length), upstream]);
            tape.GiveSummed(b, column ? tape.Reshape(right, [.. many, columns[^2]]) : right, column ? [.. many, columns[^2]] : [.. many, columns[^2], columns[^1]]);
        }
    }

    // Two terms of letters that stand once in each: with the result and one term, the same product gives the other.
    public static void Einsum(GradientTape tape, NodeProto node)
    {
        string equation = Attributes.Text(node, "equation", "").Replace(" ", "", StringComparison.Ordinal);
        string[] sides = equation.Split("->"), terms = sides[0].Split(',');
        bool plain = sides.Length == 2 && terms.Length == 2 && !equation.Contains('.', StringComparison.Ordinal) && terms.Append(sides[1]).All(term => term.Distinct().Count() == term.Length);
        for (int i = 0; i < 2 && plain; i++)
        {
            if (!tape.Wants(node.Inputs[i]))
                continue;
            plain = terms[i].All((terms[1 - i] + sides[1]).Contains) && Sizes(tape, node, terms);
            if (plain)
                tape.Give(node.Inputs[i], tape.Node("Einsum", [tape.Gradient(node.Outputs[0])!, node.Inputs[1 - i]], AttributeProto.Of("equation", $"{sides[1]},{terms[1 - i]}->{terms[i]}")));
        }
        if (!plain)
            throw GradientTape.Refused($"Einsum '{node.Name}' ({equation}) is no product of two terms of letters that stand once in each and in another.");
    }

    private static bool Sizes(GradientTape tape, NodeProto node, string[] terms) =>
        terms[0].All(letter => !terms[1].Contains(letter) || tape.Shape(node.Inputs[0])[terms[0].IndexOf(letter)] == tape.Shape(node.Inputs[1])[terms[1].IndexOf(letter)]);

    private static string Product(GradientTape tape, string left, bool turnedLeft, string right, bool turnedRight, float alpha) => tape.Node(
        "Gemm", [left, right],
        AttributeProto.Of("alpha", alpha), AttributeProto.Of("transA", turnedLeft ? 1L : 0), AttributeProto.Of("transB", turnedRight ? 1L : 0));

    private static string Turned(GradientTape tape, string matrix, int rank)
    {
        long[] order = [.. Enumerable.Range(0, rank).Select(i => (long)i)];
        (order[^1], order[^2]) = (order[^2], order[^1]);
        return tape.Node("Transpose", [matrix], AttributeProto.Of("perm", order));
    }
}
