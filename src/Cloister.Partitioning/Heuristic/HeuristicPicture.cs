namespace Cloister.Partitioning.Heuristic;

/// <summary>What the paper's method says of one picture at one cut.</summary>
/// <param name="Name">The picture's name.</param>
/// <param name="Delta">
/// delta: the least divergence of the second classifier's answers to the feature maps from its answer to the picture, over the divergence
/// of a uniform guess. The paper calls 1 and more safe.
/// </param>
/// <param name="NullMedian">The median of delta when the feature maps are those of another picture.</param>
/// <param name="Rank">The place of the picture's own maps among the maps of all pictures, by delta; 1 where its own fit it best.</param>
public sealed record HeuristicPicture(string Name, double Delta, double NullMedian, int Rank);
