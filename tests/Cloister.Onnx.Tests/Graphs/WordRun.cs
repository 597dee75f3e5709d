using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Tests.Graphs;

/// <summary>Runs a graph on words: what a node makes is its operator and the words that it reads. Equal words are equal computations.</summary>
internal static class WordRun
{
    private const string Size = "size";

    /// <summary>Demands that the parts, run one after the other, say what the whole says, and that each holds what it needs and no more.</summary>
    public static void DemandWhole(ModelGraph graph, PartitionedModel parts, string where)
    {
        Dictionary<string, string> inputs = graph.Inputs.ToDictionary(input => input.Name, input => input.Name);
        Dictionary<string, string> whole = Run(graph.Model, inputs, where), given = inputs;
        foreach (ModelProto part in new[] { parts.Front, parts.Back, parts.Tail }.OfType<ModelProto>())
        {
            CheckerRules.Demand(part);
            given = Run(part, given, where);
            HashSet<string> read = [.. part.Graph.Nodes.SelectMany(node => node.Inputs)], wanted = [.. part.Graph.Outputs.Select(output => output.Name), .. read];
            Assert.True(part.Graph.Initializers.All(weight => read.Contains(weight.Name)), $"{where}: a weight that nothing reads");
            Assert.True(part.Graph.Nodes.All(node => node.Outputs.Any(name => name.Length > 0 && wanted.Contains(name))), $"{where}: a node that nothing needs");
        }
        Assert.True(graph.Outputs.All(value => whole[value.Name] == given[value.Name]), $"{where}: another computation");
        HashSet<string> outside = [.. parts.Back.Graph.Inputs.Select(input => input.Name)];
        Assert.True(graph.Inputs.All(input => !outside.Contains(input.Name)), $"{where}: an input goes outside");
    }

    private static Dictionary<string, string> Run(ModelProto model, Dictionary<string, string> inputs, string where)
    {
        var words = new Dictionary<string, string>(StringComparer.Ordinal) { [""] = "" };
        foreach (TensorProto weight in model.Graph.Initializers)
            words.Add(weight.Name, weight.Name);
        foreach (ValueInfoProto input in model.Graph.Inputs.Where(input => !words.ContainsKey(input.Name)))
            words.Add(input.Name, inputs[input.Name]);
        // Every value here is of one shape, so that what is computed of shapes and of numbers alone is one word.
        foreach (NodeProto node in model.Graph.Nodes)
        {
            Assert.True(node.Inputs.All(words.ContainsKey), $"{where}: {node.OpType} reads what is not there");
            bool size = node.OpType is "Shape" or "Constant" || node.Inputs.All(name => words[name] == Size);
            string word = size ? Size : $"{node.OpType}({string.Join(',', node.Inputs.Select(name => words[name]))})";
            for (int i = 0; i < node.Outputs.Length; i++)
                if (node.Outputs[i].Length > 0)
                    words.Add(node.Outputs[i], size ? word : $"{word}.{i}");
        }
        return model.Graph.Outputs.ToDictionary(output => output.Name, output => words[output.Name]);
    }
}
