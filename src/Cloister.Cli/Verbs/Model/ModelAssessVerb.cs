using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Assessment;
using Cloister.Partitioning.Inversion;
using Cloister.Partitioning.Membership;
using Cloister.Partitioning.Pictures;
using Cloister.Partitioning.Reports;

namespace Cloister.Cli.Verbs;

internal static class ModelAssessVerb
{
    private const int LargestModel = int.MaxValue;

    private static readonly Argument<string> Model = new("model") { Description = "The ONNX file, its weights in it." };
    private static readonly Option<string[]> Images = new("--images") { Description = "Pictures like those that will be asked: folders, PNG, JPEG or PPM files, CIFAR-10's .bin files.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string[]> Members = new("--members") { Description = "Pictures that the model was trained on, none of them among --images: adds whether they can be told, by answers and by the part outside.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string?> Preprocess = new("--preprocess") { Description = "How a picture becomes the model's input: " + string.Join(", ", Preprocessing.Names) + "." };
    private static readonly Option<string?> Size = new("--size") { Description = "HEIGHTxWIDTH, where the model leaves it open." };
    private static readonly Option<string?> Oracle = new("--oracle") { Description = "Another classifier: adds the heuristic of the literature, which asks it for its opinion." };
    private static readonly Option<string?> OraclePreprocess = new("--oracle-preprocess") { Description = "How a picture becomes its input; as for the model, if not said." };
    private static readonly Option<string[]> Public = new("--public") { Description = "Public models of the same task: adds what they tell of the order of classes and of the weights outside." };
    private static readonly Option<string[]> PublicPreprocess = new("--public-preprocess") { Description = "How a picture becomes their input, one for each; as for the model, if not said." };
    private static readonly Option<string[]> PublicLabels = new("--public-labels") { Description = "Names of their classes, a file with one a line for each." };
    private static readonly Option<string?> Labels = new("--labels") { Description = "Names of the model's classes, one a line: what the label attack is judged by." };
    private static readonly Option<string[]> Cut = new("--cut") { Description = "Cut after this tensor (several: a,b). May be repeated; cuts are chosen, if none is named." };
    private static readonly Option<string[]> Tail = new("--tail") { Description = "Where a tail may begin that runs inside: changes what is found of classes, weights and members. May be repeated; the last places are tried, if none is named." };
    private static readonly Option<int> Cuts = new("--cuts") { Description = "How many cuts are chosen.", DefaultValueFactory = _ => 12 };
    private static readonly Option<int> Fit = new("--fit") { Description = "Pictures that the attacker learns from: 20 at least, 300 to recommend a cut.", DefaultValueFactory = _ => 300 };
    private static readonly Option<int> Test = new("--test") { Description = "Pictures that are attacked: 10 at least, 60 to recommend a cut.", DefaultValueFactory = _ => 60 };
    private static readonly Option<bool> WhiteBox = new("--white-box") { Description = "Seek pictures by gradient descent too: minutes a cut." };
    private static readonly Option<string?> Tokens = new("--tokens") { Description = "The model reads texts. A file of them, one a line as token ids with spaces between; drawn, if none is named.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<int> Threads = new("--threads") { Description = "Threads that compute.", DefaultValueFactory = _ => Environment.ProcessorCount };
    private static readonly Option<int> Seed = new("--seed") { Description = "What chance is drawn from.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string> Out = new("--out", "-o") { Description = "Folder for report.json, report.html and units/, from which a stopped run goes on.", Required = true };

    public static Command Create() => new Verb("assess", "Measure what a model in parts would give away, cut by cut, before it is partitioned.",
        "cloister model assess resnet20.onnx --images photos/ --preprocess imagenet --out assessment",
        "cloister model assess net.onnx --images photos/ --preprocess imagenet --oracle other.onnx --oracle-preprocess unit --public public.onnx --white-box --out assessment",
        "cloister model assess net.onnx --images new/ --members trained-on/ --preprocess imagenet --out assessment",
        "cloister model assess reviews.onnx --tokens texts.txt --out assessment",
        "cloister model assess net.onnx --images cifar10_test.bin --preprocess imagenet --cut relu_5 --cut relu_9 --fit 100 --test 40 --out assessment")
    {
        Model, Images, Members, Preprocess, Size, Oracle, OraclePreprocess, Public, PublicPreprocess, PublicLabels, Labels, Cut, Tail, Cuts, Fit, Test, WhiteBox, Tokens, Threads, Seed, Out,
    }.Runs(AssessAsync);

    private static async Task<ExitCode> AssessAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        string folder = parsed.GetRequiredValue(Out);
        AssessmentPlan plan = await PlanAsync(parsed, screen, cancellation);
        var bars = new AssessmentBars(screen);
        AssessmentReport report = await bars.ShowAsync(() => AssessmentRun.RunAsync(plan, bars, cancellation));
        byte[] json = report.ToBytes();
        string page = Path.Combine(folder, "report.html");
        await LocalFile.WriteAsync(Path.Combine(folder, "report.json"), json, cancellation);
        await LocalFile.WriteAsync(page, AssessmentPage.Write(report), cancellation);
        JsonNode document = JsonNode.Parse(json)!;
        screen.Result(
            $"""
            {AssessmentText.Plain(string.Join('\n', report.Recommendation.Words))}

            {AssessmentText.Of(report)}
            {string.Join('\n', report.Notices)}

            wrote report.json and report.html to '{folder}': the page has the curves, and what was rebuilt beside the originals
            """,
            new JsonObject
            {
                ["folder"] = folder,
                ["valid"] = report.Valid,
                ["recommendation"] = document["recommendation"]!.DeepClone(),
                ["cuts"] = new JsonArray([.. report.Cuts.Select(Summary)]),
            });
        return report.Valid ? ExitCode.Success : ExitCode.Failure;
    }

    private static JsonNode Summary(AssessedCut cut) => new JsonObject
    {
        ["tensors"] = new JsonArray([.. cut.Tensors.Select(tensor => (JsonNode)tensor)]),
        ["macShareInside"] = cut.MacShareInside,
        ["boundaryBytes"] = cut.BoundaryBytes,
        ["verdict"] = cut.Verdict.ToString(),
        ["protection"] = new JsonObject([.. cut.Protection.Select(score => KeyValuePair.Create<string, JsonNode?>(score.Key, score.Value))]),
    };

    private static async Task<AssessmentPlan> PlanAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        Demand(parsed);
        if (parsed.GetResult(Tokens) is not null) return await TextPlanAsync(parsed, cancellation);
        string preprocess = parsed.GetValue(Preprocess) ?? throw new CommandException(ExitCode.Usage, "--preprocess is missing: " + string.Join(", ", Preprocessing.Names) + ".");
        AssessedModel model = await ModelAsync(parsed.GetRequiredValue(Model), preprocess, SizeOf(parsed.GetValue(Size)), cancellation);
        AssessedModel? oracle = parsed.GetValue(Oracle) is { } path ? await ModelAsync(path, parsed.GetValue(OraclePreprocess) ?? preprocess, null, cancellation) : null;
        var publicModels = ImmutableArray.CreateBuilder<PublicModelFile>();
        string[] files = parsed.GetValue(Public) ?? [], ways = parsed.GetValue(PublicPreprocess) ?? [], names = parsed.GetValue(PublicLabels) ?? [];
        for (int i = 0; i < files.Length; i++)
            publicModels.Add(new PublicModelFile(await ModelAsync(files[i], i < ways.Length ? ways[i] : preprocess, null, cancellation), i < names.Length ? await NamesAsync(names[i], cancellation) : []));
        var request = new PictureRequest
        {
            Paths = parsed.GetValue(Images) is { Length: > 0 } images ? images : throw new CommandException(ExitCode.Usage, "--images is missing: a folder of pictures like those that will be asked."),
            Size = model.Size,
            Preprocessing = model.Preprocessing,
            Fit = parsed.GetValue(Fit),
            Test = parsed.GetValue(Test),
            Seed = parsed.GetValue(Seed),
        };
        PictureSet pictures = await PicturesAsync(request, "reading pictures", screen, cancellation);
        PictureSet? members = parsed.GetValue(Members) is { Length: > 0 } trained
            ? await PicturesAsync(request with { Paths = trained, Least = MembershipSettings.MinimumPictures }, "reading members", screen, cancellation)
            : null;
        return new AssessmentPlan
        {
            Model = model,
            Pictures = pictures,
            Members = members,
            WorkFolder = Path.Combine(parsed.GetRequiredValue(Out), "units"),
            Cuts = CutNames.Parse(parsed.GetValue(Cut)),
            Tails = CutNames.Parse(parsed.GetValue(Tail)),
            CutCount = parsed.GetValue(Cuts),
            Oracle = oracle,
            PublicModels = publicModels.ToImmutable(),
            Labels = parsed.GetValue(Labels) is { } labels ? await NamesAsync(labels, cancellation) : [],
            WhiteBox = parsed.GetValue(WhiteBox),
            Threads = parsed.GetValue(Threads),
            Seed = parsed.GetValue(Seed),
        };
    }

    private static async Task<PictureSet> PicturesAsync(PictureRequest request, string what, Screen screen, CancellationToken cancellation)
    {
        PictureSet pictures = await screen.ProgressAsync(what, request.Fit + request.Test, progress => Task.Run(() => PictureSource.Read(request, new Count(progress), cancellation), cancellation));
        if (pictures.SkippedCount > 0) screen.Note($"{pictures.SkippedCount} files are no pictures that are read, such as {pictures.Skipped[0]}");
        return pictures;
    }

    private static async Task<AssessmentPlan> TextPlanAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetValue(Preprocess) is not null || parsed.GetValue(Images) is { Length: > 0 } || parsed.GetValue(Members) is { Length: > 0 }) throw new CommandException(ExitCode.Usage, "--tokens is for models of texts: --images, --members and --preprocess do not go with it.");
        string path = parsed.GetRequiredValue(Model);
        int[][]? texts = parsed.GetValue(Tokens) is { } file ? await TokenFile.ReadAsync(file, cancellation) : null;
        return new AssessmentPlan
        {
            Model = AssessedModel.ReadTexts(Path.GetFileName(path), await LocalFile.ReadAsync(path, cancellation, LargestModel), texts?[0].Length ?? 12),
            Pictures = PictureSet.OfTexts(texts),
            Texts = texts,
            WorkFolder = Path.Combine(parsed.GetRequiredValue(Out), "units"),
            Cuts = CutNames.Parse(parsed.GetValue(Cut)),
            CutCount = parsed.GetValue(Cuts),
            Threads = parsed.GetValue(Threads),
            Seed = parsed.GetValue(Seed),
        };
    }

    private static void Demand(ParseResult parsed)
    {
        if (parsed.GetValue(Cuts) is < 1 or > 1000) throw new CommandException(ExitCode.Usage, "--cuts is 1 to 1000.");
        if (parsed.GetValue(Fit) < InversionSettings.MinimumFitPictures || parsed.GetValue(Test) < InversionSettings.MinimumTestPictures)
            throw new CommandException(ExitCode.Usage, $"--fit is {InversionSettings.MinimumFitPictures} or more, --test {InversionSettings.MinimumTestPictures} or more: fewer can neither be learned from nor judged by. {AssessmentRun.LeastFit} and {AssessmentRun.LeastTest} are the least by which a cut is recommended.");
        if (parsed.GetValue(Threads) < 1) throw new CommandException(ExitCode.Usage, "--threads is 1 or more.");
        int models = parsed.GetValue(Public)?.Length ?? 0;
        if ((parsed.GetValue(PublicPreprocess)?.Length ?? 0) > models || (parsed.GetValue(PublicLabels)?.Length ?? 0) > models)
            throw new CommandException(ExitCode.Usage, "--public-preprocess and --public-labels go with a --public each, in the same order.");
        if (parsed.GetValue(OraclePreprocess) is not null && parsed.GetValue(Oracle) is null) throw new CommandException(ExitCode.Usage, "--oracle-preprocess goes with --oracle.");
    }

    private static async Task<AssessedModel> ModelAsync(string path, string preprocess, (int, int)? size, CancellationToken cancellation) =>
        AssessedModel.Read(Path.GetFileName(path), await LocalFile.ReadAsync(path, cancellation, LargestModel), Preprocessing.Parse(preprocess), size);

    private static async Task<ImmutableArray<string>> NamesAsync(string path, CancellationToken cancellation) =>
        [.. (await LocalFile.ReadTextAsync(path, cancellation)).ReplaceLineEndings("\n").TrimEnd('\n').Split('\n')];

    private static (int, int)? SizeOf(string? text)
    {
        if (text is null) return null;
        return text.Split('x') is [var height, var width] && int.TryParse(height, NumberStyles.None, CultureInfo.InvariantCulture, out int rows) && int.TryParse(width, NumberStyles.None, CultureInfo.InvariantCulture, out int columns)
            ? (rows, columns)
            : throw new CommandException(ExitCode.Usage, $"--size is HEIGHTxWIDTH, such as 224x224, not '{text}'.");
    }

    private sealed class Count(IProgress<long> progress) : IProgress<int>
    {
        public void Report(int value) => progress.Report(value);
    }
}
