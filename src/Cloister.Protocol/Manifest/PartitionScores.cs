using System.Collections.Immutable;

namespace Cloister.Protocol.Manifest;

/// <summary>Names of the scores in a partitioned model's signed report that a manifest can demand minimums of (docs/formats/partition-report.md).</summary>
public static class PartitionScores
{
    /// <summary>How little attacks rebuild of pictures.</summary>
    public const string Pictures = "pictures";
    /// <summary>How little is found of which class an answer means.</summary>
    public const string Labels = "labels";
    /// <summary>How few tokens of a text are recovered.</summary>
    public const string Tokens = "tokens";
    /// <summary>How little a public model tells of the weights outside.</summary>
    public const string Weights = "weights";
    /// <summary>How little tells pictures that the model was trained on from others.</summary>
    public const string Membership = "membership";
    /// <summary>The published heuristic. It passes layers that attacks invert, so it is never enough alone.</summary>
    public const string Heuristic = "heuristic";

    /// <summary>Every name.</summary>
    public static ImmutableArray<string> All { get; } = [Pictures, Labels, Tokens, Weights, Membership, Heuristic];
}
