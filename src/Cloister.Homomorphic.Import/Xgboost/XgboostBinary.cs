using System.Buffers.Binary;
using System.Text;
using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import.Xgboost;

/// <summary>
/// Reads XGBoost's binary models of version 0.x to 2.x (LearnerModelParamLegacy in src/learner.cc, GBTreeModelParam in
/// src/gbm/gbtree_model.h, TreeParam, Node and RTreeNodeStat in include/xgboost/tree_model.h): structures as they lay in a little-endian memory.
/// </summary>
internal static class XgboostBinary
{
    private const int LearnerSize = 136, BoosterSize = 160, TreeSize = 148, NodeSize = 20, StatisticsSize = 16, Leaf = -1;
    private const uint DefaultLeft = 1u << 31;
    private const int MaxName = 64;

    /// <summary>Whether bytes begin as such a model: behind the first structure stands the objective's name.</summary>
    public static bool Is(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < LearnerSize + sizeof(ulong)) return false;
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(bytes[LearnerSize..]);
        ReadOnlySpan<byte> name = bytes[(LearnerSize + sizeof(ulong))..];
        return length is > 2 and <= MaxName && (int)length <= name.Length && Ascii.IsValid(name[..(int)length]) && name[..(int)length].Contains((byte)':');
    }

    public static PlainModel Read(ReadOnlySpan<byte> bytes, ImportOptions options)
    {
        var reader = new Reader(bytes);
        ReadOnlySpan<byte> learner = reader.Take(LearnerSize);
        float bias = BinaryPrimitives.ReadSingleLittleEndian(learner);
        int features = Count(learner[4..], "features", options.MaxFeatures), classes = Count(learner[8..], "classes", options.MaxScores, least: 0);
        int major = BinaryPrimitives.ReadInt32LittleEndian(learner[20..]);
        if (!float.IsFinite(bias)) throw new ImportException(ImportError.NotFinite, "The XGBoost model's base score is not finite.");
        int scores = Math.Max(classes, 1);
        XgboostObjective objective = XgboostObjective.Of(reader.Text(), scores);
        if (reader.Text() is not "gbtree" and var booster)
            throw new ImportException(ImportError.UnsupportedObjective, $"The binary XGBoost model has the booster '{booster}'; {Advice}.");

        ReadOnlySpan<byte> parameters = reader.Take(BoosterSize);
        int trees = Count(parameters, "trees", options.MaxTrees), groups = Count(parameters[24..], "groups", options.MaxScores);
        if (BinaryPrimitives.ReadInt64LittleEndian(parameters[16..]) != 0 || groups != scores)
            throw new ImportException(ImportError.Unsupported, $"The binary XGBoost model keeps predictions, or has {groups} groups for {scores} scores; {Advice}.");
        var read = new List<(TreeNode[] Nodes, int Score)>();
        for (int i = 0; i < trees; i++) read.Add((Tree(ref reader, options), 0));
        for (int i = 0; i < trees; i++)
        {
            int score = BinaryPrimitives.ReadInt32LittleEndian(reader.Take(sizeof(int)));
            if ((uint)score >= (uint)scores) throw new ImportException(ImportError.OutOfRange, $"The binary XGBoost model gives tree {i} to the score {score}; there are {scores}.");
            read[i] = (read[i].Nodes, score);
        }
        // What follows, attributes and the names of metrics, says nothing about predictions.
        var assembler = new TreeAssembler(options, features, scores);
        return FinishedModel.Of(new Forest
        {
            Features = [],
            // Before version 1.0 the bias stood in files as a margin.
            BaseScores = major == 0 ? [.. Enumerable.Repeat((double)bias, scores)] : objective.Margins([bias], scores),
            Trees = [.. read.Select((tree, i) => assembler.Assemble($"Tree {i}", 0, tree.Nodes.Length, node => Scored(tree.Nodes[node], tree.Score, scores)))],
            Link = objective.Link,
            Classes = objective.Classes,
        }, [.. Enumerable.Range(0, features).Select(i => $"f{i}")], options);
    }

    private static string Advice => "save it as JSON: xgboost.Booster(model_file='model.bin').save_model('model.json')";

    private static TreeNode[] Tree(ref Reader reader, ImportOptions options)
    {
        ReadOnlySpan<byte> parameters = reader.Take(TreeSize);
        int count = Count(parameters[4..], "nodes", options.MaxNodes);
        if (BinaryPrimitives.ReadInt32LittleEndian(parameters) != 1 || BinaryPrimitives.ReadInt32LittleEndian(parameters[20..]) > 1)
            throw new ImportException(ImportError.Unsupported, $"The binary XGBoost model has trees of several roots, or lists in leaves; {Advice}.");
        // All nodes are there before room is made for them.
        ReadOnlySpan<byte> nodes = reader.Take(checked(count * NodeSize));
        reader.Take(checked(count * StatisticsSize));
        var made = new TreeNode[count];
        for (int i = 0; i < count; i++) made[i] = Node(nodes.Slice(i * NodeSize, NodeSize));
        return made;
    }

    // Parent, left child, right child, feature, and a threshold or a leaf's value.
    private static TreeNode Node(ReadOnlySpan<byte> node)
    {
        int left = BinaryPrimitives.ReadInt32LittleEndian(node[4..]), right = BinaryPrimitives.ReadInt32LittleEndian(node[8..]);
        uint feature = BinaryPrimitives.ReadUInt32LittleEndian(node[12..]);
        float value = BinaryPrimitives.ReadSingleLittleEndian(node[16..]);
        if (!float.IsFinite(value)) throw new ImportException(ImportError.NotFinite, "The binary XGBoost model has a threshold or leaf that is not finite.");
        if (left == Leaf) return new TreeNode { Values = [value] };
        (NodeTest test, double threshold) = FloatTest.Of(NodeTest.Less, value);
        return new TreeNode { Feature = (int)(feature & ~DefaultLeft), Test = test, Threshold = threshold, Yes = left, No = right, AbsentIsYes = (feature & DefaultLeft) != 0 };
    }

    private static TreeNode Scored(TreeNode node, int score, int scores)
    {
        if (!node.IsLeaf || scores == 1) return node;
        double[] values = new double[scores];
        values[score] = node.Values![0];
        return new TreeNode { Values = values };
    }

    private static int Count(ReadOnlySpan<byte> bytes, string what, int most, int least = 1)
    {
        int count = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        return count < least ? throw new ImportException(ImportError.Malformed, $"The binary XGBoost model has {count} {what}.")
            : count > most ? throw new ImportException(ImportError.TooLarge, $"The binary XGBoost model has {count} {what}; up to {most} are read.")
            : count;
    }

    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _left = bytes;

        public ReadOnlySpan<byte> Take(int count)
        {
            if (count > _left.Length) throw new ImportException(ImportError.Malformed, "The binary XGBoost model ends early.");
            ReadOnlySpan<byte> taken = _left[..count];
            _left = _left[count..];
            return taken;
        }

        public string Text()
        {
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));
            if (length > MaxName) throw new ImportException(ImportError.Malformed, "The binary XGBoost model has a name that is too long.");
            return Encoding.Latin1.GetString(Take((int)length));
        }
    }
}
