using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import.Xgboost;

/// <summary>One tree of XGBoost's JSON: lists over its nodes (src/tree/tree_model.cc). A leaf has no children, and its value where a question has its threshold.</summary>
internal sealed class XgboostTree
{
    private const int Leaf = -1, IsCategorical = 1;

    private readonly XgboostValue _tree;
    private readonly int _score, _scores;
    private readonly double _weight;
    private readonly int[] _left, _right, _features, _types, _defaultLeft;
    private readonly double[] _conditions;
    private readonly Dictionary<int, int[]> _sets = [];

    /// <param name="tree">The tree.</param>
    /// <param name="score">The score it gives to.</param>
    /// <param name="scores">How many scores the model has.</param>
    /// <param name="weight">What its leaves are multiplied with.</param>
    public XgboostTree(XgboostValue tree, int score, int scores, double weight)
    {
        (_tree, _score, _scores, _weight) = (tree, score, scores, weight);
        tree.Demand(
            "base_weights", "categories", "categories_nodes", "categories_segments", "categories_sizes", "default_left", "id", "leaf_weights", "left_children",
            "loss_changes", "parents", "right_children", "split_conditions", "split_indices", "split_type", "sum_hessian", "tree_param");
        if (tree.Find("tree_param")?.Find("size_leaf_vector")?.Count(int.MaxValue, least: 0) > 1)
            throw new ImportException(ImportError.Unsupported, $"{tree.Path} has a list in each leaf (multi_output_tree); train with one_output_per_tree.");
        _left = tree["left_children"].Integers(-1);
        int count = _left.Length;
        _right = tree["right_children"].Integers(count);
        _features = tree["split_indices"].Integers(count);
        _conditions = tree["split_conditions"].Numbers(count);
        _defaultLeft = tree["default_left"].Integers(count);
        _types = tree.Find("split_type")?.Integers(count) ?? new int[count];
        if (tree.Has("categories_nodes")) ReadSets();
    }

    public DecisionTree Assemble(TreeAssembler assembler) => assembler.Assemble(_tree.Path, 0, _left.Length, Node);

    private TreeNode Node(int number)
    {
        if (_left[number] == Leaf)
        {
            double[] values = new double[_scores];
            values[_score] = _conditions[number] * _weight;
            return new TreeNode { Values = values };
        }
        bool absentIsLeft = _defaultLeft[number] != 0;
        if (_types[number] == IsCategorical)
        {
            // A category of the set goes right (common::Decision in src/common/categorical.h).
            int[] members = _sets.TryGetValue(number, out int[]? set) ? set : throw _tree.Refuse($"has no categories for its node {number}");
            return new TreeNode
            {
                Feature = _features[number], Test = NodeTest.Member, Members = members, Yes = _right[number], No = _left[number], AbsentIsYes = !absentIsLeft,
            };
        }
        (NodeTest test, double threshold) = FloatTest.Of(NodeTest.Less, (float)_conditions[number]);
        return new TreeNode
        {
            Feature = _features[number], Test = test, Threshold = threshold, Yes = _left[number], No = _right[number], AbsentIsYes = absentIsLeft,
        };
    }

    private void ReadSets()
    {
        int[] nodes = _tree["categories_nodes"].Integers(-1), all = _tree["categories"].Integers(-1);
        int[] starts = _tree["categories_segments"].Integers(nodes.Length), sizes = _tree["categories_sizes"].Integers(nodes.Length);
        int at = 0;
        for (int i = 0; i < nodes.Length; i++)
        {
            // The sets lie one behind the other.
            if (starts[i] != at || sizes[i] < 0 || sizes[i] > all.Length - at) throw _tree.Refuse("has sets of categories that do not follow each other");
            int[] set = [.. all[at..(at += sizes[i])].Distinct().Order()];
            if (set.Length > 0 && set[0] < 0) throw _tree.Refuse("has a negative category");
            if (!_sets.TryAdd(nodes[i], set)) throw _tree.Refuse($"has two sets of categories for its node {nodes[i]}");
        }
        if (at != all.Length) throw _tree.Refuse("has categories that belong to no node");
    }
}
