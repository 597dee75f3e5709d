using System.Globalization;
using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import.LightGbm;

/// <summary>One tree of LightGBM's text. Questions are numbered from 0, leaves from -1 downwards. Leaf values hold the shrinkage already.</summary>
internal sealed class LightGbmTree
{
    private const int IsCategorical = 1, DefaultLeft = 2, MissingShift = 2, MissingMask = 3;
    private const int MissingIsNothing = 0, MissingIsZero = 1, MissingIsNaN = 2;
    private const double Zero = 1e-35f; // kZeroThreshold
    private const int MaxSetWords = 1 << 16;

    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "num_leaves", "num_cat", "split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child", "leaf_value", "leaf_weight",
        "leaf_count", "internal_value", "internal_weight", "internal_count", "cat_boundaries", "cat_threshold", "shrinkage", "is_linear",
    };

    private readonly string _name;
    private readonly int _score, _scores;
    private readonly double _factor;
    private readonly int[] _features = [], _types = [], _left = [], _right = [], _boundaries = [];
    private readonly double[] _thresholds = [], _words = [], _leaves;
    private readonly Dictionary<int, int[]> _sets = []; // several questions may ask of one set

    /// <param name="block">The tree's lines.</param>
    /// <param name="number">Its number: trees give to the scores in turn.</param>
    /// <param name="scores">How many scores the model has.</param>
    /// <param name="factor">What leaves are multiplied with.</param>
    public LightGbmTree(Dictionary<string, string> block, int number, int scores, double factor)
    {
        (_name, _score, _scores, _factor) = ($"Tree {number.ToString(CultureInfo.InvariantCulture)}", number % scores, scores, factor);
        if (block.GetValueOrDefault("is_linear", "0") != "0")
            throw new ImportException(ImportError.Unsupported, $"{_name} has linear functions in its leaves (linear_tree); train with linear_tree=false.");
        if (block.Keys.FirstOrDefault(key => !Known.Contains(key)) is { } unknown)
            throw new ImportException(ImportError.UnknownMember, $"{_name} says '{unknown}', which is not known.");
        // A number takes at least one character and a space: what is announced cannot be more than the line holds.
        int leaves = LightGbmLines.Count(block, "num_leaves", LightGbmLines.Text(block, "leaf_value").Length);
        _leaves = LightGbmLines.Numbers(block, "leaf_value", leaves);
        if (leaves == 1) return;
        int questions = leaves - 1;
        _features = LightGbmLines.Integers(block, "split_feature", questions);
        _types = LightGbmLines.Integers(block, "decision_type", questions);
        _left = LightGbmLines.Integers(block, "left_child", questions);
        _right = LightGbmLines.Integers(block, "right_child", questions);
        _thresholds = LightGbmLines.Numbers(block, "threshold", questions);
        int sets = LightGbmLines.Count(block, "num_cat", questions, least: 0);
        if (sets == 0) return;
        _boundaries = LightGbmLines.Integers(block, "cat_boundaries", sets + 1);
        if (_boundaries[0] != 0 || _boundaries[^1] > MaxSetWords || _boundaries.Zip(_boundaries.Skip(1)).Any(pair => pair.First > pair.Second))
            throw new ImportException(ImportError.OutOfRange, $"{_name} has cat_boundaries that do not ascend, or end beyond {MaxSetWords}.");
        _words = LightGbmLines.Numbers(block, "cat_threshold", _boundaries[^1]);
    }

    public DecisionTree Assemble(TreeAssembler assembler)
    {
        // Numbers of leaves are folded behind those of questions.
        int questions = _features.Length;
        int Number(int child) => child >= 0 ? child < questions ? child : -1 : ~child < _leaves.Length ? questions + ~child : -1;
        TreeNode Node(int number)
        {
            if (number >= questions) return Leaf(number - questions);
            TreeNode question = (_types[number] & IsCategorical) != 0 ? Category(number) : Numeric(number, _thresholds[number]);
            return question with { Feature = _features[number], Yes = Number(_left[number]), No = Number(_right[number]) };
        }
        return assembler.Assemble(_name, 0, questions + _leaves.Length, Node);
    }

    private TreeNode Leaf(int number)
    {
        double[] values = new double[_scores];
        values[_score] = _leaves[number] * _factor;
        return new TreeNode { Values = values };
    }

    // Tree::NumericalDecision.
    private TreeNode Numeric(int number, double threshold)
    {
        bool left = (_types[number] & DefaultLeft) != 0;
        switch (_types[number] >> MissingShift & MissingMask)
        {
            case MissingIsNothing: return new TreeNode { Test = NodeTest.LessOrEqual, Threshold = threshold, AbsentIsYes = 0 <= threshold };
            case MissingIsNaN: return new TreeNode { Test = NodeTest.LessOrEqual, Threshold = threshold, AbsentIsYes = left };
            // Zero goes where absent features go. That is the threshold's own answer, or the threshold lies at zero and moves past it.
            case MissingIsZero when left && threshold >= -Zero: return new TreeNode { Test = NodeTest.LessOrEqual, Threshold = Math.Max(threshold, Zero), AbsentIsYes = true };
            case MissingIsZero when !left && threshold < -Zero: return new TreeNode { Test = NodeTest.LessOrEqual, Threshold = threshold };
            case MissingIsZero when !left && threshold <= Zero: return new TreeNode { Test = NodeTest.Less, Threshold = -Zero };
            default:
                throw new ImportException(ImportError.Unsupported, $"{_name} sends zero another way than its neighbours (zero_as_missing); train with zero_as_missing=false.");
        }
    }

    // Tree::CategoricalDecision: an absent category is in no set.
    private TreeNode Category(int number)
    {
        int set = _thresholds[number] is >= 0 and var index && index < _boundaries.Length - 1
            ? (int)index
            : throw new ImportException(ImportError.OutOfRange, $"{_name} names a set of categories that it does not have.");
        if (!_sets.TryGetValue(set, out int[]? members)) _sets.Add(set, members = Members(set));
        return new TreeNode { Test = NodeTest.Member, Members = members };
    }

    private int[] Members(int set)
    {
        var members = new List<int>();
        for (int word = _boundaries[set]; word < _boundaries[set + 1]; word++)
        {
            if (_words[word] is < 0 or > uint.MaxValue) throw new ImportException(ImportError.OutOfRange, $"{_name} has a word in cat_threshold that is no 32-bit word.");
            for (int bit = 0; bit < 32; bit++)
                if (((uint)_words[word] >> bit & 1) != 0) members.Add(32 * (word - _boundaries[set]) + bit);
        }
        return [.. members];
    }
}
