using Cloister.Homomorphic.Models;
using Cloister.Onnx.Model;

namespace Cloister.Bench;

/// <summary>
/// A random forest for two classes, trained greedily by Gini impurity: every tree on rows drawn with replacement, every question the best of a few features
/// drawn anew. Small and plain; what it is for is a forest of the depth that is wanted.
/// </summary>
internal static class GreedyForest
{
    /// <summary>Trains. The one score is the probability of the second class.</summary>
    public static Forest Train(IReadOnlyList<double[]> rows, IReadOnlyList<bool> labels, int trees, int depth, int seed)
    {
        var random = new Random(seed);
        int features = rows[0].Length, tried = (int)Math.Ceiling(Math.Sqrt(features));
        return new Forest
        {
            Features = [.. Enumerable.Range(0, features).Select(f => $"x{f}")],
            Classes = ["0", "1"],
            Threshold = 0.5,
            BaseScores = [0],
            Trees = [.. Enumerable.Range(0, trees).Select(_ =>
            {
                var nodes = new List<TreeNode>();
                Grow([.. Enumerable.Range(0, rows.Count).Select(_ => random.Next(rows.Count))], depth, nodes);
                return new DecisionTree(nodes);
            })],
        };

        int Grow(int[] chosen, int left, List<TreeNode> nodes)
        {
            int at = nodes.Count, ones = chosen.Count(row => labels[row]);
            nodes.Add(new TreeNode { Values = [(double)ones / chosen.Length / trees] });
            if (left == 0 || ones == 0 || ones == chosen.Length) return at;
            (double impurity, int feature, double threshold) = (double.PositiveInfinity, -1, 0);
            for (int i = 0; i < tried; i++)
            {
                int f = random.Next(features);
                (double best, double edge) = Cut(chosen, f, ones);
                if (best < impurity) (impurity, feature, threshold) = (best, f, edge);
            }
            if (feature < 0) return at;
            int yes = Grow([.. chosen.Where(row => rows[row][feature] <= threshold)], left - 1, nodes), no = Grow([.. chosen.Where(row => rows[row][feature] > threshold)], left - 1, nodes);
            nodes[at] = new TreeNode { Feature = feature, Threshold = threshold, Yes = yes, No = no };
            return at;
        }

        (double Impurity, double Threshold) Cut(int[] chosen, int feature, int ones)
        {
            double[] values = [.. chosen.Select(row => rows[row][feature])];
            int[] order = [.. chosen];
            Array.Sort(values, order);
            (double best, double threshold) = (double.PositiveInfinity, 0);
            for (int i = 1, below = 0; i < order.Length; i++)
            {
                below += labels[order[i - 1]] ? 1 : 0;
                // In float, as ONNX Runtime compares.
                float middle = (float)((values[i - 1] + values[i]) / 2);
                if (middle < values[i - 1] || middle >= values[i]) continue;
                double impurity = (double)below * (i - below) / i + (double)(ones - below) * (order.Length - i - ones + below) / (order.Length - i);
                if (impurity < best) (best, threshold) = (impurity, middle);
            }
            return (best, threshold);
        }
    }

    /// <summary>The same forest for ONNX Runtime.</summary>
    public static byte[] ToOnnx(Forest forest)
    {
        (int Tree, int At, TreeNode Node)[] all = [.. forest.Trees.SelectMany((tree, t) => tree.Nodes.Select((node, at) => (t, at, node)))], leaves = [.. all.Where(node => node.Node.IsLeaf)];
        static AttributeProto Floats(string name, IEnumerable<double> values) => AttributeProto.Of(name, [.. values.Select(value => (float)value)]);
        static AttributeProto Integers(string name, IEnumerable<int> values) => AttributeProto.Of(name, [.. values.Select(value => (long)value)]);
        var node = new NodeProto
        {
            OpType = "TreeEnsembleRegressor",
            Domain = "ai.onnx.ml",
            Name = "forest",
            Inputs = ["x"],
            Outputs = ["y"],
            Attributes =
            [
                Integers("nodes_treeids", all.Select(n => n.Tree)), Integers("nodes_nodeids", all.Select(n => n.At)), Integers("nodes_featureids", all.Select(n => n.Node.Feature)),
                Integers("nodes_truenodeids", all.Select(n => n.Node.Yes)), Integers("nodes_falsenodeids", all.Select(n => n.Node.No)), Floats("nodes_values", all.Select(n => n.Node.Threshold)),
                new AttributeProto { Name = "nodes_modes", Type = AttributeType.Strings, Strings = [.. all.Select(n => (ReadOnlyMemory<byte>)(n.Node.IsLeaf ? "LEAF"u8 : "BRANCH_LEQ"u8).ToArray())] },
                Integers("target_treeids", leaves.Select(n => n.Tree)), Integers("target_nodeids", leaves.Select(n => n.At)), Integers("target_ids", leaves.Select(_ => 0)),
                Floats("target_weights", leaves.Select(n => n.Node.Values![0])), AttributeProto.Of("n_targets", 1L),
            ],
        };
        return new ModelProto
        {
            IrVersion = 8,
            OpsetImport = [new OperatorSetIdProto { Domain = "", Version = 15 }, new OperatorSetIdProto { Domain = "ai.onnx.ml", Version = 3 }],
            Graph = new GraphProto
            {
                Name = "forest",
                Nodes = [node],
                Inputs = [ValueInfoProto.Tensor("x", TensorDataType.Float, "N", forest.Features.Count)],
                Outputs = [ValueInfoProto.Tensor("y", TensorDataType.Float, "N", 1)],
            },
        }.ToBytes();
    }
}
