using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Cli.Quickstart.Attacks;
using Cloister.Protocol.Manifest;

namespace Cloister.Cli.Quickstart.Partitioned;

/// <summary>What must be refused of a model in parts: by the workload that opens it, and while its accelerator fails or lies.</summary>
internal sealed class PartitionedAttacks(Stack stack, PartitionedStory story, QuickstartOptions options)
{
    private const string LabelOfSample = "star";
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2), s_look = TimeSpan.FromMilliseconds(50);

    private static readonly string[] s_inParts = ["--mode", ModelModes.Partitioned];

    private Dictionary<string, string?>? _misfits;

    public IEnumerable<Attack> All() =>
    [
        new("the report shows less than the manifest demands", cancellation => MisfitAsync(Misfits.Demanding, cancellation)),
        new("a model in parts is put where the manifest says that it runs inside", cancellation => MisfitAsync(Misfits.InOnePiece, cancellation)),
        new("a whole model is put where the manifest says that it runs in parts", cancellation => MisfitAsync(Misfits.Whole, cancellation)),
        new("a model in parts is put where the manifest says nothing", cancellation => MisfitAsync(Misfits.Unstated, cancellation)),
        new("the client does not say that a model in parts is what it wants", cancellation => NothingSentAsync(StoryManifest.Model, cancellation)),
        new("the client asks only models that run inside", cancellation => NothingSentAsync(StoryManifest.Model, cancellation, "--mode", ModelModes.Enclave)),
        new("the client asks for a mode that another type of workload states", cancellation => NothingSentAsync(Misfits.Demanding, cancellation, "--mode", ModelModes.Partitioned)),
        new("the accelerator answers in another shape", cancellation => ChangedAsync(AnswerChange.Shape, StoryManifest.Model, cancellation)),
        new("the accelerator answers with what is no number", cancellation => ChangedAsync(AnswerChange.NotANumber, StoryManifest.Model, cancellation)),
        new("the accelerator answers with its answer to another picture", StaleAsync),
        new("the accelerator is killed, and later started again", KilledAsync),
        new("the accelerator answers with other numbers, and every answer is computed again inside", cancellation => ChangedAsync(AnswerChange.Numbers, PartitionedStory.Checked, cancellation)),
    ];

    // One workload holds all of them, and says of each why it is not opened.
    private async Task<AttackOutcome> MisfitAsync(string model, CancellationToken cancellation)
    {
        _misfits ??= await OpenAsync(cancellation);
        return _misfits[model] is { } reason ? AttackOutcome.RefusedBy("the workload", reason) : AttackOutcome.Accepted("the workload");
    }

    private async Task<Dictionary<string, string?>> OpenAsync(CancellationToken cancellation)
    {
        string[] serve = [.. stack.ServeArguments(stack.Workspace.Store, "uuid-misfits", PartitionedStory.MisfitMarble), "--accelerator", "unix:" + story.Tap.Path];
        await using CloisterProcess process = CloisterProcess.Start(Workspace.ExecutableIn(stack.Workspace.Workload), serve);
        var reasons = new Dictionary<string, string?>(StringComparer.Ordinal);
        while (reasons.Count < stack.Models.Count(model => model.Marble == PartitionedStory.MisfitMarble))
        {
            JsonObject model = await process.WaitForAsync("model", cancellation);
            reasons[(string)model["name"]!] = (string?)model["reason"];
        }
        return reasons;
    }

    // Refused by the workload would be too late: it has the picture then.
    private async Task<AttackOutcome> NothingSentAsync(string model, CancellationToken cancellation, params string[] mode)
    {
        (bool answered, string words) = await AskAsync(model, options.Images[0], mode, cancellation);
        return answered || !words.Contains("Nothing was sent", StringComparison.Ordinal) ? AttackOutcome.Accepted("the client") : AttackOutcome.RefusedBy("the client", words);
    }

    // What lies there to be given again must be of another picture: the same one has the same answer.
    private async Task<AttackOutcome> StaleAsync(CancellationToken cancellation)
    {
        await AskAsync(StoryManifest.Model, story.OtherPicture, s_inParts, cancellation);
        return await ChangedAsync(AnswerChange.Stale, StoryManifest.Model, cancellation);
    }

    private Task<AttackOutcome> ChangedAsync(AnswerChange change, string model, CancellationToken cancellation) => FaultyAsync(model, async () =>
    {
        int changed = story.Tap.Changed;
        story.Tap.Change = change;
        (bool answered, string words) = await AskAsync(model, cancellation);
        story.Tap.Change = AnswerChange.None;
        return story.Tap.Changed > changed ? (answered, words)
            : throw new CommandException(ExitCode.Failure, $"No answer of the accelerator was changed on its way, so nothing was shown: {words}");
    }, cancellation);

    private Task<AttackOutcome> KilledAsync(CancellationToken cancellation) => FaultyAsync(PartitionedStory.Checked, async () =>
    {
        await story.KillAcceleratorAsync();
        (bool answered, string words) = await AskAsync(PartitionedStory.Checked, cancellation);
        await story.StartAcceleratorAsync(new Step(), cancellation);
        return (answered, words);
    }, cancellation);

    // What is shown is that the workload saw the fault, and that nobody got a wrong answer for it: he is refused, or answered rightly all the
    // same, by another try or from inside.
    private async Task<AttackOutcome> FaultyAsync(string model, Func<Task<(bool Answered, string Words)>> askAsync, CancellationToken cancellation)
    {
        int before = Faults().Length;
        (bool answered, string words) = await askAsync();
        if (await FaultAfterAsync(before, cancellation) is not { } fault) return AttackOutcome.Accepted("the workload");
        string client = answered ? "the client was answered rightly all the same" : $"the client was told \"{words}\"; {await AgainAsync(model, cancellation)}";
        return AttackOutcome.RefusedBy("the workload", $"{fault} ({client})");
    }

    // Accelerators that failed are asked again after a while.
    private async Task<string> AgainAsync(string model, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(s_patience);
        for (int tries = 1; ; tries++)
        {
            (bool answered, string words) = await AskAsync(model, patience.Token);
            if (answered) return tries == 1 ? "the next request was answered rightly" : $"request {tries} after it was answered rightly";
            if (patience.IsCancellationRequested) throw new CommandException(ExitCode.Failure, $"The accelerator is back, and the workload does not answer: {words}");
        }
    }

    private async Task<(bool Answered, string Words)> AskAsync(string model, CancellationToken cancellation)
    {
        (bool answered, string words) = await AskAsync(model, options.Images[0], s_inParts, cancellation);
        return !answered || words == LabelOfSample ? (answered, words) : throw new CommandException(ExitCode.Failure, $"A wrong prediction came through: '{words}'.");
    }

    private async Task<(bool Answered, string Words)> AskAsync(string model, string image, string[] mode, CancellationToken cancellation)
    {
        string[] predict = ["predict", .. stack.ClientArguments(model), "--image", image, .. mode];
        await using CloisterProcess process = CloisterProcess.Start(Workspace.ExecutableIn(Workspace.Program), predict);
        (ExitCode code, IReadOnlyList<JsonObject> lines) = await process.ToEndAsync(cancellation);
        return code == ExitCode.Success ? (true, (string)lines[^1]["predictions"]![0]!["top"]![0]!["label"]!) : (false, process.Error ?? $"exit code {(int)code}");
    }

    // The log may be a moment behind the answer.
    private async Task<string?> FaultAfterAsync(int before, CancellationToken cancellation)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < s_patience)
        {
            if (Faults() is { } faults && faults.Length > before) return faults[^1];
            await Task.Delay(s_look, cancellation);
        }
        return null;
    }

    /// <summary>What the workload's log says of accelerators that failed it.</summary>
    private string[] Faults() =>
    [
        .. story.Workload.Transcript.Split('\n')
            .Where(line => line.Contains("trying again in", StringComparison.Ordinal) || line.Contains("it is not asked again", StringComparison.Ordinal))
            .Select(line => Fault((string?)CloisterProcess.Parse(line)["Message"] ?? line)),
    ];

    private string Fault(string line)
    {
        int from = Math.Max(0, line.IndexOf("Accelerator", StringComparison.Ordinal)), to = line.IndexOf("; trying", from, StringComparison.Ordinal);
        return (to < 0 ? line[from..] : line[from..to]).Replace("unix:" + story.Tap.Path, Path.GetFileName(story.Tap.Path), StringComparison.Ordinal);
    }
}
