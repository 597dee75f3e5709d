using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire;
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
