using System.Collections.Immutable;

namespace Cloister.Partitioning.Inversion;

/// <summary>
/// What a linear decoder rebuilds of pictures from the tensors of a cut, beside what the mean picture alone gives. It is a lower bound: a
/// trained network finds more, never less.
/// </summary>
public sealed record InversionScore : PictureScore
{
    /// <summary>What was fitted, in words: which tensors, the numbers a cell, the pixels predicted of them.</summary>
    public required string Decoder { get; init; }

    /// <summary>Pictures that were fitted.</summary>
    public required int FitPictures { get; init; }

    /// <summary>Other pictures that were rebuilt.</summary>
    public required int TestPictures { get; init; }

    /// <inheritdoc/>
    public override int Tried => TestPictures;

    /// <summary>Cells that were fitted.</summary>
    public required long Rows { get; init; }

    /// <summary>The ridge that the held-out pictures chose.</summary>
    public required double Lambda { get; init; }

    /// <summary>Some test pictures and what was rebuilt of them.</summary>
    public required ImmutableArray<ReconstructedPicture> Pictures { get; init; }
}
