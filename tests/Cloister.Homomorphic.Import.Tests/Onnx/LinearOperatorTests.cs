using Cloister.Homomorphic.Models;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Tests.Onnx;

public sealed class LinearOperatorTests
{
    private const int Features = 4;

    private static readonly double[][] Rows = [.. Enumerable.Range(1, 50).Select(seed => { var random = new Random(seed); return Enumerable.Range(0, Features).Select(_ => 4 * random.NextDouble() - 2).ToArray(); })];

    [Theory]
    [InlineData("NONE", 3, LinkFunction.Identity)]
    [InlineData("LOGISTIC", 3, LinkFunction.Logistic)]
    [InlineData("SOFTMAX", 3, LinkFunction.Softmax)]
    [InlineData("SOFTMAX", 2, LinkFunction.Logistic)] // the difference of two scores is enough
    public void A_linear_classifier_equals_ONNX_Runtime(string transform, int classes, LinkFunction link)
    {
        byte[] bytes = new Handmade(Features)
            .Ml("LinearClassifier", ["x"], ["label", "p"],
                Handmade.Floats("coefficients", Weights(classes * Features)), Handmade.Floats("intercepts", Weights(classes)),
                AttributeProto.Of("classlabels_ints", [.. Enumerable.Range(5, classes).Select(i => (long)i)]), AttributeProto.Of("multi_class", 1L), AttributeProto.Of("post_transform", transform))
            .Output("label", outputType: TensorDataType.Int64).Output("p", classes).ToBytes();
        PlainModel model = ModelFile.Read(bytes);
        Assert.Equal(link, model.Link);
        Assert.Equal(["x_0", "x_1", "x_2", "x_3"], model.Features);
        Assert.Equal([.. Enumerable.Range(5, classes).Select(i => $"{i}")], model.Classes);
        model.AssertPredicts(Rows, Reference.Run(bytes, Rows, "p"));
    }

    [Fact]
    public void A_scaled_logistic_regression_as_skl2onnx_writes_it_has_one_score()
    {
        double[] weights = Weights(Features);
        byte[] bytes = new Handmade(Features)
            .Ml("Scaler", ["x"], ["scaled"], Handmade.Floats("offset", 1, -1, 0.5, 0), Handmade.Floats("scale", 2, 0.5, 1, 4))
            .Ml("LinearClassifier", ["scaled"], ["l", "raw"],
                Handmade.Floats("coefficients", [.. weights.Select(w => -w), .. weights]), Handmade.Floats("intercepts", -0.25, 0.25),
                Handmade.Texts("classlabels_strings", "ham", "spam"), AttributeProto.Of("post_transform", "LOGISTIC"))
            .Ml("Normalizer", ["raw"], ["p"], AttributeProto.Of("norm", "L1"))
            .Node("Cast", ["l"], ["label"], AttributeProto.Of("to", (long)TensorDataType.String))
            .Output("label", outputType: TensorDataType.String).Output("p", 2).ToBytes();
        PlainModel model = ModelFile.Read(bytes);
        Assert.Equal((1, LinkFunction.Logistic), (model.Scores, model.Link));
        Assert.Equal(["ham", "spam"], model.Classes);
        model.AssertPredicts(Rows, Reference.Run(bytes, Rows, "p"));
    }

    [Fact]
    public void Three_classes_with_a_matrix_and_picked_columns_equal_ONNX_Runtime()
    {
        byte[] bytes = new Handmade(Features)
            .Integers("picked", 3, 0, 1).Constant("mean", [3], 0.5, -1, 2).Constant("deviation", [1, 3], 2, 4, 0.5)
            .Constant("w", [3, 3], Weights(9)).Constant("b", [3], 1, 2, 3)
            .Ml("ArrayFeatureExtractor", ["x", "picked"], ["a"]).Node("Sub", ["a", "mean"], ["c"]).Node("Div", ["c", "deviation"], ["d"])
            .Node("MatMul", ["d", "w"], ["e"]).Node("Add", ["b", "e"], ["f"]).Node("Softmax", ["f"], ["p"], AttributeProto.Of("axis", -1L))
            .Output("p", 3).ToBytes();
        PlainModel model = ModelFile.Read(bytes);
        Assert.Equal((3, LinkFunction.Softmax, 4), (model.Scores, model.Link, model.Features.Count));
        model.AssertPredicts(Rows, Reference.Run(bytes, Rows));
    }

    [Fact]
    public void A_generalised_linear_model_with_a_logarithmic_link_equals_ONNX_Runtime()
    {
        byte[] bytes = new Handmade(Features)
            .Ml("LinearRegressor", ["x"], ["eta"], Handmade.Floats("coefficients", Weights(Features)), Handmade.Floats("intercepts", 0.5))
            .Node("Exp", ["eta"], ["y"]).Output("y", 1).ToBytes();
        PlainModel model = ModelFile.Read(bytes);
        Assert.Equal((LinkFunction.Exponential, 0), (model.Link, model.Classes.Count));
        model.AssertPredicts(Rows, Reference.Run(bytes, Rows));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Support_vectors_of_a_linear_kernel_equal_ONNX_Runtime(bool probabilities)
    {
        AttributeProto[] platt = probabilities ? [Handmade.Floats("prob_a", -1.5), Handmade.Floats("prob_b", 0.25)] : [];
        byte[] bytes = new Handmade(Features)
            .Ml("SVMClassifier", ["x"], ["label", "p"],
            [
                Handmade.Floats("coefficients", 0.5, -0.25, 1, -0.75, -0.5), Handmade.Floats("support_vectors", Weights(5 * Features)), Handmade.Floats("rho", 0.1),
                AttributeProto.Of("vectors_per_class", 3L, 2L), AttributeProto.Of("classlabels_ints", 0L, 1L), AttributeProto.Of("kernel_type", "LINEAR"), Handmade.Floats("kernel_params", 0.1, 0, 3),
                .. platt,
            ])
            .Output("label", outputType: TensorDataType.Int64).Output("p", 2).ToBytes();
        PlainModel model = ModelFile.Read(bytes);
        float[][] expected = Reference.Run(bytes, Rows, "p");
        long[] labels = Reference.Labels(bytes, Rows, "label");
        for (int r = 0; r < Rows.Length; r++)
        {
            // ONNX Runtime iterates to a pair's probability, and gives the decision for the second class in the first column.
            ModelAnswer answer = model.Predict(Rows[r]);
            Assert.Equal(expected[r][probabilities ? 1 : 0], answer.Values[0], probabilities ? 5e-3 : 1e-5);
            Assert.Equal($"{labels[r]}", answer.Class);
        }
    }

    [Fact]
    public void A_linear_support_vector_regression_equals_ONNX_Runtime()
    {
        byte[] bytes = new Handmade(Features)
            .Ml("SVMRegressor", ["x"], ["y"],
                Handmade.Floats("coefficients", 0.5, -0.25, 1), Handmade.Floats("support_vectors", Weights(3 * Features)), Handmade.Floats("rho", 0.1),
                AttributeProto.Of("n_supports", 3L), AttributeProto.Of("kernel_type", "LINEAR"), Handmade.Floats("kernel_params", 0.1, 0, 3))
            .Output("y", 1).ToBytes();
        ModelFile.Read(bytes).AssertPredicts(Rows, Reference.Run(bytes, Rows));
    }

    [Theory]
    [InlineData("RBF", ImportError.UnsupportedObjective)]
    [InlineData("POLY", ImportError.UnsupportedObjective)]
    public void Other_kernels_are_refused(string kernel, ImportError expected) => Assert.Equal(expected, Refused(new Handmade(Features)
        .Ml("SVMRegressor", ["x"], ["y"], Handmade.Floats("coefficients", 1), Handmade.Floats("support_vectors", Weights(Features)), Handmade.Floats("rho", 0), AttributeProto.Of("kernel_type", kernel))
        .Output("y", 1)));

    [Fact]
    public void What_is_no_linear_model_is_refused()
    {
        Handmade Regressor(params AttributeProto[] more) => new Handmade(Features).Ml("LinearRegressor", ["x"], ["y"], [Handmade.Floats("coefficients", Weights(Features)), .. more]).Output("y", 1);
        Assert.Equal(ImportError.UnknownMember, Refused(Regressor(AttributeProto.Of("novelty", 1L))));
        Assert.Equal(ImportError.Malformed, Refused(Regressor(AttributeProto.Of("targets", "one"))));
        Assert.Equal(ImportError.Malformed, Refused(Regressor(AttributeProto.Of("targets", 1L), AttributeProto.Of("targets", 1L))));
        Assert.Equal(ImportError.LengthMismatch, Refused(Regressor(AttributeProto.Of("targets", 3L))));
        Assert.Equal(ImportError.OutOfRange, Refused(Regressor(AttributeProto.Of("targets", 1L << 40))));
        Assert.Equal(ImportError.Unsupported, Refused(Regressor(AttributeProto.Of("post_transform", "PROBIT"))));
        Assert.Equal(ImportError.NotFinite, Refused(Regressor(Handmade.Floats("intercepts", double.NaN))));
        Assert.Equal(ImportError.UnknownOperator, Refused(Regressor().Node("Relu", ["y"], ["z"])));
        Assert.Equal(ImportError.BrokenGraph, Refused(Regressor().Node("Identity", ["nothing"], ["z"])));
        Assert.Equal(ImportError.BrokenGraph, Refused(Regressor().Node("Identity", ["x"], ["y"])));
        Assert.Equal(ImportError.BrokenGraph, Refused(Regressor().Output("x", Features)));
        Assert.Equal(ImportError.Unsupported, Refused(Regressor().Node("Sigmoid", ["y"], ["z"]).Node("Exp", ["z"], ["q"])));
        Assert.Equal(ImportError.LengthMismatch, Refused(new Handmade(3).Ml("LinearRegressor", ["x"], ["y"], Handmade.Floats("coefficients", Weights(Features))).Output("y", 1)));
        Assert.Equal(ImportError.Unsupported, Refused(new Handmade(3, TensorDataType.String).Node("Identity", ["x"], ["y"]).Output("y", 1)));
        Assert.Equal(ImportError.NotFinite, Refused(new Handmade(1).Constant("zero", [1], 0).Node("Div", ["x", "zero"], ["y"]).Output("y", 1)));
    }

    [Fact]
    public void One_against_the_rest_probabilities_are_refused_with_advice()
    {
        ImportException refused = Assert.Throws<ImportException>(() => ModelFile.Read(new Handmade(Features)
            .Ml("LinearClassifier", ["x"], ["label", "raw"], Handmade.Floats("coefficients", Weights(3 * Features)), Handmade.Floats("intercepts", 1, 2, 3),
                AttributeProto.Of("classlabels_ints", 0L, 1L, 2L), AttributeProto.Of("post_transform", "LOGISTIC"))
            .Ml("Normalizer", ["raw"], ["p"], AttributeProto.Of("norm", "L1")).Output("p", 3).ToBytes()));
        Assert.Equal(ImportError.Unsupported, refused.Error);
        Assert.Contains("raw scores", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_small_file_cannot_make_many_columns()
    {
        var model = new Handmade(50_000);
        string last = "x";
        for (int i = 0; i < 2_000; i++) model.Ml("Scaler", [last], [last = $"x{i}"], Handmade.Floats("offset", 0), Handmade.Floats("scale", 2));
        byte[] bytes = model.Output(last, 50_000).ToBytes();
        Assert.InRange(bytes.Length, 0, 200_000);
        Assert.Equal(ImportError.TooLarge, Assert.Throws<ImportException>(() => ModelFile.Read(bytes)).Error);
    }

    [Fact]
    public void Names_of_features_and_classes_can_be_given()
    {
        byte[] bytes = new Handmade(2).Constant("w", [2, 1], 1, -1).Node("MatMul", ["x", "w"], ["s"]).Node("Sigmoid", ["s"], ["p"]).Output("p", 1).ToBytes();
        PlainModel model = ModelFile.Read(bytes, new ImportOptions { Features = ["age", "size"], Classes = ["no", "yes"] });
        Assert.Equal(["age", "size"], model.Features);
        Assert.Equal("yes", model.Predict([2, 1]).Class);
        Assert.Equal(ImportError.LengthMismatch, Assert.Throws<ImportException>(() => ModelFile.Read(bytes, new ImportOptions { Features = ["age"] })).Error);
        Assert.Equal(ImportError.LengthMismatch, Assert.Throws<ImportException>(() => ModelFile.Read(bytes, new ImportOptions { Classes = ["no"] })).Error);
        Assert.Equal(ImportError.Malformed, Assert.Throws<ImportException>(() => ModelFile.Read(bytes, new ImportOptions { Features = ["age", "age"] })).Error);
    }

    [Fact]
    public void Mutated_models_are_read_or_refused()
    {
        byte[] valid = new Handmade(2).Constant("w", [2, 2], 1, -1, 2, 3).Constant("m", [2], 1, 2).Node("Sub", ["x", "m"], ["c"])
            .Node("Gemm", ["c", "w"], ["s"], AttributeProto.Of("transB", 1L)).Node("Softmax", ["s"], ["p"]).Output("p", 2).ToBytes();
        var random = new Random(2);
        for (int i = 0; i < 20_000; i++) ModelFile.Fuzz(Mutation.Of(valid, random));
    }

    private static double[] Weights(int count) => [.. Enumerable.Range(1, count).Select(i => Math.Sin(7 * i))];

    private static ImportError Refused(Handmade model) => Assert.Throws<ImportException>(() => ModelFile.Read(model.ToBytes())).Error;
}
