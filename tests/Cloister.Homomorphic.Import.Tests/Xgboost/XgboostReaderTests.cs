using System.Text;
using System.Text.Json.Nodes;
using Cloister.Homomorphic.Models;
using Cloister.Tests;

namespace Cloister.Homomorphic.Import.Tests.Xgboost;

public sealed class XgboostReaderTests
{
    [SharedDataFact]
    public void A_real_model_predicts_what_XGBoost_did()
    {
        byte[] onnx = File.ReadAllBytes(TestData.Path("models/tabular/xgb-dermatology.onnx"));
        PlainModel model = ModelFile.Read(XgboostJson.Bytes(XgboostJson.FromOnnx(onnx, 33, 6)));
        Assert.Equal((6, LinkFunction.Softmax), (model.Scores, model.Link));
        Assert.Equal(60, ((Forest)model).Trees.Count);
        (double[][] rows, float[][] probabilities, _) = Dermatology.Read();
        model.AssertPredicts(rows, probabilities);
    }

    [SharedDataFact]
    public void The_same_model_is_read_from_its_binary_file()
    {
        byte[] bytes = File.ReadAllBytes(TestData.Path("models/tabular/dermatology.model"));
        PlainModel model = ModelFile.Read(bytes);
        (double[][] rows, float[][] probabilities, _) = Dermatology.Read();
        model.AssertPredicts(rows, probabilities);
        Assert.Equal(ImportError.Malformed, Refused(bytes[..20_000]));
        var random = new Random(7);
        for (int i = 0; i < 300; i++) ModelFile.Fuzz(Mutation.Of(bytes, random));
        // The head, where counts stand, in a file of one tree's length.
        for (int i = 0; i < 3_000; i++) ModelFile.Fuzz([.. Mutation.Of(bytes[..0x1E0], random), .. bytes[0x1E0..0x300]]);
    }

    [Fact]
    public void Thresholds_categories_and_absent_features_are_read()
    {
        PlainModel model = Read(XgboostJson.Small());
        Assert.Equal(["f0", "f1"], model.Features);
        Assert.Equal((LinkFunction.Logistic, 1, 2), (model.Link, model.Scores, model.Classes.Count));
        AssertScore(11, model, 0.4, 0);
        AssertScore(13, model, 0.5, 0); // not below
        AssertScore(12, model, 0.5, 1); // in the set: right
        AssertScore(12, model, 0.5, 3);
        AssertScore(13, model, 0.5, 2);
        AssertScore(11, model, double.NaN, 0);
        AssertScore(12, model, 1, double.NaN); // the default is right
        AssertScore(13, model, 0.49999999999, 0); // XGBoost rounds it to 0.5f
    }

    [Theory]
    [InlineData("binary:logistic", "2.5E-1", -1.0986122886681098, LinkFunction.Logistic, 2)]
    [InlineData("binary:logitraw", "5E-1", 0, LinkFunction.Identity, 2)]
    [InlineData("binary:hinge", "5E-1", 0.5, LinkFunction.Identity, 2)]
    [InlineData("reg:logistic", "[5E-1]", 0, LinkFunction.Logistic, 0)]
    [InlineData("reg:squarederror", "5E-1", 0.5, LinkFunction.Identity, 0)]
    [InlineData("count:poisson", "5E-1", -0.6931471805599453, LinkFunction.Exponential, 0)]
    [InlineData("reg:gamma", "2E0", 0.6931471805599453, LinkFunction.Exponential, 0)]
    [InlineData("reg:tweedie", "1E0", 0, LinkFunction.Exponential, 0)]
    public void An_objective_says_its_link_and_how_the_bias_is_meant(string objective, string bias, double margin, LinkFunction link, int classes)
    {
        PlainModel model = Read(XgboostJson.Small(objective, bias));
        Assert.Equal((link, classes), (model.Link, model.Classes.Count));
        AssertScore(11 + margin, model, 0, 0);
    }

    [Fact]
    public void Names_are_taken_from_the_file()
    {
        JsonObject json = XgboostJson.Small();
        json["learner"]!["feature_names"] = new JsonArray("age", "size");
        Assert.Equal(["age", "size"], Read(json).Features);
    }

    [Fact]
    public void Dart_weighs_its_trees()
    {
        JsonObject json = XgboostJson.Small("reg:squarederror", "0");
        JsonNode booster = json["learner"]!["gradient_booster"]!;
        json["learner"]!["gradient_booster"] = new JsonObject { ["gbtree"] = booster.DeepClone(), ["name"] = "dart", ["weight_drop"] = XgboostJson.List([0.5, 2.0]) };
        AssertScore(20.5, Read(json), 0, 0);
    }

    [Fact]
    public void A_linear_booster_is_a_linear_model()
    {
        JsonObject json = XgboostJson.Small("multi:softmax", "5E-1", 3);
        json["learner"]!["gradient_booster"] = new JsonObject { ["model"] = new JsonObject { ["weights"] = XgboostJson.List([1, 2, 3, 4, 5, 6, 10, 20, 30.0]) }, ["name"] = "gblinear" };
        var model = Assert.IsType<LinearModel>(Read(json));
        Assert.Equal([[1, 4], [2, 5], [3, 6]], model.Weights);
        Assert.Equal([10.5, 20.5, 30.5], model.Intercepts);
    }

    public static TheoryData<string, string, ImportError> Damage => new()
    {
        { "learner.objective.name", "\"binary:rare\"", ImportError.UnsupportedObjective },
        { "learner.gradient_booster.name", "\"gbforest\"", ImportError.UnsupportedObjective },
        { "learner.novelty", "1", ImportError.UnknownMember },
        { "learner.gradient_booster.model.novelty", "1", ImportError.UnknownMember },
        { "learner.gradient_booster.model.cats", "{\"enc\":[1]}", ImportError.Unsupported },
        { "learner.gradient_booster.model.tree_info", "[0]", ImportError.LengthMismatch },
        { "learner.gradient_booster.model.tree_info", "[0,1]", ImportError.OutOfRange },
        { "learner.gradient_booster.model.trees", "[]", ImportError.MissingMember },
        { "learner.learner_model_param.base_score", "\"1\"", ImportError.NotFinite }, // no margin has the probability one
        { "learner.learner_model_param.base_score", "\"half\"", ImportError.Malformed },
        { "learner.learner_model_param.base_score", "\"[1,2,3]\"", ImportError.LengthMismatch },
        { "learner.learner_model_param.num_feature", "\"99999999\"", ImportError.TooLarge },
        { "learner.learner_model_param.num_feature", "\"1\"", ImportError.OutOfRange },
        { "learner.learner_model_param.num_class", "\"3\"", ImportError.LengthMismatch },
        { "learner.feature_names", "[\"one\"]", ImportError.LengthMismatch },
        { "learner.gradient_booster.model.trees.0.left_children", "[1,-1,3,-1]", ImportError.LengthMismatch },
        { "learner.gradient_booster.model.trees.0.left_children", "[1,-1,0,-1,-1]", ImportError.BrokenTree },
        { "learner.gradient_booster.model.trees.0.left_children", "[1,-1,9,-1,-1]", ImportError.BrokenTree },
        { "learner.gradient_booster.model.trees.0.left_children", "[1,-1,-3,-1,-1]", ImportError.BrokenTree },
        { "learner.gradient_booster.model.trees.0.left_children", "[1.5,-1,3,-1,-1]", ImportError.Malformed },
        { "learner.gradient_booster.model.trees.0.split_conditions", "[1e400,1,2,3,4]", ImportError.NotFinite },
        { "learner.gradient_booster.model.trees.0.split_conditions", "[\"x\",1,2,3,4]", ImportError.Malformed },
        { "learner.gradient_booster.model.trees.0.categories_sizes", "[3]", ImportError.Malformed },
        { "learner.gradient_booster.model.trees.0.categories_nodes", "[4]", ImportError.Malformed },
        { "learner.gradient_booster.model.trees.0.tree_param", "{\"size_leaf_vector\":\"3\"}", ImportError.Unsupported },
        { "learner.gradient_booster.model.trees.0.default_left", "null", ImportError.Malformed },
        { "other", "1", ImportError.UnknownMember },
    };

    [Theory, MemberData(nameof(Damage))]
    public void What_is_not_understood_is_refused(string path, string value, ImportError expected)
    {
        JsonObject json = XgboostJson.Small();
        string[] names = path.Split('.');
        JsonNode at = json;
        foreach (string name in names[..^1]) at = at is JsonArray list ? list[int.Parse(name, System.Globalization.CultureInfo.InvariantCulture)]! : at[name]!;
        // A number that System.Text.Json does not write, such as 1e400, is put in as text.
        at[names[^1]] = "PLACE";
        string text = json.ToJsonString().Replace("\"PLACE\"", value, StringComparison.Ordinal);
        Assert.Equal(expected, Refused(Encoding.UTF8.GetBytes(text)));
    }

    [Fact]
    public void Other_JSON_is_refused()
    {
        Assert.Equal(ImportError.UnknownKind, Refused("{}"u8.ToArray()));
        Assert.Equal(ImportError.Malformed, Refused("{\"learner\""u8.ToArray()));
        Assert.Equal(ImportError.Malformed, Refused([.. Enumerable.Repeat((byte)'{', 5), .. "\"learner\":1"u8]));
        Assert.Equal(ImportError.Malformed, Refused("{\"learner\":{\"\\ud800\":1}}"u8.ToArray()));
        Assert.Equal(ImportError.UnknownKind, Refused("nothing of that kind"u8.ToArray()));
        Assert.Equal(ImportError.UnknownKind, Refused([]));
    }

    [Fact]
    public void Mutated_models_are_read_or_refused()
    {
        byte[] valid = XgboostJson.Bytes(XgboostJson.Small());
        var random = new Random(5);
        for (int i = 0; i < 5_000; i++) ModelFile.Fuzz(Mutation.Of(valid, random));
    }

    private static PlainModel Read(JsonObject json) => ModelFile.Read(XgboostJson.Bytes(json));

    private static ImportError Refused(byte[] bytes) => Assert.Throws<ImportException>(() => ModelFile.Read(bytes)).Error;

    private static void AssertScore(double expected, PlainModel model, params double[] row)
    {
        double[] scores = new double[1];
        model.Score(row, scores);
        Assert.Equal(expected, scores[0], 1e-9);
    }
}
