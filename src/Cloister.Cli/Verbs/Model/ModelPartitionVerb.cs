using System.Collections.Immutable;
using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Assessment;
using Cloister.Partitioning.Reports;
using Cloister.Sealing;
using Cloister.Serving.Partitioned;

namespace Cloister.Cli.Verbs;

internal static class ModelPartitionVerb
{
    private const int LargestModel = int.MaxValue;

    /// <summary>Rounding gives 0.001 % in single precision, 0.15 % in half.</summary>
    private const double LargestDifference = 0.01;

    private static readonly Option<string> Model = new("--model") { Description = "The ONNX file, its weights in it.", Required = true };
    private static readonly Option<string> Cut = new("--cut") { Description = "The tensor after which the part outside begins; several: a,b.", Required = true };
    private static readonly Option<string?> Tail = new("--tail") { Description = "The tensor after which the rest runs inside again; several: a,b." };
    private static readonly Option<string[]> Shape = new("--shape") { Description = "The shape of one item of an input, NAME=1,3,224,224, where the model leaves it open. May be repeated." };
    private static readonly Option<string?> Assessment = new("--assessment") { Description = "The report.json of cloister model assess, of exactly this model, cut and tail: its scores are signed." };
    private static readonly Option<string> Assessor = new("--assessor") { Description = "The key that signs what was measured, PEM (from: cloister model keygen).", Required = true };
    private static readonly Option<string> Out = new("--out", "-o") { Description = "Folder for front.onnx, back.onnx, tail.onnx and partition.json.", Required = true };

    public static Command Create() => new Verb("partition", "Cut a model into the part that runs inside and the part that is given away, and sign what was measured of the cut.",
        "cloister model partition --model net.onnx --cut relu_9 --tail pool_2 --assessment assessment/report.json --assessor owner/maker.pem --out parts")
        { Model, Cut, Tail, Shape, Assessment, Assessor, Out }
        .Runs(PartitionAsync);

    private static async Task PartitionAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        string path = parsed.GetRequiredValue(Model), folder = parsed.GetRequiredValue(Out);
        byte[] bytes = await LocalFile.ReadAsync(path, cancellation, LargestModel);
        ModelProto model = OnnxModel.Parse(bytes.AsMemory());
        ImmutableArray<string> cut = CutNames.Parse(parsed.GetRequiredValue(Cut)), tail = parsed.GetValue(Tail) is { } named ? CutNames.Parse(named) : [];
        ModelGraph graph = ModelGraph.Read(model, CutNames.Shapes(parsed.GetValue(Shape)));
        PartitionedModel parts = GraphCutter.Split(graph, cut, tail.IsEmpty ? null : tail);
        PartsComparison comparison = PartsComparison.Run(graph, parts, GraphOptimization.All);
        if (comparison.LargestDifference > LargestDifference)
            throw new CommandException(ExitCode.Failure, $"The parts do not answer like the whole: on one input they differ by {comparison.LargestDifference:0.0 %} of the largest number. Nothing was written; cut elsewhere.");
        (AssessmentReport Report, byte[] Bytes)? assessment = await AssessmentAsync(parsed.GetValue(Assessment), cancellation);
        ImmutableSortedDictionary<string, double> scores = assessment is { } given ? MeasuredScores.Of(given.Report, model, Digest(bytes), cut, tail) : ImmutableSortedDictionary<string, double>.Empty;
        byte[] front = parts.Front.ToBytes(), back = parts.Back.ToBytes();
        byte[]? end = parts.Tail?.ToBytes();
        var report = new PartitionReport
        {
            Version = PartitionReport.CurrentVersion,
            Model = Digest(bytes),
            Front = Digest(front),
            Back = Digest(back),
            Tail = end is null ? null : Digest(end),
            Cut = [.. parts.Front.Graph.Outputs.Select(output => output.Name)],
            TailCut = end is null ? [] : [.. parts.Back.Graph.Outputs.Select(output => output.Name)],
            Protection = scores,
            FitPictures = scores.IsEmpty ? 0 : assessment!.Value.Report.Pictures.Fit,
            TestPictures = scores.IsEmpty ? 0 : assessment!.Value.Report.Pictures.Test,
            Assessment = scores.IsEmpty ? null : Digest(assessment!.Value.Bytes),
            Tool = AssessmentRun.Tool,
            Time = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()),
        };
        using MakerKey assessor = MakerKey.FromPem(await LocalFile.ReadTextAsync(parsed.GetRequiredValue(Assessor), cancellation));
        byte[] signed = SignedPartitionReport.Sign(report.ToBytes(), assessor);
        await LocalFile.WritePrivateAsync(Path.Combine(folder, "front.onnx"), front, cancellation);
        await LocalFile.WriteAsync(Path.Combine(folder, "back.onnx"), back, cancellation);
        string tailPath = Path.Combine(folder, "tail.onnx");
        if (end is not null) await LocalFile.WritePrivateAsync(tailPath, end, cancellation);
        else File.Delete(tailPath);
        await LocalFile.WriteAsync(Path.Combine(folder, SignedPartitionReport.Name), signed, cancellation);
        if (scores.IsEmpty) screen.Warn("nothing was measured of this cut: partition.json has no scores, and a manifest that demands any refuses it. Run: cloister model assess");
        else if (assessment!.Value.Report.Cuts.First(assessed => assessed.Tensors.ToHashSet().SetEquals(cut)) is { Verdict: CutVerdict.Leaks or CutVerdict.LeaksThroughLater } leaking)
            screen.Warn($"this cut {AssessmentText.Plain(leaking.Words)}: whoever runs the part outside sees more than chance gives.");
        if (!scores.IsEmpty && AssessmentRun.TooFew(report.FitPictures, report.TestPictures) is { } few) screen.Warn($"the scores are of little worth: {few} Whoever demands scores reads fitPictures and testPictures beside them.");
        if (!parts.SharedWeights.IsEmpty) screen.Warn($"{parts.SharedWeights.Length} weights are used on both sides, so that whoever runs the part outside knows them inside too.");
        Cut place = graph.Cut(cut);
        screen.Result(
            $"""
            cut '{AssessmentText.Plain(Path.GetFileName(path))}' after {AssessmentText.Plain(string.Join(", ", report.Cut))}{(tail.IsEmpty ? "" : AssessmentText.Plain($", tail after {string.Join(", ", report.TailCut)}"))}
            front.onnx  {front.Length,13:N0} bytes, inside
            back.onnx   {back.Length,13:N0} bytes, outside: given away
            {(end is null ? "" : $"tail.onnx   {end.Length,13:N0} bytes, inside\n")}each item: {place.MacShareBefore:0.0 %} of the computation before the cut, {place.BoundaryBytes:N0} bytes cross
            scores      {(scores.IsEmpty ? "none: not measured" : string.Join(", ", scores.Select(score => $"{score.Key} {score.Value:0.###}")))}
            assessor    {assessor.Public}
            """,
            new JsonObject
            {
                ["folder"] = folder,
                ["front"] = report.Front,
                ["back"] = report.Back,
                ["tail"] = report.Tail,
                ["cut"] = new JsonArray([.. report.Cut.Select(tensor => (JsonNode)tensor)]),
                ["tailCut"] = new JsonArray([.. report.TailCut.Select(tensor => (JsonNode)tensor)]),
                ["protection"] = new JsonObject([.. scores.Select(score => KeyValuePair.Create<string, JsonNode?>(score.Key, score.Value))]),
                ["assessorKey"] = Convert.ToBase64String(assessor.Public.SubjectPublicKeyInfo.Span),
            });
    }

    private static async Task<(AssessmentReport, byte[])?> AssessmentAsync(string? path, CancellationToken cancellation)
    {
        if (path is null) return null;
        byte[] bytes = await LocalFile.ReadAsync(path, cancellation, AssessmentReport.MaximumBytes);
        return (AssessmentReport.Read(bytes), bytes);
    }

    private static string Digest(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
