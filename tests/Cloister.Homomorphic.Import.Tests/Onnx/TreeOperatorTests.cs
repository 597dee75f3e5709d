using Cloister.Homomorphic.Models;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Tests.Onnx;

public sealed class TreeOperatorTests
{
    private const int Features = 3;

    [Theory]
    [InlineData("BRANCH_LEQ")]
    [InlineData("BRANCH_LT")]
    [InlineData("BRANCH_GT")]
    [InlineData("BRANCH_GTE")]
    [InlineData("BRANCH_EQ")]
    [InlineData("BRANCH_NEQ")]
    public void Every_question_equals_ONNX_Runtime_at_and_beside_its_threshold(string mode)
    {
        foreach (bool tracks in (bool[])[false, true])
        {
            byte[] bytes = Regressor(7, mode, tracks ? 1L : 0L).ToBytes();
            // Equality is asked of categories: integers.
            double[][] rows = mode is "BRANCH_EQ" or "BRANCH_NEQ" ? [.. Rows().Where(row => row.All(x => double.IsNaN(x) || Math.Floor(x) == x))] : Rows();
            ModelFile.Read(bytes).AssertPredicts(rows, Reference.Run(bytes, rows));
        }
    }

    [Theory]
    [InlineData("BRANCH_LEQ")]
    [InlineData("BRANCH_LT")]
    [InlineData("BRANCH_GT")]
    [InlineData("BRANCH_GTE")]
    public void A_row_between_two_floats_goes_where_rounding_sends_it(string mode)
    {
        const float Threshold = 0.07f;
        byte[] bytes = Regressor(1, mode, 0L, Threshold).ToBytes();
        double below = Threshold - (double)MathF.BitDecrement(Threshold), above = MathF.BitIncrement(Threshold) - (double)Threshold;
        double[] around = [0.07, Threshold, Threshold - below / 2, Threshold + above / 2, Threshold - below / 3, Threshold + above / 3, Threshold - 0.6 * below, Threshold + 0.6 * above,
            Math.BitDecrement(Threshold - below / 2), Math.BitIncrement(Threshold + above / 2), Threshold - below, Threshold + above];
        double[][] rows = [.. around.Select(x => new[] { x, x, x })];
        ModelFile.Read(bytes).AssertPredicts(rows, Reference.Run(bytes, rows));
    }

    [Fact]
    public void A_model_of_doubles_rounds_nothing()
    {
        byte[] bytes = Regressor(3, "BRANCH_LEQ", 0L, type: TensorDataType.Double).ToBytes();
        double[][] rows = [.. Rows(), [0.5 + 1e-12, 0.5 - 1e-12, 0.5]];
        ModelFile.Read(bytes).AssertPredicts(rows, Reference.Run(bytes, rows));
    }

    [Theory]
    [InlineData(2.0, -1.0)]
    [InlineData(-0.5, 3.0)]
    public void Scaled_features_move_thresholds(double scale, double offset)
    {
        byte[] bytes = Regressor(5, "BRANCH_LEQ", 0L, input: "scaled", before: model => model
            .Ml("Scaler", ["x"], ["scaled"], Handmade.Floats("offset", offset), Handmade.Floats("scale", scale))).ToBytes();
        double[][] rows = [.. Enumerable.Range(1, 100).Select(seed => Random(seed))];
        ModelFile.Read(bytes).AssertPredicts(rows, Reference.Run(bytes, rows));
    }

    [Fact]
    public void An_imputed_feature_goes_where_its_value_does()
    {
        byte[] bytes = Regressor(5, "BRANCH_LEQ", 1L, input: "complete", before: model => model
            .Ml("Imputer", ["x"], ["complete"], Handmade.Floats("imputed_value_floats", 0.2, 0.9, -3), AttributeProto.Of("replaced_value_float", float.NaN))).ToBytes();
        ModelFile.Read(bytes).AssertPredicts(Rows(), Reference.Run(bytes, Rows()));
    }

    [Fact]
    public void Averages_and_base_values_equal_ONNX_Runtime()
    {
        byte[] bytes = Regressor(6, "BRANCH_LEQ", 0L, more: [AttributeProto.Of("aggregate_function", "AVERAGE"), Handmade.Floats("base_values", 2.5)]).ToBytes();
        ModelFile.Read(bytes).AssertPredicts(Rows(), Reference.Run(bytes, Rows()));
    }

    [Theory]
    [InlineData(2, "NONE", false, 1)] // probabilities: one score is enough
    [InlineData(3, "NONE", false, 3)]
    [InlineData(3, "SOFTMAX", true, 3)]
    [InlineData(2, "SOFTMAX", true, 1)]
    [InlineData(3, "LOGISTIC", true, 3)]
    public void A_classifier_equals_ONNX_Runtime(int classes, string transform, bool negative, int scores)
    {
        byte[] bytes = Classifier(classes, transform, negative).ToBytes();
        PlainModel model = ModelFile.Read(bytes);
        Assert.Equal(scores, model.Scores);
        model.AssertPredicts(Rows(), Reference.Run(bytes, Rows(), "p"));
    }

    [Theory]
    [InlineData(true, "LOGISTIC", 0)]
    [InlineData(false, "NONE", 0.5)]
    public void Two_classes_with_one_score_equal_ONNX_Runtime(bool negative, string transform, double threshold)
    {
        Handmade handmade = new Handmade(Features).Ml("TreeEnsembleClassifier", ["x"], ["label", "p"],
            [.. Nodes(4, "BRANCH_LEQ", 0), .. Weights("class", 4, (tree, leaf) => (0, (negative ? 1 : 0.1) * Value(tree, leaf, negative))), AttributeProto.Of("classlabels_int64s", 0L, 1L), AttributeProto.Of("post_transform", transform)])
            .Output("label", outputType: TensorDataType.Int64).Output("p", 2);
        byte[] bytes = handmade.ToBytes();
        PlainModel model = ModelFile.Read(bytes);
        Assert.Equal((1, threshold), (model.Scores, model.Threshold));
        model.AssertPredicts(Rows(), Reference.Run(bytes, Rows(), "p"));
        Assert.Equal(Reference.Labels(bytes, Rows(), "label").Select(label => $"{label}"), Rows().Select(row => model.Predict(row).Class));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void The_operator_of_opset_5_equals_ONNX_Runtime(long aggregate)
    {
        // Two trees: x0 <= 0.5 ? (x1 in {1, 3} ? 10 : 20) : 30, and the single leaf 5.
        byte[] bytes = new Handmade(Features).Ml("TreeEnsemble", ["x"], ["y"],
            AttributeProto.Of("tree_roots", 0L, 2L), AttributeProto.Of("nodes_featureids", 0L, 1L, 0L),
            AttributeProto.Of("nodes_modes", new TensorProto { DataType = TensorDataType.UInt8, Dims = [3], RawData = new byte[] { 0, 6, 0 } }),
            AttributeProto.Of("nodes_splits", TensorProto.Of("", [3], [0.5f, 0f, 0f])), AttributeProto.Of("membership_values", TensorProto.Of("", [3], [1f, 3f, float.NaN])),
            AttributeProto.Of("nodes_truenodeids", 1L, 0L, 3L), AttributeProto.Of("nodes_trueleafs", 0L, 1L, 1L),
            AttributeProto.Of("nodes_falsenodeids", 2L, 1L, 3L), AttributeProto.Of("nodes_falseleafs", 1L, 1L, 1L),
            AttributeProto.Of("leaf_targetids", 0L, 0L, 0L, 0L), AttributeProto.Of("leaf_weights", TensorProto.Of("", [4], [10f, 20f, 30f, 5f])),
            AttributeProto.Of("n_targets", 1L), AttributeProto.Of("aggregate_function", aggregate)).Output("y", 1).ToBytes(ml: 5);
        double[][] rows = [[0, 1, 0], [0, 2, 0], [0, 3, 0], [0.5, 0, 0], [0.6, 1, 0], [double.NaN, 1, 0], [0, double.NaN, 0]];
        PlainModel model = ModelFile.Read(bytes);
        model.AssertPredicts(rows, Reference.Run(bytes, rows));
        Assert.Equal(aggregate == 1 ? 15 : 7.5, model.Predict(rows[0]).Values[0], 1e-9);
    }

    [Fact]
    public void What_is_no_forest_is_refused()
    {
        Assert.Equal(ImportError.Unsupported, Refused(Regressor(2, "BRANCH_LEQ", 0, more: [AttributeProto.Of("aggregate_function", "MAX")])));
        Assert.Equal(ImportError.Unsupported, Refused(Regressor(2, "BRANCH_XOR", 0)));
        Assert.Equal(ImportError.Unsupported, Refused(Regressor(1, "BRANCH_EQ", 0, threshold: 0.5f)));
        Assert.Equal(ImportError.LengthMismatch, Refused(Regressor(2, "BRANCH_LEQ", 0, more: [Handmade.Floats("base_values", 1, 2)])));
        Assert.Equal(ImportError.UnknownMember, Refused(Regressor(2, "BRANCH_LEQ", 0, more: [Handmade.Floats("nodes_moods", 1)])));
        Assert.Equal(ImportError.NotFinite, Refused(Regressor(2, "BRANCH_LEQ", 0, threshold: float.PositiveInfinity)));
        Assert.Equal(ImportError.OutOfRange, Refused(Broken("nodes_featureids", [0, 7, 0, 0, 0])));
        Assert.Equal(ImportError.LengthMismatch, Refused(Broken("nodes_featureids", [0, 1, 0, 0])));
        Assert.Equal(ImportError.BrokenTree, Refused(Broken("nodes_truenodeids", [1, 0, 0, 0, 0]))); // a node is its own ancestor
        Assert.Equal(ImportError.BrokenTree, Refused(Broken("nodes_truenodeids", [1, 1, 0, 0, 0]))); // a node is its own child
        Assert.Equal(ImportError.BrokenTree, Refused(Broken("nodes_truenodeids", [1, 9, 0, 0, 0])));
        Assert.Equal(ImportError.BrokenTree, Refused(Broken("nodes_truenodeids", [1, 4, 0, 0, 0]))); // two parents
        Assert.Equal(ImportError.BrokenTree, Refused(Broken("nodes_nodeids", [0, 1, 2, 3, 3])));
        Assert.Equal(ImportError.BrokenTree, Refused(Broken("target_nodeids", [2, 3, 1])));
        Assert.Equal(ImportError.OutOfRange, Refused(Broken("target_ids", [0, 0, 1])));
        Assert.Equal(ImportError.TooLarge, Assert.Throws<ImportException>(() => ModelFile.Read(Regressor(4, "BRANCH_LEQ", 0).ToBytes(), new ImportOptions { MaxTrees = 3 })).Error);
        Assert.Equal(ImportError.TooLarge, Assert.Throws<ImportException>(() => ModelFile.Read(Regressor(4, "BRANCH_LEQ", 0).ToBytes(), new ImportOptions { MaxNodes = 9 })).Error);
        Assert.Equal(ImportError.TooLarge, Assert.Throws<ImportException>(() => ModelFile.Read(Regressor(4, "BRANCH_LEQ", 0).ToBytes(), new ImportOptions { MaxDepth = 1 })).Error);
    }

    [Fact]
    public void Mutated_models_are_read_or_refused()
    {
        byte[][] valid = [Regressor(2, "BRANCH_LEQ", 1).ToBytes(), Classifier(3, "SOFTMAX", true).ToBytes()];
        var random = new Random(3);
        for (int i = 0; i < 10_000; i++) ModelFile.Fuzz(Mutation.Of(valid[i % 2], random));
    }

    // Every tree has the questions 0 and 1 and the leaves 2, 3 and 4: 0 ? (1 ? 3 : 4) : 2.
    private static AttributeProto[] Nodes(int trees, string mode, long tracks, float? threshold = null) =>
    [
        AttributeProto.Of("nodes_treeids", [.. Enumerable.Range(0, trees).SelectMany(tree => Enumerable.Repeat((long)tree, 5))]),
        AttributeProto.Of("nodes_nodeids", [.. Enumerable.Range(0, trees).SelectMany(_ => new long[] { 0, 1, 2, 3, 4 })]),
        AttributeProto.Of("nodes_featureids", [.. Enumerable.Range(0, trees).SelectMany(tree => new long[] { tree % Features, (tree + 1) % Features, 0, 0, 0 })]),
        AttributeProto.Of("nodes_truenodeids", [.. Enumerable.Range(0, trees).SelectMany(_ => new long[] { 1, 3, 0, 0, 0 })]),
        AttributeProto.Of("nodes_falsenodeids", [.. Enumerable.Range(0, trees).SelectMany(_ => new long[] { 2, 4, 0, 0, 0 })]),
        AttributeProto.Of("nodes_missing_value_tracks_true", [.. Enumerable.Range(0, trees).SelectMany(_ => new long[] { tracks, 0, 0, 0, 0 })]),
        Handmade.Texts("nodes_modes", [.. Enumerable.Range(0, trees).SelectMany(_ => new[] { mode, mode, "LEAF", "LEAF", "LEAF" })]),
        Handmade.Floats("nodes_values", [.. Enumerable.Range(0, trees).SelectMany(tree => new double[] { threshold ?? tree % 3, threshold ?? (tree + 2) % 4, 0, 0, 0 })]),
    ];

    private static AttributeProto[] Weights(string kind, int trees, Func<int, int, (int Id, double Weight)> weight) =>
    [
        AttributeProto.Of($"{kind}_treeids", [.. Enumerable.Range(0, trees).SelectMany(tree => Enumerable.Repeat((long)tree, 3))]),
        AttributeProto.Of($"{kind}_nodeids", [.. Enumerable.Range(0, trees).SelectMany(_ => new long[] { 2, 3, 4 })]),
        AttributeProto.Of($"{kind}_ids", [.. Enumerable.Range(0, trees).SelectMany(tree => Enumerable.Range(0, 3).Select(leaf => (long)weight(tree, leaf).Id))]),
        Handmade.Floats($"{kind}_weights", [.. Enumerable.Range(0, trees).SelectMany(tree => Enumerable.Range(0, 3).Select(leaf => weight(tree, leaf).Weight))]),
    ];

    private static double Value(int tree, int leaf, bool negative = true) => Math.Sin(1 + 3 * tree + leaf) is var value && negative ? value : Math.Abs(value);

    private static Handmade Regressor(
        int trees, string mode, long tracks, float? threshold = null, string input = "x", Func<Handmade, Handmade>? before = null, AttributeProto[]? more = null, TensorDataType type = TensorDataType.Float)
    {
        var model = new Handmade(Features, type);
        if (before is not null) model = before(model);
        return model.Ml("TreeEnsembleRegressor", [input], ["y"], [.. Nodes(trees, mode, tracks, threshold), .. Weights("target", trees, (tree, leaf) => (0, Value(tree, leaf))), AttributeProto.Of("n_targets", 1L), .. more ?? []]).Output("y", 1);
    }

    // One tree with one of its lists replaced.
    private static Handmade Broken(string list, long[] values)
    {
        AttributeProto[] attributes = [.. Nodes(1, "BRANCH_LEQ", 0), .. Weights("target", 1, (tree, leaf) => (0, Value(tree, leaf)))];
        return new Handmade(Features).Ml("TreeEnsembleRegressor", ["x"], ["y"], [.. attributes.Select(a => a.Name == list ? AttributeProto.Of(list, values) : a)]).Output("y", 1);
    }

    // Every leaf has a weight for every class; of two, they add up to a tree's share.
    private static Handmade Classifier(int classes, string transform, bool negative)
    {
        const int Trees = 5;
        double Weight(int tree, int leaf, int label) => negative ? Math.Cos(tree + 5 * leaf + 2 * label)
            : label == classes - 1 ? (1 - Enumerable.Range(0, classes - 1).Sum(other => Weight(tree, leaf, other) * Trees)) / Trees
            : (0.5 + 0.4 * Math.Sin(tree + 2 * leaf + label)) / classes / Trees;
        (int Tree, int Leaf, int Class)[] all = [.. from tree in Enumerable.Range(0, Trees) from leaf in Enumerable.Range(0, 3) from label in Enumerable.Range(0, classes) select (tree, leaf, label)];
        return new Handmade(Features).Ml("TreeEnsembleClassifier", ["x"], ["label", "p"],
        [
            .. Nodes(Trees, "BRANCH_LEQ", 1),
            AttributeProto.Of("class_treeids", [.. all.Select(w => (long)w.Tree)]), AttributeProto.Of("class_nodeids", [.. all.Select(w => (long)w.Leaf + 2)]), AttributeProto.Of("class_ids", [.. all.Select(w => (long)w.Class)]),
            Handmade.Floats("class_weights", [.. all.Select(w => Weight(w.Tree, w.Leaf, w.Class))]),
            AttributeProto.Of("classlabels_int64s", [.. Enumerable.Range(0, classes).Select(i => (long)i)]), AttributeProto.Of("post_transform", transform),
        ]).Output("label", outputType: TensorDataType.Int64).Output("p", classes);
    }

    private static double[] Random(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Features).Select(_ => 8 * random.NextDouble() - 3)];
    }

    private static double[][] Rows()
    {
        double[] values = [-1, 0, 0.5, 1, 1.5, 2, 3, double.NaN];
        return [.. from a in values from b in values from c in values select new[] { a, b, c }];
    }

    private static ImportError Refused(Handmade model) => Assert.Throws<ImportException>(() => ModelFile.Read(model.ToBytes())).Error;
}
