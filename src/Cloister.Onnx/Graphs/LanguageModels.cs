using System.Collections.Frozen;
using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>
/// Recognises language models: tokens go in and are looked up in a table, and then either positions attend to each other or every
/// position has an output of its own. Hidden states of such models give the text back at any depth (docs/partitioning.md), so they are
/// not cut. A text classifier that looks up and averages is not one.
/// </summary>
internal static class LanguageModels
{
    private static readonly FrozenSet<string> Lookups = OperatorNames.Set("Gather OneHot EmbedLayerNormalization QEmbedLayerNormalization");

    private static readonly FrozenSet<string> Attentions = OperatorNames.Set("Attention MultiHeadAttention GroupQueryAttention QAttention");

    /// <summary>Between a softmax and the product with it, nothing mixes positions.</summary>
    private static readonly FrozenSet<string> Carries = OperatorNames.Set(
        "Identity Reshape Transpose Cast Dropout Squeeze Unsqueeze Mul Where QuantizeLinear DequantizeLinear Expand LabelEncoder CategoryMapper StringNormalizer");

    private static readonly FrozenSet<string> Products = OperatorNames.Set("MatMul Einsum FusedMatMul TransposeMatMul");

    public static GraphException Refusal(string reason) => new(
        GraphError.LanguageModel,
        $"The model is a language model: {reason}. Whatever layer it is cut at, the text can be read from what crosses; run it inside as a whole.");

    /// <summary>What gives it away, in a sentence; null if nothing does.</summary>
    /// <param name="structure">The graph.</param>
    /// <param name="shapeOf">Shapes for one item; null where they are not known yet, then only attention is looked for.</param>
    public static string? Recognise(GraphStructure structure, Func<string, ImmutableArray<long>>? shapeOf)
    {
        // Of whatever type: some converters hand tokens in as fractions, or words to be numbered.
        var tokens = structure.Inputs.ToDictionary(input => input.Name, input => input.Name, StringComparer.Ordinal);
        HashSet<string> looked = new(StringComparer.Ordinal), weighed = new(StringComparer.Ordinal);
        string? lookedUp = null;
        foreach (NodeProto node in structure.Model.Graph.Nodes)
        {
            if (Lookups.Contains(node.OpType) && Token(node) is { } token && !(node.OpType == "Gather" && structure.Depends(node.Inputs[0])))
            {
                lookedUp ??= token;
                looked.UnionWith(Made(node));
                continue;
            }
            if (Carries.Contains(node.OpType) && Token(node) is { } moved)
            {
                foreach (string output in Made(node))
                    tokens[output] = moved;
            }
            if (!node.Inputs.Any(looked.Contains))
                continue;
            looked.UnionWith(Made(node));
            if (Attentions.Contains(node.OpType))
                return $"it looks up the tokens of '{lookedUp}' and has attention ({node.OpType} makes '{node.Outputs[0]}')";
            if (node.OpType == "Softmax" || Carries.Contains(node.OpType) && node.Inputs.Any(weighed.Contains))
                weighed.UnionWith(Made(node));
            if (Products.Contains(node.OpType) && node.Inputs.Any(weighed.Contains) && node.Inputs.Count(structure.Depends) >= 2)
                return $"it looks up the tokens of '{lookedUp}' and has attention (a softmax weighs what '{node.Outputs[0]}' adds up)";
        }
        if (lookedUp is null || shapeOf is null)
            return null;
        ImmutableArray<long> sequence = shapeOf(lookedUp);
        ValueInfoProto? each = structure.Model.Graph.Outputs.FirstOrDefault(output =>
            looked.Contains(output.Name) && shapeOf(output.Name) is var shape && shape.Length > sequence.Length && shape.AsSpan().StartsWith(sequence.AsSpan()));
        return each is null ? null : $"it looks up the tokens of '{lookedUp}' and '{each.Name}' has an output for every one of them";

        // An output that is left out has the empty name, as an input that is left out has.
        static IEnumerable<string> Made(NodeProto node) => node.Outputs.Where(output => output.Length > 0);

        string? Token(NodeProto node) => node.Inputs.Where(tokens.ContainsKey).Select(input => tokens[input]).FirstOrDefault();
    }
}
