using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire;
using Cloister.Tests;

namespace Cloister.Homomorphic.Import.Tests.Compilation;

/// <summary>The examples of the room's README, in its order.</summary>
public sealed class ReadmeTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cloister-test-");

    [SharedDataFact]
    public void The_examples_do_what_the_readme_says()
    {
        string At(string name) => Path.Combine(_folder.FullName, name);
        using CompilationResult made = ModelCompilation.Run(new CompilationRequest
        {
            Model = TestData.Path("models/tabular/logreg-breast.onnx"),
            Table = TestData.Path("inputs/tabular/breast_cancer_wisconsin.csv"),
            Csv = new CsvOptions { Target = "diagnosis" },
            Positive = "M",
            HeldOutPercent = 20,
            Options = new CompilationOptions { Name = "wdbc" },
        });
        Assert.Contains("What a client learns", CompilationText.Of(made.Report), StringComparison.Ordinal);
        File.WriteAllBytes(At("model.he"), made.Model.ToBytes());
        File.WriteAllBytes(At("client.json"), ClientSpecificationJson.Write(made.Report.Client));

        ModelClient client = ModelClients.Create(ClientSpecificationJson.Read(File.ReadAllBytes(At("client.json"))));
        using SecretKey key = SecretKey.Generate(client.Parameters);
        double[][] rows = [.. CsvTable.Read(TestData.Path("inputs/tabular/breast_cancer_wisconsin.csv"), new CsvOptions { Target = "diagnosis" }).Rows.Take(68)];
        using ClientQuery query = client.Encrypt(rows, key, publicKey: null);
        byte[] sent = QueryFormat.Write(query, client.Specification);

        using CompiledModel model = CompiledModels.Read(File.ReadAllBytes(At("model.he")));
        using EncryptedQuery received = QueryFormat.Read(sent, model.Parameters, model.Client);
        using EncryptedAnswer computed = model.Evaluate(received, AnswerForm.Compact, CancellationToken.None);
        byte[] returned = AnswerFormat.Write(computed, model.Parameters, model.Client);

        using EncryptedAnswer answer = AnswerFormat.Read(returned, client.Parameters, client.Specification);
        ModelAnswer first = client.Decrypt(answer, key)[0];
        Assert.Equal("1", first.Class); // malignant
        Assert.InRange(first.Values[0], 0.99, 1);

        PlainModel forest = ModelFile.Read(TestData.Path("models/tabular/rf-spambase.onnx"));
        double[] scores = new double[forest.Scores];
        forest.Score(new double[forest.Features.Count], scores);
        Assert.InRange(scores[0], 0, 1);
    }

    public void Dispose() => _folder.Delete(true);
}
