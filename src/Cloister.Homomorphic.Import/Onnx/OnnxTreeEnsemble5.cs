using System.Collections.Immutable;
using Cloister.Homomorphic.Models;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>ONNX-ML TreeEnsemble (opset 5): questions and leaves in two lists, and sets of categories.</summary>
internal static class OnnxTreeEnsemble5
{
    private const int Average = 0, Sum = 1, Member = 6;

    private static readonly string[] Modes = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"];

    public static void Read(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        int scores = OnnxNodes.Index(node, "number of targets", attributes.Int("n_targets", 1), graph.Options.MaxScores + 1);
        graph.CheckSize(node, scores);
        long aggregate = attributes.Int("aggregate_function", Sum);
        if (aggregate is not (Average or Sum)) throw attributes.Refuse(ImportError.Unsupported, $"has the aggregate_function {aggregate}; sums and averages are read");
        LinkFunction link = attributes.Int("post_transform", 0) switch
        {
            0 => LinkFunction.Identity,
            1 => LinkFunction.Softmax,
            2 => LinkFunction.Logistic,
            var other => throw attributes.Refuse(ImportError.Unsupported, $"has the post_transform {other}; 0, 1 and 2 are read"),
        };
        var lists = new Lists(graph, node, attributes);
        attributes.Done();
        graph.Spend(node, (long)lists.Count * scores);
        var assembler = new TreeAssembler(graph.Options, graph.Features, scores);
        double share = aggregate == Average ? 1.0 / lists.Roots.Length : 1;
        var forest = new Forest
        {
            Features = [],
            BaseScores = new double[scores],
            Trees = [.. lists.Roots.Select((root, i) => assembler.Assemble($"Tree {i}", (int)Math.Clamp(root, -1, int.MaxValue), lists.Count, number => lists.Node(number, scores, share)))],
        };
        graph.Give(node, 0, new ScoresValue(OnnxLinks.WithLink(forest, link)));
    }

    // A question is named by its place; the leaf that follows question i, where it follows, by Questions + 2 * i, or plus one where
    // the answer is no: so a leaf that two questions share, as in a tree of one leaf, becomes two.
    private sealed class Lists
    {
        private readonly NodeProto _node;
        private readonly Column[] _columns;
        private readonly ImmutableArray<long> _features, _true, _false, _trueLeaf, _falseLeaf, _absent, _targets;
        private readonly double[] _modes, _weights;
        private readonly Numbers _splits;
        private readonly Dictionary<int, int[]> _members = [];
        private readonly bool _rounds;

        public Lists(OnnxGraph graph, NodeProto node, NodeAttributes attributes)
        {
            _node = node;
            Roots = attributes.Ints("tree_roots");
            (_features, _absent) = (attributes.Ints("nodes_featureids"), attributes.Ints("nodes_missing_value_tracks_true"));
            (_true, _false) = (attributes.Ints("nodes_truenodeids"), attributes.Ints("nodes_falsenodeids"));
            (_trueLeaf, _falseLeaf) = (attributes.Ints("nodes_trueleafs"), attributes.Ints("nodes_falseleafs"));
            _targets = attributes.Ints("leaf_targetids");
            _modes = Values(attributes, "nodes_modes");
            _weights = Values(attributes, "leaf_weights");
            TensorProto splits = attributes.Tensor("nodes_splits") ?? throw attributes.Refuse(ImportError.MissingMember, "has no nodes_splits");
            _splits = new Numbers(TensorNumbers.Read(splits).Values, splits.DataType == TensorDataType.Double);
            attributes.Tensor("nodes_hitrates"); // statistics
            int count = _features.Length;
            if (Roots.Length == 0 || _true.Length != count || _false.Length != count || _trueLeaf.Length != count || _falseLeaf.Length != count
                || _modes.Length != count || _splits.Values.Length != count || _absent.Length is var a && a != 0 && a != count || _weights.Length != _targets.Length)
                throw attributes.Refuse(ImportError.LengthMismatch, "has lists of different lengths");
            ReadMembers(attributes);
            _columns = graph.Columns(node, 0);
            _rounds = !_splits.Double && !graph.ReadsDouble(node);
        }

        public ImmutableArray<long> Roots { get; }

        public int Count => checked(3 * _features.Length);

        public TreeNode Node(int number, int scores, double share)
        {
            int questions = _features.Length;
            if (number >= questions)
            {
                int from = (number - questions) / 2;
                long leaf = (number - questions) % 2 == 0 ? _true[from] : _false[from];
                double[] values = new double[scores];
                values[OnnxNodes.Index(_node, "target", _targets[OnnxNodes.Index(_node, "leaf", leaf, _targets.Length)], scores)]
                    = _weights[(int)leaf] * share;
                return new TreeNode { Values = values };
            }
            int yes = Next(number, _true[number], _trueLeaf[number], 0), no = Next(number, _false[number], _falseLeaf[number], 1);
            Column column = _columns[OnnxNodes.Index(_node, "feature", _features[number], _columns.Length)];
            bool absent = _absent.Length > 0 && _absent[number] != 0;
            TreeNode? node = _members.TryGetValue(number, out int[]? members)
                ? TreeQuestions.Of(column, new TreeNode { Test = NodeTest.Member, Members = members, Yes = yes, No = no, AbsentIsYes = absent })
                : TreeQuestions.Ask(Modes[(int)_modes[number]], column, _splits.Values[number], _rounds, yes, no, absent);
            return node ?? throw OnnxNodes.Refuse(_node, ImportError.Unsupported, $"asks question {number} in a way that is not read");
        }

        private int Next(int question, long id, long isLeaf, int answer) => isLeaf switch
        {
            0 => OnnxNodes.Index(_node, "child", id, _features.Length),
            1 => _features.Length + 2 * question + answer,
            _ => throw OnnxNodes.Refuse(_node, ImportError.Malformed, $"has {isLeaf} where 0 or 1 says whether a leaf follows"),
        };

        // The sets of all Member questions, in the order of the questions, a NaN behind each.
        private void ReadMembers(NodeAttributes attributes)
        {
            double[] all = attributes.Tensor("membership_values") is { } tensor ? TensorNumbers.Read(tensor).Values : [];
            int at = 0;
            for (int i = 0; i < _modes.Length; i++)
            {
                if ((int)_modes[i] is var mode && mode > Member) throw attributes.Refuse(ImportError.Unsupported, $"has the mode {mode}");
                if (mode != Member) continue;
                int end = Array.FindIndex(all, at, double.IsNaN);
                if (end < 0) end = all.Length;
                double[] set = all[at..end];
                at = Math.Min(end + 1, all.Length);
                if (!Array.TrueForAll(set, value => value is >= 0 and < int.MaxValue && Math.Floor(value) == value))
                    throw attributes.Refuse(ImportError.Unsupported, "looks a feature up among numbers that are no categories: 0, 1, 2, ...");
                _members[i] = [.. set.Select(value => (int)value).Distinct().Order()];
            }
            if (at < all.Length) throw attributes.Refuse(ImportError.LengthMismatch, "has more membership_values than questions that use them");
        }

        private static double[] Values(NodeAttributes attributes, string name) =>
            TensorNumbers.Read(attributes.Tensor(name) ?? throw attributes.Refuse(ImportError.MissingMember, $"has no {name}")).Values;
    }
}
