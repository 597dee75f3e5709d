namespace Cloister.Homomorphic.Models;

/// <summary>How a node asks about its feature.</summary>
public enum NodeTest
{
    /// <summary>feature &lt;= threshold.</summary>
    LessOrEqual,

    /// <summary>feature &lt; threshold.</summary>
    Less,

    /// <summary>The feature, truncated to an integer, is one of <see cref="TreeNode.Members"/>.</summary>
    Member,
}

/// <summary>A node of a decision tree: a question with two answers, or a leaf. Indices are places in <see cref="DecisionTree.Nodes"/>.</summary>
public sealed record TreeNode
{
    /// <summary>Whether it is a leaf.</summary>
    public bool IsLeaf => Values is not null;

    /// <summary>A leaf's contributions to the scores: one number a score of the forest, zero where it has none. Null for a question.</summary>
    public double[]? Values { get; init; }

    /// <summary>The place of the asked feature in a row.</summary>
    public int Feature { get; init; }

    /// <summary>The question.</summary>
    public NodeTest Test { get; init; }

    /// <summary>What the feature is compared with.</summary>
    public double Threshold { get; init; }

    /// <summary>What a feature is looked up in, ascending; empty unless asked for.</summary>
    public IReadOnlyList<int> Members { get; init; } = [];

    /// <summary>The next node where the answer is yes.</summary>
    public int Yes { get; init; }

    /// <summary>The next node where the answer is no.</summary>
    public int No { get; init; }

    /// <summary>Whether an absent feature (NaN) counts as yes.</summary>
    public bool AbsentIsYes { get; init; }
}
