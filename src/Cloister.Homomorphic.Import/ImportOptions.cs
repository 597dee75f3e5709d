namespace Cloister.Homomorphic.Import;

/// <summary>What a reader is told beside the file, and what it spends on a file of unknown origin.</summary>
public sealed record ImportOptions
{
    /// <summary>Room for any model that fits the designs on ciphertexts.</summary>
    public static ImportOptions Default { get; } = new();

    /// <summary>Names of the features, in the order of a row, where the file has none or others are wanted; null for the file's own.</summary>
    public IReadOnlyList<string>? Features { get; init; }

    /// <summary>Names of the classes, in the model's order, where the file has none or others are wanted; null for the file's own.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>Bytes of a file.</summary>
    public int MaxBytes { get; init; } = 256 << 20;

    /// <summary>Features of a row.</summary>
    public int MaxFeatures { get; init; } = 65_536;

    /// <summary>Classes or scores.</summary>
    public int MaxScores { get; init; } = 1_024;

    /// <summary>Trees.</summary>
    public int MaxTrees { get; init; } = 20_000;

    /// <summary>Nodes of all trees together.</summary>
    public int MaxNodes { get; init; } = 4_000_000;

    /// <summary>Questions from a root to a leaf.</summary>
    public int MaxDepth { get; init; } = 64;
}
