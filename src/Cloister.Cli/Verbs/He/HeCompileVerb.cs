using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Homomorphic.Import;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Ring;

namespace Cloister.Cli.Verbs;

internal static class HeCompileVerb
{
    private static readonly Argument<string> Model = new("model") { Description = "ONNX or ONNX-ML, XGBoost's JSON or UBJSON, or LightGBM's text." };
    private static readonly Option<string> Calibrate = new("--calibrate") { Description = "A CSV table with rows like those that will be asked.", Required = true };
    private static readonly Option<string?> Target = new("--target") { Description = "The table's column with what is to be predicted: accuracy is computed by it." };
    private static readonly Option<string?> Positive = new("--positive") { Description = "Of two classes, what the target says for the second." };
    private static readonly Option<string[]> Drop = new("--drop") { Description = "Columns of the table that the model was not trained on.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<int> HoldOut = new("--hold-out") { Description = "Percent of the rows, 1 to 50, that are compared and not calibrated on.", DefaultValueFactory = _ => 0 };
    private static readonly Option<string?> Name = new("--name") { Description = "The model's name; the file's, if not said." };
    private static readonly Option<int?> Levels = new("--levels") { Description = "Forests: levels of a feature, 16 to 256, a power of two; the fewest that agree with the model, if not said." };
    private static readonly Option<bool> CircuitPrivacy = new("--circuit-privacy") { Description = "Linear models: hide the weights from whoever sees a single answer. Forests always do." };
    private static readonly Option<bool> Exact = new("--exact-thresholds") { Description = "Forests: cut levels at the model's thresholds, which are then public." };
    private static readonly Option<int> Security = new("--security") { Description = "128, 192 or 256 bits.", DefaultValueFactory = _ => 128 };
    private static readonly Option<bool> Measure = new("--measure") { Description = "Ask several encrypted queries and print median times." };
    private static readonly Option<string> Out = new("--out", "-o") { Description = "Folder for model.he (secret as the model is) and client.json (public).", Required = true };

    public static Command Create() => new Verb("compile", "Turn a trained model into one that computes on encrypted rows.",
        "cloister he compile rf.onnx --calibrate spambase.csv --target 58 --name spam -o spam",
        "cloister he compile logreg.onnx --calibrate wdbc.csv --target diagnosis --positive M --hold-out 20 --measure -o wdbc")
        { Model, Calibrate, Target, Positive, Drop, HoldOut, Name, Levels, CircuitPrivacy, Exact, Security, Measure, Out }
        .Runs(CompileAsync);

    private static async Task CompileAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        string path = parsed.GetRequiredValue(Model), folder = parsed.GetRequiredValue(Out);
        CompilationRequest request = Request(parsed, path);
        using CompilationResult compilation = await screen.ProgressAsync("compiling", ModelCompilation.Steps, progress => Task.Run(() => ModelCompilation.Run(request, progress, cancellation), cancellation));
        byte[] model = compilation.Model.ToBytes(), client = ClientSpecificationJson.Write(compilation.Report.Client);
        await LocalFile.WritePrivateAsync(Path.Combine(folder, "model.he"), model, cancellation);
        await LocalFile.WriteAsync(Path.Combine(folder, "client.json"), client, cancellation);
        JsonObject document = CompilationJson.Of(compilation.Report);
        document["folder"] = folder;
        screen.Result(
            $"""
            compiled '{request.Options.Name}' to '{folder}': model.he, {model.Length:N0} bytes, for the server alone, and client.json, {client.Length:N0} bytes, for every client
            digest {compilation.Report.Client.Digest}
            {CompilationText.Of(compilation.Report)}
            """, document);
    }

    private static CompilationRequest Request(ParseResult parsed, string path)
    {
        int? levels = parsed.GetValue(Levels);
        if (levels is { } given && (given is < 16 or > 256 || !int.IsPow2(given))) throw new CommandException(ExitCode.Usage, $"--levels is 16, 32, 64, 128 or 256, not {given}.");
        int heldOut = parsed.GetValue(HoldOut);
        if (heldOut is < 0 or > 50) throw new CommandException(ExitCode.Usage, $"--hold-out is 1 to 50 percent, not {heldOut}.");
        var level = (SecurityLevel)parsed.GetValue(Security);
        if (!Enum.IsDefined(level)) throw new CommandException(ExitCode.Usage, $"--security is 128, 192 or 256, not {(int)level}.");
        return new CompilationRequest
        {
            Model = path,
            Table = parsed.GetRequiredValue(Calibrate),
            Csv = new CsvOptions { Target = parsed.GetValue(Target), Drop = parsed.GetValue(Drop) ?? [] },
            Positive = parsed.GetValue(Positive),
            HeldOutPercent = heldOut,
            Measure = parsed.GetValue(Measure),
            Options = new CompilationOptions
            {
                Name = parsed.GetValue(Name) ?? Path.GetFileNameWithoutExtension(path),
                Levels = levels,
                CircuitPrivacy = parsed.GetValue(CircuitPrivacy),
                ExactThresholds = parsed.GetValue(Exact),
                Level = level,
            },
        };
    }
}
