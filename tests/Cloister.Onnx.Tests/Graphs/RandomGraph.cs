using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;

namespace Cloister.Onnx.Tests.Graphs;

/// <summary>
/// Small graphs drawn from a seed, of every odd build that a file may have: several inputs and outputs, inputs and outputs left out,
/// outputs that are read on, nodes that nothing needs, weights that are listed as inputs, constants, shapes. Values are measured by hand,
/// as [items, 2] each, so that thousands of them need no engine.
/// </summary>
internal static class RandomGraph
{
    public static ModelGraph Draw(int seed)
    {
        ModelProto model = Model(new Random(seed));
        return ModelGraph.Of(GraphStructure.Read(model), Measured(model));
    }

    private static ModelProto Model(Random random)
    {
        string[] inputs = [.. Enumerable.Range(0, random.Next(4) == 0 ? 2 : 1).Select(i => $"x{i}")];
        string[] weights = [.. Enumerable.Range(0, 3).Select(i => $"w{i}")];
        var values = new List<string>(inputs);
        var sizes = new List<string>();
        var constants = new List<string>(weights);
        var nodes = new List<NodeProto>();
        int count = random.Next(2, 11);
        for (int i = 0; i < count; i++)
        {
            string[] outputs = random.Next(5) switch
            {
                0 => [$"v{i}", ""],
                1 => ["", $"v{i}"],
                2 => [$"v{i}", $"u{i}"],
                _ => [$"v{i}"],
            };
            switch (random.Next(10))
            {
                case 0:
                    nodes.Add(Node("Sigmoid", [Any(random, constants)], [$"c{i}"]));
                    constants.Add($"c{i}");
                    continue;
                case 1:
                    nodes.Add(Node("Shape", [Any(random, values)], [$"s{i}"]));
                    sizes.Add($"s{i}");
                    continue;
            }
            var read = new List<string> { Near(random, values) };
            while (random.Next(3) == 0)
                read.Add(random.Next(5) switch { 0 => "", 1 => Any(random, constants), 2 when sizes.Count > 0 => Any(random, sizes), _ => Near(random, values) });
            // An operator that shows nothing of its inputs.
            nodes.Add(Node("Einsum", [.. read], outputs));
            values.AddRange(outputs.Where(output => output.Length > 0));
        }
        string[] made = [.. values.Skip(inputs.Length)];
        if (made.Length == 0)
        {
            nodes.Add(Node("Einsum", ["x0"], ["y"]));
            made = ["y"];
        }
        HashSet<string> given = [made[^1]];
        while (random.Next(4) == 0)
            given.Add(random.Next(4) == 0 && constants.Count > weights.Length ? constants[^1] : Any(random, made));
        ValueInfoProto[] listed = [.. inputs.Concat(random.Next(3) == 0 ? weights : []).Select(name => Graph.Input(name, "N", 2))];
        return Graph.Of(listed, [.. given], [.. nodes]).With([.. weights.Select(name => TensorProto.Of(name, [1], [1f]))]);
    }

    private static MeasuredValues Measured(ModelProto model)
    {
        var measured = new Dictionary<string, MeasuredValue>();
        foreach (ValueInfoProto input in model.Graph.Inputs)
            measured[input.Name] = new(TensorElementType.Float, [1, 2], [2, 2]);
        foreach (NodeProto node in model.Graph.Nodes)
            foreach (string output in node.Outputs)
                measured[output] = node.OpType == "Shape" ? new(TensorElementType.Int64, [2], [2]) : new(TensorElementType.Float, [1, 2], [2, 2]);
        foreach (TensorProto weight in model.Graph.Initializers)
            measured[weight.Name] = new(TensorElementType.Float, [1], [1]);
        return new MeasuredValues(measured, "N");
    }

    private static NodeProto Node(string type, string[] inputs, string[] outputs) => new() { OpType = type, Inputs = [.. inputs], Outputs = [.. outputs] };

    private static string Any(Random random, IReadOnlyList<string> names) => names[random.Next(names.Count)];

    private static string Near(Random random, List<string> values) => values[random.Next(2) == 0 ? random.Next(values.Count) : values.Count - 1];
}
