using System.Text.Json;
using Cloister.Homomorphic.Models;
using Cloister.Tests;

namespace Cloister.Homomorphic.Import.Tests.Onnx;

public sealed class RealModelTests
{
    [SharedDataTheory]
    [InlineData("logreg-breast", "breast_cancer_wisconsin.csv", "diagnosis", null)]
    [InlineData("logreg-spambase", "spambase.csv", "58", null)]
    [InlineData("rf-spambase", "spambase.csv", "58", null)]
    [InlineData("gbt-credit-default", "UCI_Credit_Card.csv", "default.payment.next.month", "ID")]
    public void A_real_model_predicts_what_ONNX_Runtime_does(string name, string csv, string target, string? dropped)
    {
        byte[] bytes = File.ReadAllBytes(TestData.Path($"models/tabular/{name}.onnx"));
        CsvTable table = CsvTable.Read(TestData.Path($"inputs/tabular/{csv}"), new CsvOptions { Target = target, Drop = dropped is null ? [] : [dropped] });
        PlainModel model = ModelFile.Read(bytes, new ImportOptions { Features = table.Columns });
        Assert.Equal(1, model.Scores);
        Assert.Equal(2, model.Classes.Count);
        model.AssertPredicts(table.Rows, Reference.Run(bytes, table.Rows));

        using JsonDocument expected = JsonDocument.Parse(File.ReadAllBytes(TestData.Path($"models/tabular/{name}.expected.json")));
        double[][] rows = [.. expected.RootElement.GetProperty("X").EnumerateArray().Select(Numbers)];
        float[][] values = [.. Numbers(expected.RootElement.GetProperty("expected")).Select(value => new[] { (float)value })];
        model.AssertPredicts(rows, values);
    }

    [SharedDataFact]
    public void Dermatology_is_predicted_where_features_are_absent()
    {
        byte[] bytes = File.ReadAllBytes(TestData.Path("models/tabular/xgb-dermatology.onnx"));
        PlainModel model = ModelFile.Read(bytes);
        Assert.Equal((6, 33, LinkFunction.Softmax), (model.Scores, model.Features.Count, model.Link));
        (double[][] rows, float[][] probabilities, int[] labels) = Dermatology.Read();
        Assert.Contains(rows, row => row.Any(double.IsNaN));
        model.AssertPredicts(rows, probabilities);
        model.AssertPredicts(rows, Reference.Run(bytes, rows));
        Assert.Equal(probabilities.Select(row => $"{Array.IndexOf(row, row.Max())}"), rows.Select(row => model.Predict(row).Class));
        Assert.Equal(101, rows.Zip(labels).Count(pair => model.Predict(pair.First).Class == $"{pair.Second}"));
    }

    [SharedDataFact]
    public void A_network_with_hidden_layers_is_refused_by_its_operator()
    {
        ImportException refused = Assert.Throws<ImportException>(() => ModelFile.Read(TestData.Path("models/tabular/mlp-spambase.onnx")));
        Assert.Equal(ImportError.UnknownOperator, refused.Error);
        Assert.Contains("Relu", refused.Message, StringComparison.Ordinal);
    }

    private static double[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetDouble())];
}
