namespace Cloister.Partitioning.Weights;

/// <summary>What comparison with a public model says of a tensor of weights.</summary>
public enum WeightOrigin
{
    /// <summary>The public one up to rounding to 16 bits: relative distance up to 0.001.</summary>
    Public,

    /// <summary>Made from the public one: nearer to it than to nothing, by a cosine above 0.5.</summary>
    Tuned,

    /// <summary>No more like the public one than weights made apart from it.</summary>
    Own,
}
