namespace Cloister.Homomorphic.Models;

/// <summary>One tree; node 0 is its root, children stand behind their parents.</summary>
/// <param name="Nodes">Questions and leaves.</param>
public sealed record DecisionTree(IReadOnlyList<TreeNode> Nodes)
{
    /// <summary>The leaf that a row reaches.</summary>
    public TreeNode Leaf(ReadOnlySpan<double> row)
    {
        TreeNode node = Nodes[0];
        while (!node.IsLeaf)
        {
            double value = row[node.Feature];
            bool yes = double.IsNaN(value)
                ? node.AbsentIsYes
                : node.Test switch
                {
                    NodeTest.LessOrEqual => value <= node.Threshold,
                    NodeTest.Less => value < node.Threshold,
                    _ => value > -1 && value < int.MaxValue && node.Members.Contains((int)value),
                };
            node = Nodes[yes ? node.Yes : node.No];
        }
        return node;
    }
}
