using System.Globalization;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Homomorphic.Import;
using Cloister.Homomorphic.Models;

namespace Cloister.Cli.Quickstart.Encrypted;

/// <summary>
/// The story with a model that computes on ciphertexts, and the same model in the clear beside it: first the server answers without seeing
/// a row, and nothing of the rows is found in it; then the same rows come in clear, and the same search finds them.
/// </summary>
internal sealed class EncryptedStory(EncryptedOptions encrypted, QuickstartOptions options, Stack stack, Narrator narrator, Screen screen) : Story(options, stack, narrator, screen)
{
    private const int Shown = 10;

    private string Model => encrypted.Name;
    private string ClearModel => encrypted.Name + "-in-clear";
    private string AccessLog => Path.Combine(Stack.Workspace.Operator, "access.jsonl");
    private string Compiled => Path.Combine(Stack.Workspace.Owner, Model, "model.he");

    /// <summary>Whether the server held nothing of the rows, and the search would have found it.</summary>
    public bool Proven { get; private set; }

    protected override IReadOnlyList<string> ServeOptions => ["--access-log", AccessLog];

    protected override async Task<IReadOnlyList<(string Name, string File)>> ModelsAsync(Step step, CancellationToken cancellation)
    {
        await Stack.RunAsync(step, ["he", "compile", encrypted.Model, .. encrypted.Calibration(), "--name", Model, "--out", Path.GetDirectoryName(Compiled)!], cancellation);
        return [(Model, Compiled), (ClearModel, encrypted.Model)];
    }

    protected override async Task AskAsync(CancellationToken cancellation)
    {
        using CompiledModel model = CompiledModels.Read(await LocalFile.ReadAsync(Compiled, cancellation));
        IReadOnlyList<AskedRow> rows = await encrypted.RowsAsync(model.Client.Features.Count, cancellation);
        Trace[] traces = [.. rows.SelectMany(row => RowTraces.Of(row.Name, row.Values, model.Client.Features).Concat(row.Text is { } text ? RowTraces.OfText(row.Name, text) : []))];
        if (traces.Length == 0)
            throw new CommandException(ExitCode.BadInput, "The rows are nearly all zeros: nothing could be told of whether the server held them.");
        await Narrator.StepAsync("client", "verifies everything, encrypts its rows, asks, and decrypts the answer", step => PredictAsync(step, model.Client, rows, cancellation));
        SearchResult? before = null, after = null;
        var search = new ServerSearch(Server!, AccessLog);
        await Narrator.StepAsync("operator", "looks for the rows in the server's memory and log", step =>
        {
            before = search.Run(traces, cancellation);
            Say(step, before);
            return Task.CompletedTask;
        });
        await Narrator.StepAsync("operator", $"makes sure that the search finds what is there: the same rows go to '{ClearModel}' in clear", async step =>
        {
            if (ServerSearch.FindHere(traces, cancellation) is { } here)
                step.Say($"in this process, which holds all {traces.Length:N0} traces: {here:N0} found");
            after = await new ClearControl(Stack, search).RunAsync(step, ClearModel, rows, traces, cancellation);
            Say(step, after);
        });
        Proven = before!.FoundNothing && (before.MemoryBytes is null || !after!.FoundNothing);
        Screen.Result(Proven
                ? before.MemoryBytes is null
                    ? $"\nThe log held nothing of {rows.Count} encrypted rows. This system does not show a process's memory to its owner, so that was not searched."
                    : $"\nThe server's memory and log held nothing of {rows.Count} encrypted rows, in any of {traces.Length:N0} forms looked for; of the same rows in clear {after!.InMemory.Count:N0} were found."
                : "\nNOT PROVEN: " + (before.FoundNothing ? "the search did not find rows that were there" : "the server held something of the rows"),
            new JsonObject
            {
                ["event"] = "searched",
                ["proven"] = Proven,
                ["traces"] = traces.Length,
                ["memoryBytes"] = before.MemoryBytes,
                ["logBytes"] = before.LogBytes,
                ["encrypted"] = Found(before),
                ["inClear"] = Found(after!),
                ["refusal"] = before.Refusal,
            });
    }

    private async Task PredictAsync(Step step, ClientSpecification client, IReadOnlyList<AskedRow> rows, CancellationToken cancellation)
    {
        PlainModel plain = ModelFile.Read(encrypted.Model);
        IReadOnlyList<DecryptedRow> answers = await new EncryptedRows(Stack).AskAsync(step, Model, [.. client.Features.Select(feature => feature.Name)], rows, cancellation);
        var asked = new JsonArray();
        int same = 0;
        double[] scores = new double[plain.Scores];
        step.Say($"{"",-20} {"decrypted",-22} the same model in the clear");
        for (int i = 0; i < rows.Count; i++)
        {
            plain.Score(rows[i].Values, scores);
            ModelAnswer inClear = ModelAnswer.Of(scores, plain.Link, plain.Classes, plain.Threshold);
            DecryptedRow answer = answers[i], clear = new(inClear.Class, inClear.Values[^1]);
            if (answer.Class == clear.Class) same++;
            if (i < Shown) step.Say($"{rows[i].Name,-20} {Words(answer),-22} {Words(clear)}");
            asked.Add((JsonNode)new JsonObject { ["row"] = rows[i].Name, ["class"] = answer.Class, ["value"] = answer.Value, ["plainClass"] = clear.Class, ["plainValue"] = clear.Value });
        }
        if (rows.Count > Shown) step.Say($"... and {rows.Count - Shown} more");
        step.Say($"{same} of {rows.Count} verdicts are the plaintext model's");
        if (Screen.Json)
            Screen.Result("", new JsonObject { ["event"] = "answers", ["rows"] = rows.Count, ["same"] = same, ["answers"] = asked });
    }

    private static string Words(DecryptedRow answer) => string.Create(CultureInfo.InvariantCulture, $"{answer.Class} {answer.Value:0.0000}").TrimStart();

    private static void Say(Step step, SearchResult result)
    {
        step.Say(result.MemoryBytes is { } bytes
            ? $"memory: {bytes:N0} bytes, {result.Traces:N0} traces looked for, {result.InMemory.Count:N0} found"
            : $"memory: not searched, {result.Refusal}");
        step.Say($"log: {result.LogBytes:N0} bytes, {result.InLog.Count:N0} traces found");
        foreach (IGrouping<string, Trace> form in result.InMemory.Concat(result.InLog).GroupBy(trace => trace.Form).Take(Shown))
            step.Say($"  {string.Join(", ", form.Select(trace => trace.Of).Distinct().Take(4))}: {form.Key}");
    }

    private static JsonArray Found(SearchResult result) => new([.. result.InMemory.Concat(result.InLog).Distinct().Select(trace => (JsonNode)$"{trace.Of}: {trace.Form}")]);
}
