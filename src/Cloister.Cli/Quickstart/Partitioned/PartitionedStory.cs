using System.Globalization;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Cli.Quickstart.Attacks;
using Cloister.Cli.Quickstart.Encrypted;
using Cloister.Partitioning.Reports;
using Cloister.Protocol.Manifest;

namespace Cloister.Cli.Quickstart.Partitioned;

/// <summary>
/// The story with a model in parts: the owner measures what a cut gives away before it is sealed, the middle runs on an accelerator that
/// nobody trusts, and what went there is searched. What must be refused is tried at the end.
/// </summary>
internal sealed class PartitionedStory(QuickstartOptions options, Stack stack, Narrator narrator, Screen screen) : Story(options, stack, narrator, screen), IAsyncDisposable
{
    /// <summary>The type whose models do not fit what the manifest demands of them.</summary>
    public const string MisfitMarble = "misfits";

    /// <summary>A model of which every answer of the accelerator is computed again inside.</summary>
    public const string Checked = StoryManifest.Model + "-checked";

    private const int Drawings = 400;
    private const double LeastOutside = 0.01;
    private static readonly string[] s_cuts = ["pool1", "pool2", "pool3", "relu4"];

    private readonly QuickstartOptions _options = options;
    private AssessedCut? _cut;
    private string _assessor = "";
    private AcceleratorTap? _tap;
    private CloisterProcess? _accelerator;

    /// <summary>Whether nothing of the pictures was found where the accelerator is, and the search would have found it.</summary>
    public bool Proven { get; private set; }

    /// <summary>Whether everything that must be refused was.</summary>
    public bool Refused { get; private set; }

    /// <summary>What stands between workload and accelerator.</summary>
    public AcceleratorTap Tap => _tap!;

    /// <summary>A picture that is not the one of the story.</summary>
    public string OtherPicture => Directory.EnumerateFiles(Pictures).Order(StringComparer.Ordinal).First();

    /// <summary>The inference workload.</summary>
    public CloisterProcess Workload => Server!;

    protected override IReadOnlyList<string> ServeOptions => ["--accelerator", "unix:" + TapSocket];

    private Workspace Space => Stack.Workspace;
    private string Pictures => Path.Combine(Space.Owner, "pictures");
    private string Assessment => Path.Combine(Space.Owner, "assessment");
    private string Parts => Path.Combine(Space.Owner, "parts");
    private string TapSocket => Path.Combine(Space.Operator, "tap.sock");
    private string AcceleratorSocket => Path.Combine(Space.Operator, "accelerator.sock");

    /// <summary>Starts the accelerator, or starts it again.</summary>
    public async Task StartAcceleratorAsync(Step step, CancellationToken cancellation)
    {
        string[] run = ["accelerator", "run", "--listen", "unix:" + AcceleratorSocket];
        step.Command(run);
        _accelerator = Stack.Start(Workspace.Program, run);
        JsonObject listening = await _accelerator.WaitForAsync("listening", cancellation);
        step.Say((string)listening["message"]!);
    }

    /// <summary>Ends the accelerator's process at once.</summary>
    public async Task KillAcceleratorAsync() => await _accelerator!.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        if (_tap is not null) await _tap.DisposeAsync();
    }

    protected override async Task PrepareAsync(CancellationToken cancellation)
    {
        await Narrator.StepAsync("model owner", "measures what each cut of the model would give away", step => AssessAsync(step, cancellation));
        await Narrator.StepAsync("model owner", "cuts the model, and has the report of the cut signed", step => CutAsync(step, cancellation));
    }

    protected override async Task<IReadOnlyList<(string Name, string File)>> ModelsAsync(Step step, CancellationToken cancellation)
    {
        await WriteAsync(Configuration(1), ConfigurationText(new JsonObject { ["spotChecks"] = 0.01 }), cancellation);
        // Its deadline is what the story waits for when the accelerator is gone.
        await WriteAsync(Configuration(2), ConfigurationText(new JsonObject { ["spotChecks"] = 1, ["deadlineMilliseconds"] = 4000 }), cancellation);
        return [(StoryManifest.Model, Parts), (Checked, Parts), (Misfits.Demanding, Parts), (Misfits.InOnePiece, Parts), (Misfits.Whole, _options.Model), (Misfits.Unstated, Parts)];
    }

    protected override IEnumerable<string> Content(string name, string file) => file != Parts
        ? base.Content(name, file)
        : ["--partition", Parts, "--labels", _options.Labels!, "--config", Configuration(name == Checked ? 2 : 1)];

    protected override StoryModel Describe(StoryModel model) => model.Name switch
    {
        StoryManifest.Model or Checked => model with { Mode = ModelModes.Partitioned, Partition = Demand(Score) },
        Misfits.Demanding => model with { Marble = MisfitMarble, Mode = ModelModes.Partitioned, Partition = Demand(1) },
        Misfits.InOnePiece => model with { Marble = MisfitMarble, Mode = ModelModes.Enclave },
        Misfits.Whole => model with { Marble = MisfitMarble, Mode = ModelModes.Partitioned, Partition = Demand(Score) },
        _ => model with { Marble = MisfitMarble },
    };

    protected override async Task<CloisterProcess> StartServerAsync(Step step, CancellationToken cancellation)
    {
        await StartAcceleratorAsync(step, cancellation);
        _tap = AcceleratorTap.Start(TapSocket, AcceleratorSocket);
        step.Say("whoever has that machine keeps all that goes to its accelerator and comes from it");
        return await base.StartServerAsync(step, cancellation);
    }

    protected override async Task AskAsync(CancellationToken cancellation)
    {
        await Narrator.StepAsync("client", "verifies everything, sees the mode in the evidence, and sends a picture to nothing else", step => PredictAsync(step, cancellation));
        await Narrator.StepAsync("operator", "looks for the picture in all that its accelerator saw", step => SearchAsync(step, cancellation));
        Refused = await AttackSeries.RunAsync(new PartitionedAttacks(Stack, this, _options).All(), Narrator, cancellation);
    }

    private async Task AssessAsync(Step step, CancellationToken cancellation)
    {
        await SampleDrawings.WriteAsync(Pictures, Drawings, cancellation);
        step.Say($"drew {Drawings} pictures like those that the model was trained on");
        await Stack.RunAsync(step,
            ["model", "assess", _options.Model, "--preprocess", _options.Preprocess!, "--images", Pictures, .. s_cuts.SelectMany(cut => new[] { "--cut", cut }), "--out", Assessment], cancellation);
        AssessmentReport report = AssessmentReport.Read(await LocalFile.ReadAsync(Path.Combine(Assessment, "report.json"), cancellation, AssessmentReport.MaximumBytes));
        // The best of them that leaves anything to the accelerator, whatever it is worth: a story of this mode needs a cut.
        _cut = report.Cuts.Where(cut => cut.MacShareInside < 1 - LeastOutside).MaxBy(ScoreOf)!;
        step.Say(report.Recommendation.Partition
            ? $"the owner follows it, and cuts after {Name(_cut)}"
            : $"THE ASSESSMENT ADVISES AGAINST IT. This example goes on all the same, with the cut after {Name(_cut)}, which {_cut.Words}.");
        if (!report.Recommendation.Partition)
            step.Say(string.Create(CultureInfo.InvariantCulture, $"Whoever has the accelerator can tell many pictures, and {100 * _cut.MacShareInside:0} % of the work stays inside: a network as small as this one gains nothing, and the mode protects little here."));
        if (Screen.Json)
        {
            Screen.Result("", new JsonObject
            {
                ["event"] = "assessed",
                ["partition"] = report.Recommendation.Partition,
                ["cut"] = Name(_cut),
                ["pictures"] = ScoreOf(_cut),
                ["minimum"] = Score,
                ["verdict"] = _cut.Words,
                ["words"] = new JsonArray([.. report.Recommendation.Words.Select(words => (JsonNode)words)]),
            });
        }
    }

    private async Task CutAsync(Step step, CancellationToken cancellation)
    {
        string assessor = Path.Combine(Space.Owner, "assessor");
        _assessor = (string)(await Stack.RunAsync(step, ["model", "keygen", "--out", assessor], cancellation, said: 0))["makerKey"]!;
        await Stack.RunAsync(step,
            ["model", "partition", "--model", _options.Model, "--cut", Name(_cut!), "--assessment", Path.Combine(Assessment, "report.json"), "--assessor", Path.Combine(assessor, "maker.pem"), "--out", Parts], cancellation);
    }

    private async Task PredictAsync(Step step, CancellationToken cancellation)
    {
        await Stack.RunAsync(step,
            ["verify", "--coordinator", Stack.ClientAddress, "--policy", Path.Combine(Space.Client, "policy.json"), "--workload", Stack.WorkloadAddress, "--type", StoryManifest.MarbleType], cancellation);
        JsonObject prediction = await Stack.RunAsync(step, [.. Stack.PredictArguments(Stack.ClientAddress, Stack.WorkloadAddress, _options.Images), "--mode", ModelModes.Partitioned], cancellation);
        if (Screen.Json)
            Screen.Result("", (JsonObject)prediction.DeepClone());
    }

    private async Task SearchAsync(Step step, CancellationToken cancellation)
    {
        var traces = new List<Trace>();
        foreach (string image in _options.Images) traces.AddRange(PictureTraces.OfPicture(Path.GetFileName(image), await LocalFile.ReadAsync(image, cancellation)));
        traces.AddRange(PictureTraces.OfLabels(await File.ReadAllLinesAsync(_options.Labels!, cancellation)));
        Trace[] given = [.. PictureTraces.Pieces("back.onnx", "weights outside", await LocalFile.ReadAsync(Path.Combine(Parts, "back.onnx"), cancellation))];
        byte[] seen = Tap.Seen;
        HashSet<Trace> found = [], control = [];
        new TraceSearch(traces).Scan(seen, found);
        new TraceSearch(given).Scan(seen, control);
        Proven = found.Count == 0 && control.Count == given.Length && given.Length > 0;
        step.Say($"{seen.Length:N0} bytes went there and back: {traces.Count:N0} traces of the picture and of class names looked for, {found.Count:N0} found");
        step.Say($"the search finds what is there: {control.Count:N0} of {given.Length:N0} pieces of the layers outside, which were given away");
        step.Say(string.Create(CultureInfo.InvariantCulture,
            $"what this does NOT say: that those bytes tell nothing of the picture. By the assessment they protect it {ScoreOf(_cut!):0.00} of 1 against the attacks that ran"));
        foreach (IGrouping<string, Trace> form in found.GroupBy(trace => trace.Form)) step.Say($"  {form.Key}: {form.Count()}");
        if (!Screen.Json) return;
        Screen.Result("", new JsonObject
        {
            ["event"] = "searched",
            ["proven"] = Proven,
            ["bytes"] = seen.Length,
            ["traces"] = traces.Count,
            ["found"] = new JsonArray([.. found.Select(trace => (JsonNode)$"{trace.Of}: {trace.Form}")]),
            ["given"] = given.Length,
            ["control"] = control.Count,
        });
    }

    // As the report has it, rounded down to what a person writes.
    private double Score => Math.Floor(100 * ScoreOf(_cut!)) / 100;

    private static double ScoreOf(AssessedCut cut) => cut.Protection.GetValueOrDefault(ProtectionScores.Pictures);

    private static string Name(AssessedCut cut) => string.Join(',', cut.Tensors);

    private JsonObject Demand(double pictures) => new() { ["Assessor"] = _assessor, ["MinimumScores"] = new JsonObject { [PartitionScores.Pictures] = pictures } };

    private string Configuration(int number) => Path.Combine(Space.Owner, $"config-{number}.json");

    private string ConfigurationText(JsonObject partition) => new JsonObject { ["preprocess"] = _options.Preprocess, ["partition"] = partition }.ToJsonString();
}
