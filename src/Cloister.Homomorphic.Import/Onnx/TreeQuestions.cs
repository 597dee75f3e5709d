using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>Turns a node of ONNX-ML's tree operators into a question about a feature.</summary>
internal static class TreeQuestions
{
    /// <summary>A question.</summary>
    /// <param name="mode">BRANCH_LEQ, BRANCH_LT, BRANCH_GT, BRANCH_GTE, BRANCH_EQ or BRANCH_NEQ.</param>
    /// <param name="column">What is asked about.</param>
    /// <param name="value">What it is compared with.</param>
    /// <param name="rounds">Whether the engine compares binary32.</param>
    /// <param name="whenTrue">The next node where the comparison holds.</param>
    /// <param name="whenFalse">The next node where it does not.</param>
    /// <param name="absentIsTrue">Whether it counts as holding where the feature is absent.</param>
    /// <returns>Null for a mode that is not read.</returns>
    public static TreeNode? Ask(string mode, Column column, double value, bool rounds, int whenTrue, int whenFalse, bool absentIsTrue)
    {
        TreeNode? node = mode switch
        {
            "BRANCH_LEQ" or "BRANCH_GT" => Below(NodeTest.LessOrEqual, value, rounds),
            "BRANCH_LT" or "BRANCH_GTE" => Below(NodeTest.Less, value, rounds),
            // Equality is asked of numbered categories: as in LightGBM, what stands between two integers counts as the lower.
            "BRANCH_EQ" or "BRANCH_NEQ" when value is >= 0 and < int.MaxValue && Math.Floor(value) == value =>
                new TreeNode { Test = NodeTest.Member, Members = [(int)value] },
            _ => null,
        };
        if (node is null) return null;
        bool turned = mode is "BRANCH_GT" or "BRANCH_GTE" or "BRANCH_NEQ";
        bool absent = mode == "BRANCH_NEQ" || absentIsTrue; // NaN differs from everything
        node = turned
            ? node with { Yes = whenFalse, No = whenTrue, AbsentIsYes = !absent }
            : node with { Yes = whenTrue, No = whenFalse, AbsentIsYes = absent };
        return Of(column, node);
    }

    /// <summary>The same question about the feature that a column is made of; null where there is none.</summary>
    public static TreeNode? Of(Column column, TreeNode node)
    {
        node = node with { Feature = column.Feature };
        if (!double.IsNaN(column.Absent)) node = node with { AbsentIsYes = Holds(node, column.Absent) };
        if (column is { Scale: 1, Offset: 0 }) return node;
        if (node.Test == NodeTest.Member) return null;
        double threshold = (node.Threshold - column.Offset) / column.Scale;
        if (column.Scale > 0) return node with { Threshold = threshold };
        // Turning the sign turns "at most" into "at least", which is "not below".
        return node with
        {
            Test = node.Test == NodeTest.LessOrEqual ? NodeTest.Less : NodeTest.LessOrEqual,
            Threshold = threshold,
            Yes = node.No,
            No = node.Yes,
            AbsentIsYes = !node.AbsentIsYes,
        };
    }

    private static TreeNode Below(NodeTest test, double value, bool rounds)
    {
        if (rounds) (test, value) = FloatTest.Of(test, (float)value);
        return new TreeNode { Test = test, Threshold = value };
    }

    private static bool Holds(TreeNode node, double value) => node.Test switch
    {
        NodeTest.LessOrEqual => value <= node.Threshold,
        NodeTest.Less => value < node.Threshold,
        _ => value > -1 && value < int.MaxValue && node.Members.Contains((int)value),
    };
}
