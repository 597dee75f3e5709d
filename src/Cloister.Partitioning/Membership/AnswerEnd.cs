using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Membership;

/// <summary>Where an answer was before it was made one: softmax hides how sure a network is in the rounding near 1.</summary>
internal static class AnswerEnd
{
    private static readonly string[] Finishing = ["Softmax", "LogSoftmax", "Hardmax", "Sigmoid", "Clip", "ArgMax", "OneHot", "Cast", "TopK", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Identity"];

    /// <summary>The tensor that goes into the last operators, which only give the answer its form.</summary>
    public static string Of(GraphProto graph)
    {
        var makers = new Dictionary<string, NodeProto>(StringComparer.Ordinal);
        foreach (NodeProto node in graph.Nodes)
            foreach (string output in node.Outputs)
                makers[output] = node;
        string end = graph.Outputs[0].Name;
        // Each step goes to an earlier node; a graph with a circle in it never ran.
        for (int step = 0; step < graph.Nodes.Length && makers.TryGetValue(end, out NodeProto? maker) && Finishing.Contains(maker.OpType) && Data(maker) is { Length: > 0 } before; step++)
            end = before;
        return end;
    }

    // The indices are the second input of OneHot's three: its first; depth and values are constants.
    private static string Data(NodeProto node) => node.Inputs.FirstOrDefault("");
}
