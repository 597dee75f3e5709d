using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Partitioning.Assessment;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Tests.Assessment;

public sealed class AssessmentRunTests : IDisposable
{
    private static readonly string[] Cuts = [TinyNet.First, TinyNet.Second, TinyNet.Pooled];

    private readonly TestFolder _folder = new();

    [Fact]
    public async Task Every_attack_runs_once_at_every_cut_and_what_is_kept_is_not_run_again()
    {
        CountingAttack calibration = new("calibration"), inversion = new("inversion"), heuristic = new("heuristic"), labels = new("labels");
        AssessmentReport first = await RunAsync(Plan(calibration, [inversion, heuristic], labels));
        Assert.Equal(Cuts.Order(StringComparer.Ordinal), inversion.Runs);
        Assert.Equal(inversion.Runs, heuristic.Runs);
        Assert.Single(calibration.Runs);
        Assert.Equal(["logits,pooled,relu1"], labels.Runs);
        Assert.Equal([0, 1, 1, 1], first.Tails.Select(tail => tail.Tensors.Length));
        Assert.True(first.Valid);

        AssessmentReport second = await RunAsync(Plan(calibration, [inversion, heuristic], labels));
        Assert.Equal(3, inversion.Runs.Length);
        Assert.Equal(first.ToBytes(), second.ToBytes());
        Assert.Equal(first.Cuts[0].Findings[0].Pictures[0].Original.ToArray(), second.Cuts[0].Findings[0].Pictures[0].Original.ToArray());
    }

    [Fact]
    public async Task What_is_finished_when_it_is_stopped_is_taken_up_again()
    {
        using var stop = new CancellationTokenSource();
        var inversion = new CountingAttack("inversion") { Running = target => { if (target.Cut!.Tensors[0] == TinyNet.Second) { stop.Cancel(); stop.Token.ThrowIfCancellationRequested(); } } };
        var calibration = new CountingAttack("calibration");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AssessmentRun.RunAsync(Plan(calibration, [inversion]) with { Threads = 1 }, null, stop.Token));
        string[] kept = Directory.GetFiles(_folder["units"], "*.json");
        Assert.Equal(2, kept.Length);
        DateTime[] written = [.. kept.Select(File.GetLastWriteTimeUtc)];

        var again = new CountingAttack("inversion");
        await RunAsync(Plan(calibration, [again]));
        Assert.Equal([TinyNet.Pooled, TinyNet.Second], again.Runs);
        Assert.Single(calibration.Runs);
        Assert.Equal(written, kept.Select(File.GetLastWriteTimeUtc));
    }

    [Fact]
    public async Task A_changed_input_redoes_exactly_what_depends_on_it()
    {
        CountingAttack calibration = new("calibration"), inversion = new("inversion"), heuristic = new("heuristic");
        AssessmentPlan plan = Plan(calibration, [inversion, heuristic]);
        await RunAsync(plan);
        var otherOracle = new CountingAttack("heuristic") { Settings = "another oracle" };
        await RunAsync(plan with { Attacks = new AttackList(calibration, [inversion, otherOracle], null) });
        Assert.Equal((3, 3, 1), (inversion.Runs.Length, otherOracle.Runs.Length, calibration.Runs.Length));

        await RunAsync(plan with { Seed = 2 });
        Assert.Equal((6, 6), (inversion.Runs.Length, heuristic.Runs.Length));
        await RunAsync(plan with { Pictures = TinyNet.Pictures(_folder, seed: 9) });
        Assert.Equal(9, inversion.Runs.Length);
        await RunAsync(plan with { Model = TinyNet.Model(seed: 2) });
        Assert.Equal(12, inversion.Runs.Length);
        await RunAsync(plan with { Cuts = [["conv1"], [TinyNet.First]] });
        Assert.Equal(13, inversion.Runs.Length);
        await RunAsync(plan);
        Assert.Equal(13, inversion.Runs.Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{\"key\":\"00\",\"findings\":[null]}")]
    public async Task A_torn_or_foreign_file_is_done_again(string content)
    {
        CountingAttack calibration = new("calibration"), inversion = new("inversion");
        AssessmentReport first = await RunAsync(Plan(calibration, [inversion]));
        string[] units = Directory.GetFiles(_folder["units"], "inversion-*");
        if (content.Length > 0) File.WriteAllText(units[0], content);
        else File.WriteAllBytes(units[0], File.ReadAllBytes(units[0])[..^9]);
        File.Copy(units[1], units[2], overwrite: true);
        File.WriteAllText(_folder["units/.left.cloister-tmp"], "half");
        AssessmentReport second = await RunAsync(Plan(calibration, [inversion]));
        Assert.Equal(5, inversion.Runs.Length);
        Assert.Equal(first.ToBytes(), second.ToBytes());
        Assert.Empty(Directory.GetFiles(_folder["units"], "*.cloister-tmp"));
    }

    [Fact]
    public async Task A_folder_is_one_runs_at_a_time_and_one_that_is_none_is_named()
    {
        var inside = new CountingAttack("inversion") { Running = _ => Assert.Contains("another assessment", Assert.Throws<IOException>(() => UnitStore.Open(_folder["units"])).Message, StringComparison.Ordinal) };
        Assert.True((await RunAsync(Plan(new CountingAttack("calibration"), [inside]))).Valid);
        UnitStore.Open(_folder["units"]).Dispose();
        File.WriteAllText(_folder["file"], "");
        var refusal = await Assert.ThrowsAsync<IOException>(() => RunAsync(Plan(new CountingAttack("calibration"), [inside]) with { WorkFolder = _folder["file/units"] }));
        Assert.Contains("Name a folder that can be written to", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_number_of_threads_gives_the_same_report()
    {
        AssessmentReport one = await RunAsync(Plan(new CountingAttack("calibration"), [new CountingAttack("inversion"), new CountingAttack("heuristic")]) with { Threads = 1, WorkFolder = _folder["one"] });
        AssessmentReport many = await RunAsync(Plan(new CountingAttack("calibration"), [new CountingAttack("inversion"), new CountingAttack("heuristic")]) with { Threads = 4, WorkFolder = _folder["many"] });
        Assert.Equal(one.ToBytes(), many.ToBytes());
    }

    [Fact]
    public async Task A_refusal_is_a_finding_and_a_failed_calibration_spoils_the_report()
    {
        var inversion = new CountingAttack("inversion") { Running = _ => throw new PartitioningException(PartitioningError.PicturesRefused, "<b>no</b>") };
        AssessmentReport report = await RunAsync(Plan(new CountingAttack("calibration", _ => false), [inversion]));
        Assert.False(report.Valid);
        Assert.False(report.Recommendation.Partition);
        Assert.Contains("invalid", report.Recommendation.Words[0], StringComparison.Ordinal);
        Assert.All(report.Cuts, cut => Assert.Equal(CutVerdict.NotMeasured, cut.Verdict));
        Assert.Equal("<b>no</b> (100 PicturesRefused)", report.Cuts[0].Findings[0].NotRun);
    }

    [Fact]
    public async Task What_the_outside_computes_behind_a_named_cut_is_attacked_too_before_it_is_not_shown_to_leak()
    {
        // Hidden at the named cut, and plain where the part outside has undone the hiding.
        var inversion = new CountingAttack("inversion", target => target.Cut!.Tensors[0] == TinyNet.Second);
        AssessmentPlan plan = Plan(new CountingAttack("calibration"), [inversion]) with { Cuts = [[TinyNet.First]] };
        AssessmentReport report = await RunAsync(plan);
        AssessedCut named = report.Cuts.Single(cut => cut.Tensors.SequenceEqual([TinyNet.First]));
        Assert.Equal(CutVerdict.LeaksThroughLater, named.Verdict);
        Assert.Contains(report.Cuts, cut => cut is { Verdict: CutVerdict.Leaks, Tensors: [TinyNet.Second] });
        Assert.False(report.Recommendation.Partition);
        Assert.Equal(report.ToBytes(), (await RunAsync(plan)).ToBytes());
        Assert.Equal(inversion.Runs.Distinct(), inversion.Runs);
        // A cut that leaks by itself needs no more.
        Assert.Single((await RunAsync(plan with { Cuts = [[TinyNet.Second]] })).Cuts);
    }

    [Fact]
    public async Task Progress_tells_of_every_unit()
    {
        var heard = new List<AssessmentProgress>();
        await AssessmentRun.RunAsync(Plan(new CountingAttack("calibration"), [new CountingAttack("inversion")]) with { Threads = 1 }, new Heard(heard));
        Assert.Equal((4, 4), (heard[^1].UnitsDone, heard[^1].Units));
        Assert.Contains(heard, one => one is { Unit: "inversion at relu1", Share: 0.5 });
    }

    [Fact]
    public async Task Pictures_of_another_size_and_cuts_that_are_none_are_refused()
    {
        AssessmentPlan plan = Plan(new CountingAttack("calibration"), [new CountingAttack("inversion")]);
        await Assert.ThrowsAsync<ArgumentException>(() => AssessmentRun.RunAsync(plan with { Pictures = plan.Pictures with { Size = new(3, 9, 9) } }));
        Assert.Equal(GraphError.NotACut, (await Assert.ThrowsAsync<GraphException>(() => AssessmentRun.RunAsync(plan with { Cuts = [["absent"]] }))).Error);
        Assert.Equal(GraphError.LeaksInput, (await Assert.ThrowsAsync<GraphException>(() => AssessmentRun.RunAsync(plan with { Cuts = [["input"]] }))).Error);
    }

    [Fact]
    public async Task Units_survive_hostile_bytes()
    {
        await RunAsync(Plan(new CountingAttack("calibration"), [new CountingAttack("inversion")]));
        byte[] valid = File.ReadAllBytes(Directory.GetFiles(_folder["units"], "inversion-*")[0]);
        var random = new Random(5);
        for (int i = 0; i < 1_000; i++)
        {
            byte[] bytes = (byte[])valid.Clone();
            bytes[random.Next(bytes.Length)] = (byte)"0\"{}[],:n"[random.Next(9)];
            UnitStore.Fuzz(bytes.AsSpan(0, random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length));
        }
    }

    public void Dispose() => _folder.Dispose();

    private static Task<AssessmentReport> RunAsync(AssessmentPlan plan) => AssessmentRun.RunAsync(plan);

    private AssessmentPlan Plan(IAttack calibration, ImmutableArray<IAttack> atCuts, IAttack? atTails = null) => new()
    {
        Model = TinyNet.Model(),
        Pictures = TinyNet.Pictures(_folder),
        WorkFolder = _folder["units"],
        Cuts = [.. Cuts.Select(cut => ImmutableArray.Create(cut))],
        Threads = 2,
        Clock = new FixedClock(),
        Attacks = new AttackList(calibration, atCuts, atTails),
    };

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 11, 22, 4, 0, 0, TimeSpan.Zero);
    }

    private sealed class Heard(List<AssessmentProgress> heard) : IProgress<AssessmentProgress>
    {
        public void Report(AssessmentProgress value)
        {
            lock (heard) heard.Add(value);
        }
    }
}
