using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>The weights of ONNX-ML's leaves: parallel lists of tree, node, class or target, and weight; a node may stand there several times.</summary>
internal sealed class Leaves
{
    private readonly ImmutableArray<long> _trees;
    private readonly ImmutableArray<long> _nodes;
    private int[] _first = [];
    private int[] _next = [];

    private Leaves(ImmutableArray<long> trees, ImmutableArray<long> nodes, ImmutableArray<long> targets, Numbers weights) =>
        (_trees, _nodes, Targets, Weights) = (trees, nodes, targets, weights);

    public ImmutableArray<long> Targets { get; }

    public Numbers Weights { get; }

    /// <param name="attributes">The node's.</param>
    /// <param name="kind">class or target.</param>
    public static Leaves Read(NodeAttributes attributes, string kind)
    {
        var leaves = new Leaves(
            attributes.Ints($"{kind}_treeids"), attributes.Ints($"{kind}_nodeids"), attributes.Ints($"{kind}_ids"), attributes.Numbers($"{kind}_weights"));
        int count = leaves.Weights.Values.Length;
        return count > 0 && leaves._trees.Length == count && leaves._nodes.Length == count && leaves.Targets.Length == count
            ? leaves
            : throw attributes.Refuse(ImportError.LengthMismatch, "has lists of leaves that are empty or of different lengths");
    }

    /// <summary>Finds the node of every weight.</summary>
    public void Attach(NodeProto node, Dictionary<(long Tree, long Node), int> places, string[] modes, int scores)
    {
        _first = new int[modes.Length];
        _next = new int[Targets.Length];
        Array.Fill(_first, -1);
        for (int i = 0; i < Targets.Length; i++)
        {
            OnnxNodes.Index(node, "class or target", Targets[i], scores);
            if (!places.TryGetValue((_trees[i], _nodes[i]), out int at) || modes[at] != "LEAF")
                throw OnnxNodes.Refuse(node, ImportError.BrokenTree, $"gives a weight to the node {_nodes[i]} of tree {_trees[i]}, which is no leaf");
            (_next[i], _first[at]) = (_first[at], i);
        }
    }

    /// <summary>A leaf's contributions to all scores.</summary>
    public double[] Of(int place, int scores, double share)
    {
        double[] values = new double[scores];
        for (int i = _first[place]; i >= 0; i = _next[i]) values[Targets[i]] += Weights.Values[i] * share;
        return values;
    }
}
