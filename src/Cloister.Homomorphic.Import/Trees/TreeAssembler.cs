using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import;

/// <summary>Makes trees of nodes whose numbers somebody else wrote: every node once, children behind their parents, within the caps.</summary>
internal sealed class TreeAssembler(ImportOptions options, int features, int scores)
{
    private const int MaxLeafNumbers = 1 << 26;

    private int _nodes;
    private int _trees;
    private long _leafNumbers;

    /// <summary>Assembles the nodes that are reached from the root.</summary>
    /// <param name="tree">How a refusal names the tree.</param>
    /// <param name="root">The root's number.</param>
    /// <param name="count">Numbers from 0 up to this one, exclusive, name nodes.</param>
    /// <param name="node">A node by its number, its children as numbers.</param>
    /// <exception cref="ImportException">The nodes are no tree, or the caps are exceeded.</exception>
    public DecisionTree Assemble(string tree, int root, int count, Func<int, TreeNode> node)
    {
        if (++_trees > options.MaxTrees) throw new ImportException(ImportError.TooLarge, $"The model has more than {options.MaxTrees} trees.");
        bool[] seen = new bool[count];
        var nodes = new List<TreeNode>();
        var open = new Stack<(int Number, int Parent, bool Yes, int Depth)>();
        open.Push((root, -1, false, 0));
        while (open.TryPop(out var next))
        {
            if ((uint)next.Number >= (uint)count) throw new ImportException(ImportError.BrokenTree, $"{tree} names the node {next.Number}, which it does not have.");
            if (seen[next.Number]) throw new ImportException(ImportError.BrokenTree, $"{tree} reaches its node {next.Number} in two ways.");
            seen[next.Number] = true;
            if (next.Depth > options.MaxDepth) throw new ImportException(ImportError.TooLarge, $"{tree} is deeper than {options.MaxDepth}.");
            if (++_nodes > options.MaxNodes) throw new ImportException(ImportError.TooLarge, $"The trees have more than {options.MaxNodes} nodes.");
            TreeNode made = node(next.Number);
            if (next.Parent >= 0) nodes[next.Parent] = next.Yes ? nodes[next.Parent] with { Yes = nodes.Count } : nodes[next.Parent] with { No = nodes.Count };
            if (!made.IsLeaf)
            {
                Check(tree, made);
                open.Push((made.No, nodes.Count, false, next.Depth + 1));
                open.Push((made.Yes, nodes.Count, true, next.Depth + 1));
            }
            else if ((_leafNumbers += scores) > MaxLeafNumbers)
            {
                throw new ImportException(ImportError.TooLarge, $"The leaves hold more than {MaxLeafNumbers} numbers.");
            }
            else if (!made.Values!.All(double.IsFinite))
            {
                throw new ImportException(ImportError.NotFinite, $"{tree} has a leaf that is not a finite number.");
            }
            nodes.Add(made);
        }
        return new DecisionTree(nodes);
    }

    private void Check(string tree, TreeNode node)
    {
        if ((uint)node.Feature >= (uint)features)
            throw new ImportException(ImportError.OutOfRange, $"{tree} asks for feature {node.Feature}; there are {features}.");
        if (!double.IsFinite(node.Threshold))
            throw new ImportException(ImportError.NotFinite, $"{tree} has a threshold that is not a finite number.");
    }
}
