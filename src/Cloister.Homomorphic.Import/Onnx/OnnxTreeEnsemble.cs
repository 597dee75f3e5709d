using System.Collections.Immutable;
using Cloister.Homomorphic.Models;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>ONNX-ML TreeEnsembleClassifier and TreeEnsembleRegressor (opset 1 to 3): nodes of all trees in parallel lists.</summary>
internal static class OnnxTreeEnsemble
{
    public static void Classifier(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        string[] classes = OnnxLinks.Classes(attributes, "classlabels_int64s", "classlabels_strings");
        double[] bases = attributes.Numbers("base_values").Values;
        LinkFunction link = OnnxLinks.Transform(attributes);
        Leaves leaves = Leaves.Read(attributes, "class");
        if (classes.Length < 2) throw attributes.Refuse(ImportError.LengthMismatch, $"has {classes.Length} classes");

        // Two classes with one list of weights share one score, the second one's: ONNX Runtime takes it for a probability where no
        // weight is negative and for a raw score otherwise.
        bool shared = classes.Length == 2 && leaves.Targets.All(target => target == leaves.Targets[0]);
        bool probability = shared && Array.TrueForAll(leaves.Weights.Values, weight => weight >= 0);
        if (shared && (leaves.Targets is not [0, ..] || bases.Length > 1 || probability && link != LinkFunction.Identity))
            throw attributes.Refuse(ImportError.Unsupported, "has one score for two classes in a form whose meaning engines do not agree on; give weights to both classes");
        int scores = shared ? 1 : classes.Length;
        Forest forest = Trees(graph, node, attributes, leaves, scores, bases, average: false);
        forest = forest with { Classes = classes, Link = link, Threshold = probability ? 0.5 : 0 };
        graph.Give(node, 0, new LabelValue(forest));
        graph.Give(node, 1, new ScoresValue(forest));
    }

    public static void Regressor(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        double[] bases = attributes.Numbers("base_values").Values;
        LinkFunction link = OnnxLinks.Transform(attributes);
        int targets = OnnxNodes.Index(node, "number of targets", attributes.Int("n_targets", 1), graph.Options.MaxScores + 1);
        bool average = attributes.Text("aggregate_function", "SUM") switch
        {
            "SUM" => false,
            "AVERAGE" => true,
            var other => throw attributes.Refuse(ImportError.Unsupported, $"takes the {other} of its trees; SUM and AVERAGE are read"),
        };
        Forest forest = Trees(graph, node, attributes, Leaves.Read(attributes, "target"), targets, bases, average);
        graph.Give(node, 0, new ScoresValue(OnnxLinks.WithLink(forest, link)));
    }

    private static Forest Trees(OnnxGraph graph, NodeProto node, NodeAttributes attributes, Leaves leaves, int scores, double[] bases, bool average)
    {
        ImmutableArray<long> trees = attributes.Ints("nodes_treeids"), ids = attributes.Ints("nodes_nodeids"), features = attributes.Ints("nodes_featureids");
        ImmutableArray<long> whenTrue = attributes.Ints("nodes_truenodeids"), whenFalse = attributes.Ints("nodes_falsenodeids");
        ImmutableArray<long> absent = attributes.Ints("nodes_missing_value_tracks_true");
        string[] modes = attributes.Texts("nodes_modes");
        Numbers values = attributes.Numbers("nodes_values");
        attributes.Numbers("nodes_hitrates"); // statistics
        attributes.Done();
        int count = ids.Length;
        if (trees.Length != count || features.Length != count || whenTrue.Length != count || whenFalse.Length != count || modes.Length != count
            || values.Values.Length != count || absent.Length is var a && a != 0 && a != count)
            throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, "has lists of nodes of different lengths");
        Column[] columns = graph.Columns(node, 0);
        graph.CheckSize(node, scores);
        if (bases.Length != 0 && bases.Length != scores) throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, $"has {bases.Length} base values for {scores} scores");

        var places = new Dictionary<(long Tree, long Node), int>(count);
        for (int i = 0; i < count; i++)
            if (!places.TryAdd((trees[i], ids[i]), i)) throw OnnxNodes.Refuse(node, ImportError.BrokenTree, $"has the node {ids[i]} of tree {trees[i]} twice");
        int Place(int from, long id) =>
            places.TryGetValue((trees[from], id), out int at) ? at : throw OnnxNodes.Refuse(node, ImportError.BrokenTree, $"names the node {id} of tree {trees[from]}, which it does not have");
        int[] roots = Roots(node, trees, modes, i => Place(i, whenTrue[i]), i => Place(i, whenFalse[i]));
        graph.Spend(node, (long)modes.Count(mode => mode == "LEAF") * scores);
        leaves.Attach(node, places, modes, scores);

        bool rounds = !values.Double && !graph.ReadsDouble(node);
        double share = average ? 1.0 / roots.Length : 1;
        TreeNode Node(int i) => modes[i] == "LEAF"
            ? new TreeNode { Values = leaves.Of(i, scores, share) }
            : TreeQuestions.Ask(
                modes[i], columns[OnnxNodes.Index(node, "feature", features[i], columns.Length)], values.Values[i], rounds,
                Place(i, whenTrue[i]), Place(i, whenFalse[i]), absent.Length > 0 && absent[i] != 0)
                ?? throw OnnxNodes.Refuse(node, ImportError.Unsupported, $"asks {modes[i]} of a feature in a way that is not read");

        var assembler = new TreeAssembler(graph.Options, graph.Features, scores);
        Dictionary<long, int> sizes = trees.CountBy(tree => tree).ToDictionary();
        // Nodes that the root does not reach stand in a circle of their own: such a tree was damaged.
        DecisionTree Assembled(int root) => assembler.Assemble($"Tree {trees[root]}", root, count, Node) is var tree && tree.Nodes.Count == sizes[trees[root]]
            ? tree
            : throw OnnxNodes.Refuse(node, ImportError.BrokenTree, $"has nodes of tree {trees[root]} that its root does not reach");
        return new Forest
        {
            Features = [],
            BaseScores = bases.Length > 0 ? bases : new double[scores],
            Trees = [.. roots.Select(Assembled)],
        };
    }

    // A tree's root is its one node that no other names.
    private static int[] Roots(NodeProto node, ImmutableArray<long> trees, string[] modes, Func<int, int> whenTrue, Func<int, int> whenFalse)
    {
        bool[] named = new bool[modes.Length];
        for (int i = 0; i < modes.Length; i++)
        {
            if (modes[i] == "LEAF") continue;
            named[whenTrue(i)] = true;
            named[whenFalse(i)] = true;
        }
        var roots = new List<int>();
        HashSet<long> rooted = [];
        for (int i = 0; i < modes.Length; i++)
        {
            if (named[i]) continue;
            if (!rooted.Add(trees[i])) throw OnnxNodes.Refuse(node, ImportError.BrokenTree, $"has two roots in tree {trees[i]}");
            roots.Add(i);
        }
        if (roots.Count == 0 || trees.Any(tree => !rooted.Contains(tree))) throw OnnxNodes.Refuse(node, ImportError.BrokenTree, "has a tree without a root");
        return [.. roots];
    }
}
