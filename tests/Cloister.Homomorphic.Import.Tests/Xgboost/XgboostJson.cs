using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Tests.Xgboost;

/// <summary>Models in the form that XGBoost's save_model("model.json") writes.</summary>
internal static class XgboostJson
{
    /// <summary>Two trees: f0 &lt; 0.5 ? 1 : (f1 in {1, 3} ? 2 : 3), and the single leaf 10.</summary>
    public static JsonObject Small(string objective = "binary:logistic", string baseScore = "5E-1", int classes = 0) => Model(objective, baseScore, classes, 2,
    [
        Tree(0, [1, -1, 3, -1, -1], [2, -1, 4, -1, -1], [0, 0, 1, 0, 0], [0.5, 1, 0, 3, 2], [1, 0, 0, 0, 0], (2, [1, 3])),
        Tree(1, [-1], [-1], [0], [10], [0]),
    ],
    [0, 0]);

    public static JsonObject Model(string objective, string baseScore, int classes, int features, JsonObject[] trees, int[] groups) => new()
    {
        ["learner"] = new JsonObject
        {
            ["attributes"] = new JsonObject(),
            ["feature_names"] = new JsonArray(),
            ["feature_types"] = new JsonArray(),
            ["gradient_booster"] = new JsonObject
            {
                ["model"] = new JsonObject
                {
                    ["gbtree_model_param"] = new JsonObject { ["num_parallel_tree"] = "1", ["num_trees"] = trees.Length.ToString(CultureInfo.InvariantCulture), ["size_leaf_vector"] = "0" },
                    ["tree_info"] = List(groups),
                    ["trees"] = new JsonArray([.. trees]),
                },
                ["name"] = "gbtree",
            },
            ["learner_model_param"] = new JsonObject
            {
                ["base_score"] = baseScore, ["boost_from_average"] = "1", ["num_class"] = classes.ToString(CultureInfo.InvariantCulture),
                ["num_feature"] = features.ToString(CultureInfo.InvariantCulture), ["num_target"] = "1",
            },
            ["objective"] = new JsonObject { ["name"] = objective, ["reg_loss_param"] = new JsonObject { ["scale_pos_weight"] = "1" } },
        },
        ["version"] = List([1, 7, 6]),
    };

    public static JsonObject Tree(int id, int[] left, int[] right, int[] features, double[] conditions, int[] defaultLeft, params (int Node, int[] Set)[] categories) => new()
    {
        ["base_weights"] = List(new double[left.Length]),
        ["categories"] = List([.. categories.SelectMany(c => c.Set)]),
        ["categories_nodes"] = List([.. categories.Select(c => c.Node)]),
        ["categories_segments"] = List([.. categories.Select((_, i) => categories.Take(i).Sum(c => c.Set.Length))]),
        ["categories_sizes"] = List([.. categories.Select(c => c.Set.Length)]),
        ["default_left"] = List(defaultLeft),
        ["id"] = id,
        ["left_children"] = List(left),
        ["loss_changes"] = List(new double[left.Length]),
        ["parents"] = List([.. Enumerable.Repeat(int.MaxValue, left.Length)]),
        ["right_children"] = List(right),
        ["split_conditions"] = List(conditions),
        ["split_indices"] = List(features),
        ["split_type"] = List([.. Enumerable.Range(0, left.Length).Select(i => categories.Any(c => c.Node == i) ? 1 : 0)]),
        ["sum_hessian"] = List(new double[left.Length]),
        ["tree_param"] = new JsonObject { ["num_deleted"] = "0", ["num_feature"] = "2", ["num_nodes"] = left.Length.ToString(CultureInfo.InvariantCulture), ["size_leaf_vector"] = "1" },
    };

    /// <summary>The trees of an ONNX-ML classifier that was converted from XGBoost, written as XGBoost writes them.</summary>
    public static JsonObject FromOnnx(byte[] onnx, int features, int classes)
    {
        ImmutableArray<AttributeProto> attributes = OnnxModel.Parse(onnx).Graph.Nodes.Single().Attributes;
        AttributeProto Of(string name) => attributes.Single(a => a.Name == name);
        ImmutableArray<long> trees = Of("nodes_treeids").Ints;
        string[] modes = [.. Of("nodes_modes").Strings.Select(text => Encoding.UTF8.GetString(text.Span))];
        var leaves = new Dictionary<(long, long), (int Class, float Weight)>();
        for (int i = 0; i < Of("class_ids").Ints.Length; i++)
            leaves[(Of("class_treeids").Ints[i], Of("class_nodeids").Ints[i])] = ((int)Of("class_ids").Ints[i], Of("class_weights").Floats[i]);
        var made = new List<JsonObject>();
        var groups = new List<int>();
        foreach (IGrouping<long, int> tree in Enumerable.Range(0, trees.Length).GroupBy(i => trees[i]))
        {
            int[] nodes = [.. tree];
            var numbers = nodes.Select((i, at) => (Id: Of("nodes_nodeids").Ints[i], at)).ToDictionary(pair => pair.Id, pair => pair.at);
            bool IsLeaf(int i) => modes[i] == "LEAF";
            int Child(string list, int i) => IsLeaf(i) ? -1 : numbers[Of(list).Ints[i]];
            made.Add(Tree(made.Count,
                [.. nodes.Select(i => Child("nodes_truenodeids", i))], [.. nodes.Select(i => Child("nodes_falsenodeids", i))],
                [.. nodes.Select(i => IsLeaf(i) ? 0 : (int)Of("nodes_featureids").Ints[i])],
                [.. nodes.Select(i => (double)(IsLeaf(i) ? leaves[(tree.Key, Of("nodes_nodeids").Ints[i])].Weight : Of("nodes_values").Floats[i]))],
                [.. nodes.Select(i => (int)Of("nodes_missing_value_tracks_true").Ints[i])]));
            groups.Add(nodes.Where(IsLeaf).Select(i => leaves[(tree.Key, Of("nodes_nodeids").Ints[i])].Class).First());
        }
        return Model("multi:softprob", "5E-1", classes, features, [.. made], [.. groups]);
    }

    public static byte[] Bytes(JsonNode node) => Encoding.UTF8.GetBytes(node.ToJsonString());

    public static JsonArray List(int[] values) => new([.. values.Select(value => (JsonNode)value)]);

    public static JsonArray List(double[] values) => new([.. values.Select(value => (JsonNode)value)]);
}
