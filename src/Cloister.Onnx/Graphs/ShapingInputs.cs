using System.Collections.Frozen;
using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>
/// Which inputs of an operator say how large its outputs are. Where what they hold depends on what the model is given, a run on zeros
/// measures nothing.
/// </summary>
internal static class ShapingInputs
{
    private static readonly ImmutableArray<int> Every = [0, 1, 2, 3, 4];

    private static readonly FrozenDictionary<string, ImmutableArray<int>> Places = new Dictionary<string, ImmutableArray<int>>
    {
        ["NonZero"] = Every,
        ["Unique"] = Every,
        ["Compress"] = Every,
        ["NonMaxSuppression"] = Every,
        ["StringSplit"] = Every,
        ["Range"] = Every,
        ["ConstantOfShape"] = [0],
        ["BlackmanWindow"] = [0],
        ["HammingWindow"] = [0],
        ["HannWindow"] = [0],
        ["MelWeightMatrix"] = Every,
        ["AffineGrid"] = [1],
        ["CenterCropPad"] = [1],
        ["Col2Im"] = [1, 2],
        ["CropAndResize"] = [3],
        ["DFT"] = [1, 2],
        ["DynamicSlice"] = [1, 2, 3, 4],
        ["Expand"] = [1],
        ["ExpandDims"] = [1],
        ["MaxUnpool"] = [2],
        ["OneHot"] = [1],
        ["Pad"] = [1, 3],
        ["Reshape"] = [1],
        ["Resize"] = [1, 2, 3],
        ["STFT"] = [1, 3],
        ["Slice"] = [1, 2, 3, 4],
        ["Split"] = [1],
        ["Squeeze"] = [1],
        ["Tile"] = [1],
        ["TopK"] = [1],
        ["Unsqueeze"] = [1],
        ["Upsample"] = [1],
    }.ToFrozenDictionary();

    /// <summary>Whether one of the named values says how large the node's outputs are.</summary>
    public static bool IsShapedByAny(NodeProto node, HashSet<string> values)
    {
        if (node.OpType.StartsWith("Reduce", StringComparison.Ordinal))
            return node.Inputs.Length > 1 && values.Contains(node.Inputs[1]);
        return Places.TryGetValue(node.OpType, out ImmutableArray<int> places) && places.Any(place => place < node.Inputs.Length && values.Contains(node.Inputs[place]));
    }
}
