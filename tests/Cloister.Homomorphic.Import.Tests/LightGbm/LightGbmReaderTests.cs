using System.Globalization;
using System.Text;
using Cloister.Homomorphic.Models;
using Cloister.Tests;

namespace Cloister.Homomorphic.Import.Tests.LightGbm;

public sealed class LightGbmReaderTests
{
    [SharedDataFact]
    public void A_real_model_with_categories_predicts_what_LightGBM_did()
    {
        PlainModel model = ModelFile.Read(TestData.Path("models/tabular/lightgbm_toy_categorical_model.txt"));
        Assert.Equal(["Column_0", "Column_1"], model.Features);
        Assert.Empty(model.Classes);
        double[][] rows = [.. File.ReadLines(TestData.Path("models/tabular/lightgbm_toy_categorical.test")).Select(LibSvm.Row)];
        float[][] expected = [.. File.ReadLines(TestData.Path("models/tabular/lightgbm_toy_categorical.test.pred")).Select(line => new[] { float.Parse(line, CultureInfo.InvariantCulture) })];
        Assert.Equal(180, rows.Length);
        model.AssertPredicts(rows, expected, 1e-6);
    }

    [Fact]
    public void A_binary_model_is_read_with_its_sigmoid()
    {
        PlainModel model = Read(Text());
        Assert.Equal((LinkFunction.Logistic, 1), (model.Link, model.Scores));
        Assert.Equal(["a", "b", "c"], model.Features);
        AssertScore(2 * (1 + 10), model, 0, 0, 0);
        AssertScore(2 * (2 + 10), model, 0.51, 0, 0);
        AssertScore(2 * (2 + 20), model, 0.51, 0, 3);
        AssertScore(2 * (3 + 10), model, 2, 0, 33);
    }

    [Theory]
    [InlineData(0, true)] // nothing is missing: NaN is zero
    [InlineData(2, true)]
    [InlineData(8, false)] // NaN goes right
    [InlineData(10, true)] // NaN goes left
    [InlineData(6, true)] // zero and NaN go left
    public void Absent_features_go_where_the_decision_type_says(int type, bool left)
    {
        PlainModel model = Read(Text().Replace("decision_type=2 2", $"decision_type={type} 2", StringComparison.Ordinal));
        AssertScore(2 * (left ? 11 : 12), model, double.NaN, 0, 0);
    }

    [Fact]
    public void Zero_as_missing_moves_a_threshold_at_zero_and_is_refused_elsewhere()
    {
        string text = Text().Replace("decision_type=2 2", "decision_type=6 2", StringComparison.Ordinal).Replace("threshold=0.5 1.5", "threshold=-1e-36 1.5", StringComparison.Ordinal);
        AssertScore(2 * 11, Read(text), 0, 0, 0);
        AssertScore(2 * 12, Read(text), 0.1, 0, 0);
        Assert.Equal(ImportError.Unsupported, Refused(text.Replace("-1e-36", "-3", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_random_forest_is_averaged()
    {
        PlainModel model = Read(Text().Replace("sigmoid:2", "", StringComparison.Ordinal).Replace("feature_names", "average_output\nfeature_names", StringComparison.Ordinal));
        AssertScore(5.5, model, 0, 0, 0);
    }

    [Theory]
    [InlineData("regression", LinkFunction.Identity, 0)]
    [InlineData("poisson", LinkFunction.Exponential, 0)]
    [InlineData("tweedie tweedie_variance_power:1.5", LinkFunction.Exponential, 0)]
    [InlineData("binary sigmoid:1", LinkFunction.Logistic, 2)]
    [InlineData("multiclass num_class:2", LinkFunction.Logistic, 2)] // of two classes one score is enough
    public void An_objective_says_its_link(string objective, LinkFunction link, int classes)
    {
        string text = Text().Replace("binary sigmoid:2", objective, StringComparison.Ordinal);
        if (objective.StartsWith("multiclass", StringComparison.Ordinal)) text = text.Replace("num_tree_per_iteration=1", "num_tree_per_iteration=2", StringComparison.Ordinal);
        PlainModel model = Read(text);
        Assert.Equal((link, classes), (model.Link, model.Classes.Count));
    }

    [Theory]
    [InlineData("version=v3", "version=v5", ImportError.UnsupportedVersion)]
    [InlineData("version=v3", "nonsense=1", ImportError.UnknownMember)]
    [InlineData("binary sigmoid:2", "cross_entropy_lambda", ImportError.UnsupportedObjective)]
    [InlineData("binary sigmoid:2", "regression sqrt", ImportError.UnsupportedObjective)]
    [InlineData("binary sigmoid:2", "binary sigmoid:-1", ImportError.Malformed)]
    [InlineData("num_tree_per_iteration=1", "num_tree_per_iteration=2", ImportError.LengthMismatch)]
    [InlineData("max_feature_idx=2", "max_feature_idx=1", ImportError.LengthMismatch)]
    [InlineData("max_feature_idx=2", "max_feature_idx=99999999", ImportError.TooLarge)]
    [InlineData("feature_names=a b c", "feature_names=a b b", ImportError.Malformed)]
    [InlineData("tree_sizes=1 1", "tree_sizes=1 1 1", ImportError.LengthMismatch)]
    [InlineData("is_linear=0", "is_linear=1", ImportError.Unsupported)]
    [InlineData("split_feature=0 0", "split_feature=0 3", ImportError.OutOfRange)]
    [InlineData("split_feature=0 0", "split_feature=0", ImportError.LengthMismatch)]
    [InlineData("left_child=-1 -2", "left_child=0 -2", ImportError.BrokenTree)]
    [InlineData("left_child=-1 -2", "left_child=-1 -1", ImportError.BrokenTree)]
    [InlineData("left_child=-1 -2", "left_child=-9 -2", ImportError.BrokenTree)]
    [InlineData("left_child=-1 -2", "left_child=-1 7", ImportError.BrokenTree)]
    [InlineData("threshold=0.5 1.5", "threshold=inf 1.5", ImportError.NotFinite)]
    [InlineData("leaf_value=1 2 3", "leaf_value=1 nan 3", ImportError.NotFinite)]
    [InlineData("leaf_value=1 2 3", "leaf_value=1 x 3", ImportError.Malformed)]
    [InlineData("num_leaves=3", "num_leaves=2000000000", ImportError.TooLarge)]
    [InlineData("cat_boundaries=0 2", "cat_boundaries=0 2000000000", ImportError.OutOfRange)]
    [InlineData("cat_boundaries=0 2", "cat_boundaries=0 1", ImportError.LengthMismatch)]
    [InlineData("threshold=0\n", "threshold=1\n", ImportError.OutOfRange)]
    [InlineData("Tree=1", "Tree=7", ImportError.Malformed)]
    [InlineData("shrinkage=1\n", "shrinkage=1\nleaf_coeff=1\n", ImportError.UnknownMember)]
    public void What_is_not_understood_is_refused(string found, string instead, ImportError expected)
    {
        Assert.Contains(found, Text(), StringComparison.Ordinal);
        Assert.Equal(expected, Refused(Text().Replace(found, instead, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_file_that_was_cut_off_is_refused() => Assert.Equal(ImportError.LengthMismatch, Refused(Text()[..Text().IndexOf("Tree=1", StringComparison.Ordinal)]));

    [Fact]
    public void Mutated_models_are_read_or_refused()
    {
        byte[] valid = Encoding.UTF8.GetBytes(Text());
        var random = new Random(4);
        for (int i = 0; i < 5_000; i++) ModelFile.Fuzz(Mutation.Of(valid, random));
    }

    private static string Text() => """
        tree
        version=v3
        num_class=1
        num_tree_per_iteration=1
        label_index=0
        max_feature_idx=2
        objective=binary sigmoid:2
        feature_names=a b c
        feature_infos=[0:1] [0:1] 0:1:2
        tree_sizes=1 1

        Tree=0
        num_leaves=3
        num_cat=0
        split_feature=0 0
        split_gain=1 1
        threshold=0.5 1.5
        decision_type=2 2
        left_child=-1 -2
        right_child=1 -3
        leaf_value=1 2 3
        leaf_weight=1 1 1
        leaf_count=1 1 1
        internal_value=0 0
        internal_weight=0 0
        internal_count=3 2
        is_linear=0
        shrinkage=1


        Tree=1
        num_leaves=2
        num_cat=1
        split_feature=2
        split_gain=1
        threshold=0
        decision_type=1
        left_child=-1
        right_child=-2
        leaf_value=20 10
        cat_boundaries=0 2
        cat_threshold=8 4
        shrinkage=0.1


        end of trees

        feature_importances:
        a=2
        parameters:
        [boosting: gbdt]
        end of parameters

        pandas_categorical:null

        """.ReplaceLineEndings("\n");

    private static PlainModel Read(string text) => ModelFile.Read(Encoding.UTF8.GetBytes(text));

    private static ImportError Refused(string text) => Assert.Throws<ImportException>(() => Read(text)).Error;

    private static void AssertScore(double expected, PlainModel model, params double[] row)
    {
        double[] scores = new double[1];
        model.Score(row, scores);
        Assert.Equal(expected, scores[0], 1e-9);
    }
}
