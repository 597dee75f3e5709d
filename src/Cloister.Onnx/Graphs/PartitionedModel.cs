using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>A model in parts, each valid by itself; run one after the other they are the whole. A part's outputs bear the names of the next part's inputs.</summary>
/// <param name="Front">FrontNet: from the model's inputs to the first cut.</param>
/// <param name="Back">BackNet: from the first cut to the second, or to the model's outputs.</param>
/// <param name="Tail">From the second cut to the model's outputs; null where there is none.</param>
public sealed record PartitionedModel(ModelProto Front, ModelProto Back, ModelProto? Tail)
{
    /// <summary>Weights that Back has and Front or Tail has too, in the model's order: whoever runs Back knows them.</summary>
    public ImmutableArray<string> SharedWeights { get; init; } = [];
}
