using System.Globalization;
using System.Text;
using Cloister.Homomorphic.Import.Tests.Xgboost;
using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import.Tests.Compilation;

public sealed class ModelCompilationTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cloister-test-");

    [Fact]
    public void A_report_says_accuracy_sizes_and_what_clients_learn()
    {
        using CompilationResult made = ModelCompilation.Run(Request());
        CompilationReport report = made.Report;
        Assert.Equal((80, 20), (report.Calibration.Rows, report.HoldOut!.Rows));
        Assert.Equal(1, report.Calibration.SameClass);
        Assert.Equal(report.Calibration.Plain, report.Calibration.Compiled);
        Assert.InRange(report.Calibration.LargestDifference, 0, 0.01);
        Assert.True(report.Cost.QueryBytes > 0 && report.Cost.AnswerBytes > 0 && report.Cost.PublicKeyBytes > 0 && report.Cost.Evaluate > TimeSpan.Zero);
        Assert.Equal(made.Model.Client.Digest, report.Client.Digest);
        string text = CompilationText.Of(report);
        foreach (string learned in report.Client.Learns) Assert.Contains(learned, text, StringComparison.Ordinal);
        Assert.Equal(report.Client.Digest, (string?)CompilationJson.Of(report)["digest"]);
    }

    [Fact]
    public void Progress_only_rises_to_its_end()
    {
        var told = new Told();
        using CompilationResult made = ModelCompilation.Run(Request(), told);
        Assert.Equal(told.Values.Order(), told.Values);
        Assert.Equal(ModelCompilation.Steps, told.Values[^1]);
    }

    [Fact]
    public void Columns_are_matched_by_name_and_otherwise_by_order()
    {
        PlainModel model = ModelFile.Read(Model());
        (PlainModel named, CsvTable byName) = ModelCompilation.Match(model, Table("f1,other,f0"), CsvOptions.Default);
        Assert.Equal(["f0", "f1"], named.Features);
        Assert.Equal([0.0, 0], [byName.Rows[0][0], byName.Rows[0][1]]);
        Assert.Equal(["f0", "f1"], byName.Columns);
        (PlainModel renamed, CsvTable byOrder) = ModelCompilation.Match(model, Table("age,id,size"), new CsvOptions { Drop = ["id"] });
        Assert.Equal(["age", "size"], renamed.Features);
        Assert.Equal(["age", "size"], byOrder.Columns);
        Assert.Equal(ImportError.CellCount, Assert.Throws<ImportException>(() => ModelCompilation.Match(model, Table("a,b,c"), CsvOptions.Default)).Error);
    }

    [Fact]
    public void Targets_that_are_no_classes_are_refused()
    {
        Assert.Equal(ImportError.NotANumber, Refused(Request(answer: row => row % 2 == 0 ? "yes" : "no")));
        Assert.Equal(ImportError.UnknownColumn, Refused(Request(answer: row => row % 2 == 0 ? "yes" : "no") with { Positive = "maybe" }));
        using CompilationResult made = ModelCompilation.Run(Request(answer: row => row % 2 == 0 ? "yes" : "no") with { Positive = "yes" });
        Assert.NotNull(made.Report.Calibration.Plain);
        using CompilationResult spreadsheet = ModelCompilation.Run(Request(answer: row => row % 2 == 0 ? "1.0" : "0.0"));
        Assert.NotNull(spreadsheet.Report.Calibration.Plain);
    }

    [Fact]
    public void A_regression_is_measured_by_the_variance_it_explains()
    {
        string model = Write("regression.json", XgboostJson.Bytes(XgboostJson.Small("reg:squarederror", "0")));
        PlainModel plain = ModelFile.Read(model);
        double[] score = new double[1];
        string Answer(int row)
        {
            plain.Score(Row(row), score);
            return score[0].ToString(CultureInfo.InvariantCulture);
        }
        using CompilationResult made = ModelCompilation.Run(Request(answer: Answer) with { Model = model });
        Assert.Null(made.Report.Calibration.SameClass);
        Assert.Equal(1, made.Report.Calibration.Plain!.Value, 1e-9);
        Assert.Equal(1, made.Report.Calibration.Compiled!.Value, 1e-3);
    }

    [Fact]
    public void Options_for_the_other_kind_of_model_are_refused()
    {
        var linear = new System.Text.Json.Nodes.JsonObject { ["model"] = new System.Text.Json.Nodes.JsonObject { ["weights"] = XgboostJson.List([1, 2, 3.0]) }, ["name"] = "gblinear" };
        System.Text.Json.Nodes.JsonObject json = XgboostJson.Small();
        json["learner"]!["gradient_booster"] = linear;
        string model = Write("linear.json", XgboostJson.Bytes(json));
        CompilationRequest request = Request() with { Model = model };
        Assert.Equal(ImportError.Unsupported, Refused(request with { Options = request.Options with { Levels = 32 } }));
        using CompilationResult made = ModelCompilation.Run(request with { Options = request.Options with { CircuitPrivacy = true } });
        Assert.Equal((ModelDesign.Linear, true), (made.Report.Client.Design, made.Report.Client.Parameters.CircuitPrivacy));
    }

    [Fact]
    public void A_compilation_that_was_called_off_stops()
    {
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        Assert.Throws<OperationCanceledException>(() => ModelCompilation.Run(Request(), cancellation: stopped.Token));
    }

    public void Dispose() => _folder.Delete(true);

    private static ImportError Refused(CompilationRequest request) => Assert.Throws<ImportException>(() => ModelCompilation.Run(request)).Error;

    private static double[] Row(int row) => [row % 10 / 10.0, row % 7 % 4];

    private CompilationRequest Request(Func<int, string>? answer = null) => new()
    {
        Model = Write("model.json", XgboostJson.Bytes(XgboostJson.Small())),
        Table = Table("f0,f1,answer", answer ?? (row => row % 3 == 0 ? "1" : "0")),
        Csv = new CsvOptions { Target = "answer" },
        HeldOutPercent = 20,
        Options = new CompilationOptions { Name = "small" },
    };

    private string Model() => Write("model.json", XgboostJson.Bytes(XgboostJson.Small()));

    private string Table(string header, Func<int, string>? third = null)
    {
        var text = new StringBuilder(header).Append('\n');
        for (int row = 0; row < 100; row++) text.Append(CultureInfo.InvariantCulture, $"{Row(row)[0]},{Row(row)[1]},{third?.Invoke(row) ?? "0"}\n");
        return Write("table.csv", Encoding.UTF8.GetBytes(text.ToString()));
    }

    private string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(_folder.FullName, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private sealed class Told : IProgress<long>
    {
        public List<long> Values { get; } = [];

        public void Report(long value) => Values.Add(value);
    }
}
