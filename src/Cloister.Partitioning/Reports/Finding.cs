using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Reports;

/// <summary>What one attack came to at one cut.</summary>
public sealed record Finding
{
    /// <summary>The attack: <c>inversion</c>, <c>gradient</c>, <c>heuristic</c>, <c>labels</c>, <c>tokens</c>, <c>weights</c>.</summary>
    public required string Attack { get; init; }

    /// <summary>Why it could not be run here; null where it was.</summary>
    public required string? NotRun { get; init; }

    /// <summary>Whether it found more than chance gives, by the lower bound of its interval; null where that is not what it measures.</summary>
    public required bool? Found { get; init; }

    /// <summary>What was measured, the most telling first.</summary>
    public required ImmutableArray<Measure> Measures { get; init; }

    /// <summary>Sentences for people.</summary>
    public required ImmutableArray<string> Notes { get; init; }

    /// <summary>Scores by a name of <see cref="ProtectionScores"/>.</summary>
    public required ImmutableSortedDictionary<string, double> Protection { get; init; }

    /// <summary>What was rebuilt of a few of the tested pictures; not part of the JSON.</summary>
    [JsonIgnore]
    public ImmutableArray<RebuiltPicture> Pictures { get; init; } = [];

    /// <summary>The measure of this name, or null.</summary>
    public Measure? this[string name] => Measures.FirstOrDefault(measure => measure.Name == name);

    internal static Finding Refused(string attack, string why) => new()
    {
        Attack = attack,
        NotRun = why,
        Found = null,
        Measures = [],
        Notes = [],
        Protection = ImmutableSortedDictionary<string, double>.Empty,
    };
}

/// <summary>A figure with its interval, and what it is to be compared with.</summary>
/// <param name="Name">A stable name: <c>reidentification</c>, <c>psnr</c>, <c>ssim</c>, <c>delta</c>, ...</param>
/// <param name="Value">The estimate between its bounds.</param>
/// <param name="Baseline">The same figure where the attacker sees nothing; null where there is none.</param>
/// <param name="Chance">What guessing gives; null where there is none.</param>
public sealed record Measure(string Name, Interval Value, double? Baseline = null, double? Chance = null)
{
    /// <summary>The name of the share of cases in which guessing finds as much; the verdict is made of it.</summary>
    internal const string ChanceOfAsMany = "chance-of-as-many";

    /// <summary>A number that has no interval.</summary>
    internal static Measure Exact(string name, double value) => new(name, new Interval(value, value, value));
}

/// <summary>A tested picture and what an attacker made of the tensors that cross.</summary>
/// <param name="Name">Where the picture is from.</param>
/// <param name="Original">PNG.</param>
/// <param name="Rebuilt">PNG, of the same size.</param>
public sealed record RebuiltPicture(string Name, ReadOnlyMemory<byte> Original, ReadOnlyMemory<byte> Rebuilt);
