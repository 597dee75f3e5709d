using Cloister.Homomorphic.Import.Tests.LightGbm;
using Cloister.Homomorphic.Import.Tests.Onnx;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire;
using Cloister.Onnx.Model;
using Cloister.Tests;
using Xunit.Abstractions;

namespace Cloister.Homomorphic.Import.Tests.Compilation;

/// <summary>The decisions of compiled models on whole real tables, and some rows of each through true encryption.</summary>
public sealed class AccuracyTests(ITestOutputHelper output)
{
    private const double HalfAPoint = 0.005;

    [SharedDataTheory]
    [InlineData("logreg-breast", "breast_cancer_wisconsin.csv", "diagnosis", "M", null, 60)]
    [InlineData("logreg-spambase", "spambase.csv", "58", null, null, 60)]
    [InlineData("rf-spambase", "spambase.csv", "58", null, null, 24)]
    [InlineData("gbt-credit-default", "UCI_Credit_Card.csv", "default.payment.next.month", null, "ID", 36)]
    public void Decisions_on_ciphertexts_are_the_models_own(string name, string csv, string target, string? positive, string? dropped, int encrypted)
    {
        (PlainModel model, CsvTable table) = ModelCompilation.Match(
            ModelFile.Read(TestData.Path($"models/tabular/{name}.onnx")), TestData.Path($"inputs/tabular/{csv}"),
            new CsvOptions { Target = target, Drop = dropped is null ? [] : [dropped] });
        // Calibrated on four fifths, compared on the rest as well.
        double[][] calibration = [.. table.Rows.Where((_, r) => r % 5 != 0)], rest = [.. table.Rows.Where((_, r) => r % 5 == 0)];
        using CompiledModel compiled = ModelCompilation.Compile(model, calibration, new CompilationOptions { Name = name });
        ModelAccuracy all = ModelAccuracy.Compare(model, compiled, table.Rows, table.Target, positive);
        ModelAccuracy unseen = ModelAccuracy.Compare(model, compiled, rest, [.. table.Target.Where((_, r) => r % 5 == 0)], positive);
        output.WriteLine($"{name}: {all}\nunseen: {unseen}");
        Assert.InRange(all.Compiled!.Value, all.Plain!.Value - HalfAPoint, 1);
        Assert.InRange(unseen.Compiled!.Value, unseen.Plain!.Value - HalfAPoint, 1);
        AssertEncrypted(compiled, [.. table.Rows.Where((_, r) => r % (table.Rows.Count / encrypted) == 0).Take(encrypted)]);
    }

    [SharedDataFact]
    public void Dermatology_is_decided_where_features_are_absent()
    {
        (double[][] rows, _, int[] labels) = Dermatology.Read();
        PlainModel model = ModelFile.Read(TestData.Path("models/tabular/xgb-dermatology.onnx"));
        using CompiledModel compiled = ModelCompilation.Compile(model, rows, new CompilationOptions { Name = "dermatology" });
        ModelAccuracy all = ModelAccuracy.Compare(model, compiled, rows, [.. labels.Select(label => $"{label}")], null);
        output.WriteLine($"dermatology: {all}");
        Assert.InRange(all.Compiled!.Value, all.Plain!.Value - HalfAPoint, 1);
        AssertEncrypted(compiled, rows[..36]);
    }

    [SharedDataFact]
    public void Categories_of_LightGBM_are_questions_on_ciphertexts()
    {
        double[][] rows = [.. File.ReadLines(TestData.Path("models/tabular/lightgbm_toy_categorical.test")).Select(LibSvm.Row)];
        PlainModel model = ModelFile.Read(TestData.Path("models/tabular/lightgbm_toy_categorical_model.txt"));
        using CompiledModel compiled = ModelCompilation.Compile(model, rows, new CompilationOptions { Name = "toy" });
        ModelAccuracy all = ModelAccuracy.Compare(model, compiled, rows, [], null);
        output.WriteLine($"toy: {all}");
        Assert.InRange(all.LargestDifference, 0, 0.05); // of predictions from -21 to 2
        AssertEncrypted(compiled, rows[..12]);
    }

    [SharedDataTheory]
    [InlineData("SOFTMAX", 3)]
    [InlineData("NONE", 3)] // linear support vector machine, one against the rest
    [InlineData("EXP", 1)] // Poisson, Gamma, Tweedie
    [InlineData("PRIVATE", 1)]
    public void Every_kind_of_linear_model_computes_on_ciphertexts(string kind, int scores)
    {
        CsvTable table = CsvTable.Read(TestData.Path("inputs/tabular/breast_cancer_wisconsin.csv"), new CsvOptions { Target = "diagnosis" });
        int features = table.Columns.Count;
        double[] means = [.. Enumerable.Range(0, features).Select(i => table.Rows.Average(row => row[i]))];
        double[] scales = [.. Enumerable.Range(0, features).Select(i => 1 / Math.Sqrt(table.Rows.Average(row => (row[i] - means[i]) * (row[i] - means[i]))))];
        var onnx = new Handmade(features).Ml("Scaler", ["x"], ["scaled"], Handmade.Floats("offset", means), Handmade.Floats("scale", scales));
        double[] weights = [.. Enumerable.Range(0, scores * features).Select(i => 0.2 * Math.Sin(3 * i + 1))], intercepts = [.. Enumerable.Range(0, scores).Select(k => 0.3 * k)];
        _ = scores == 1
            ? onnx.Ml("LinearRegressor", ["scaled"], ["eta"], Handmade.Floats("coefficients", weights), Handmade.Floats("intercepts", intercepts)).Node("Exp", ["eta"], ["y"]).Output("y", 1)
            : onnx.Ml("LinearClassifier", ["scaled"], ["label", "p"], Handmade.Floats("coefficients", weights), Handmade.Floats("intercepts", intercepts),
                AttributeProto.Of("classlabels_ints", 0L, 1L, 2L), AttributeProto.Of("post_transform", kind)).Output("p", scores);
        PlainModel model = ModelFile.Read(onnx.ToBytes());
        using CompiledModel compiled = ModelCompilation.Compile(model, table.Rows, new CompilationOptions { Name = "made", CircuitPrivacy = kind == "PRIVATE" });
        ModelAccuracy all = ModelAccuracy.Compare(model, compiled, table.Rows, [], null);
        output.WriteLine($"{kind}: {all}");
        Assert.InRange(all.SameClass ?? 1, 1 - HalfAPoint, 1);
        Assert.InRange(all.MeanDifference, 0, 0.01);
        AssertEncrypted(compiled, [.. table.Rows.Take(60)]);
    }

    // What a client decrypts is what the owner computes in the clear, number for number.
    private static void AssertEncrypted(CompiledModel compiled, double[][] rows)
    {
        ModelClient client = ModelClients.Create(compiled.Client);
        using SecretKey key = SecretKey.Generate(client.Parameters);
        using PublicKey? open = compiled.Client.Parameters.CircuitPrivacy ? PublicKey.Of(key) : null;
        using ClientQuery query = client.Encrypt(rows, key, open);
        using EncryptedQuery received = QueryFormat.Read(QueryFormat.Write(query, compiled.Client), compiled.Parameters, compiled.Client);
        using PublicKey? receivedKey = received.PublicKey;
        using EncryptedAnswer answer = compiled.Evaluate(received, AnswerForm.Compact, CancellationToken.None);
        IReadOnlyList<ModelAnswer> answers = client.Decrypt(answer, key);
        for (int r = 0; r < rows.Length; r++)
        {
            ModelAnswer expected = compiled.Predict(rows[r]);
            Assert.Equal(expected.Scores, answers[r].Scores);
            Assert.Equal(expected.Class, answers[r].Class);
        }
    }
}
