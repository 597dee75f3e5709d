using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;

namespace Cloister.Cli.Verbs;

internal static class ModelCutsVerb
{
    private const int LargestModel = int.MaxValue;

    private static readonly Argument<string> Model = new("model") { Description = "The ONNX file, its weights in it." };
    private static readonly Option<int> MaxTensors = new("--max-tensors") { Description = "Also show cuts where up to so many tensors cross.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string[]> Shape = new("--shape") { Description = "The shape of one item of an input, NAME=1,3,224,224, where the model leaves it open. May be repeated." };

    public static Command Create() => new Verb("cuts", "Show where a model can be cut in two, and what each part would have.",
        "cloister model cuts squeezenet.onnx",
        "cloister model cuts text.onnx --shape token_ids=1,128 --max-tensors 2")
        { Model, MaxTensors, Shape }
        .Runs(async (parsed, screen, cancellation) =>
        {
            int most = parsed.GetValue(MaxTensors);
            if (most < 1) throw new CommandException(ExitCode.Usage, "--max-tensors is 1 or more.");
            Dictionary<string, long[]>? shapes = CutNames.Shapes(parsed.GetValue(Shape));
            byte[] file = await LocalFile.ReadAsync(parsed.GetRequiredValue(Model), cancellation, LargestModel);
            ModelGraph graph = Read(file, shapes);
            ImmutableArray<Cut> cuts = CutFinder.Find(graph, most);
            screen.Result(Text(graph, cuts), new JsonObject
            {
                ["nodes"] = graph.Nodes.Length,
                ["macs"] = graph.Macs,
                ["weightBytes"] = graph.WeightBytes,
                ["cuts"] = new JsonArray([.. cuts.Select(cut => (JsonNode)Json(graph, cut))]),
            });
        });

    private static ModelGraph Read(byte[] file, Dictionary<string, long[]>? shapes)
    {
        try
        {
            return ModelGraph.Read(OnnxModel.Parse(file.AsMemory()), shapes);
        }
        catch (ArgumentException shape)
        {
            throw new CommandException(ExitCode.Usage, $"--shape does not fit: {shape.Message}", shape);
        }
    }

    private static string Text(ModelGraph graph, ImmutableArray<Cut> cuts)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{graph.Nodes.Length} nodes, {graph.Macs / 1e6:N1} million multiply-accumulates, {Size(graph.WeightBytes)} of weights, {cuts.Length} cuts");
        if (cuts.IsEmpty) return text.AppendLine().Append("nowhere do so few tensors cross; try a larger --max-tensors").ToString();

        (string Name, string Shape)[] names = [.. cuts.Select(cut => (string.Join(',', cut.Tensors), string.Join(' ', cut.Shapes.Select(shape => string.Join('x', shape)))))];
        int name = Math.Max("cut after".Length, names.Max(one => one.Name.Length)), shape = Math.Max("shape".Length, names.Max(one => one.Shape.Length));
        text.AppendLine().AppendLine();
        text.Append(CultureInfo.InvariantCulture, $"{"cut after".PadRight(name)}  {"shape".PadRight(shape)}  compute before  weights before     after  crosses");
        foreach ((Cut cut, (string Name, string Shape) words) in cuts.Zip(names))
            text.AppendLine().Append(CultureInfo.InvariantCulture, $"{words.Name.PadRight(name)}  {words.Shape.PadRight(shape)}  {cut.MacShareBefore,14:0.0 %}  {Size(cut.WeightBytesBefore),14}  {Size(cut.WeightBytesAfter),8}  {Size(cut.BoundaryBytes),7}");
        if (cuts.Any(cut => !cut.KeepsBits))
            text.AppendLine().AppendLine().Append("Half precision crosses, or parts fold operators that the whole cannot: they agree with the whole within rounding, not in every bit.");
        return text.AppendLine().AppendLine().Append("What crosses may show the input at any of these: cloister model assess measures it.").ToString();
    }

    private static JsonObject Json(ModelGraph graph, Cut cut) => new JsonObject
    {
        ["tensors"] = new JsonArray([.. cut.Tensors.Zip(cut.Shapes, (tensor, shape) => (JsonNode)new JsonObject
        {
            ["name"] = tensor,
            ["type"] = graph.Values[tensor].Type.ToString(),
            ["shape"] = new JsonArray([.. shape.Select(size => (JsonNode)size)]),
        })]),
        ["nodesBefore"] = cut.NodesBefore,
        ["macsBefore"] = cut.MacsBefore,
        ["macShareBefore"] = cut.MacShareBefore,
        ["weightBytesBefore"] = cut.WeightBytesBefore,
        ["weightBytesAfter"] = cut.WeightBytesAfter,
        ["boundaryBytes"] = cut.BoundaryBytes,
        ["keepsBits"] = cut.KeepsBits,
    };

    private static string Size(long bytes) => bytes < 10_000
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes} B")
        : bytes < 10_000_000 ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0} kB") : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB");
}
