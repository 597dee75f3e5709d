using System.Collections.Immutable;
using System.Text.Json;

namespace Cloister.Partitioning.Reports;

/// <summary>What an assessment found: <c>report.json</c> (docs/formats/assessment-report.md), and what the page shows.</summary>
public sealed record AssessmentReport
{
    /// <summary>The version that is written and read.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The most bytes that are read.</summary>
    public const int MaximumBytes = 64 << 20;

    /// <summary>The format's version.</summary>
    public required int Version { get; init; }

    /// <summary>The program that wrote it, with its version.</summary>
    public required string Tool { get; init; }

    /// <summary>When it was written, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Whether the attacks are calibrated; the rest means nothing where they are not.</summary>
    public required bool Valid { get; init; }

    /// <summary>The model.</summary>
    public required ReportedModel Model { get; init; }

    /// <summary>The pictures or texts.</summary>
    public required ReportedPictures Pictures { get; init; }

    /// <summary>Pictures that the model was trained on; null where none were given.</summary>
    public required ReportedPictures? Members { get; init; }

    /// <summary>What chance was drawn from.</summary>
    public required int Seed { get; init; }

    /// <summary>Whether the attack finds everything where everything is seen, and nothing in noise.</summary>
    public required Finding Calibration { get; init; }

    /// <summary>The cuts, from the input to the output.</summary>
    public required ImmutableArray<AssessedCut> Cuts { get; init; }

    /// <summary>Where the part outside may end, the answer first; empty where no public model was given.</summary>
    public required ImmutableArray<AssessedTail> Tails { get; init; }

    /// <summary>What to do.</summary>
    public required Recommendation Recommendation { get; init; }

    /// <summary>What holds of every assessment, and must not be left out where this one is quoted.</summary>
    public required ImmutableArray<string> Notices { get; init; }

    /// <summary>As JSON; pictures are not in it.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, AssessmentJson.Default.AssessmentReport);

    /// <summary>Reads a report.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.ReportRefused"/>.</exception>
    public static AssessmentReport Read(ReadOnlySpan<byte> json)
    {
        if (json.Length > MaximumBytes) throw Refused($"it has {json.Length} bytes; at most {MaximumBytes} are read.");
        try
        {
            AssessmentReport report = JsonSerializer.Deserialize(json, AssessmentJson.Default.AssessmentReport) ?? throw Refused("it is null.");
            return AssessmentReportCheck.Problem(report) is { } problem ? throw Refused(problem) : report;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or NotSupportedException)
        {
            throw new PartitioningException(PartitioningError.ReportRefused, $"The assessment's report is refused: {exception.Message}", exception);
        }
    }

    /// <summary>For fuzzing: never throws anything but the refusal.</summary>
    public static void Fuzz(ReadOnlySpan<byte> json)
    {
        try
        {
            _ = Read(json).ToBytes();
        }
        catch (PartitioningException refusal) when (refusal.Error == PartitioningError.ReportRefused)
        {
            _ = refusal.Message;
        }
    }

    private static PartitioningException Refused(string why) => new(PartitioningError.ReportRefused, $"The assessment's report is refused: {why}");
}

/// <summary>The model that was assessed.</summary>
/// <param name="Name">The file's name.</param>
/// <param name="Sha256">SHA-256 of the file, hexadecimal.</param>
/// <param name="Preprocess">How pictures become its input; for texts, the vocabulary's digest.</param>
/// <param name="InputShape">The shape of one item.</param>
/// <param name="Macs">Multiply-accumulates of one item.</param>
/// <param name="WeightBytes">Bytes of its weights.</param>
public sealed record ReportedModel(string Name, string Sha256, string Preprocess, ImmutableArray<long> InputShape, long Macs, long WeightBytes);

/// <summary>The pictures or texts of an assessment.</summary>
/// <param name="Fit">How many an attacker learned from.</param>
/// <param name="Test">How many were attacked.</param>
/// <param name="Candidates">How many were found.</param>
/// <param name="Duplicates">How many were left out because they are another one, or a near copy of it.</param>
/// <param name="Skipped">How many files could not be read.</param>
/// <param name="Digest">SHA-256 over those taken, hexadecimal.</param>
public sealed record ReportedPictures(int Fit, int Test, int Candidates, int Duplicates, int Skipped, string Digest);

/// <summary>What to do with the model.</summary>
/// <param name="Partition">False: do not partition it.</param>
/// <param name="Cut">Where to cut, if so.</param>
/// <param name="Tail">Where the tail begins, if there should be one.</param>
/// <param name="Words">Sentences for people, the first the recommendation itself.</param>
public sealed record Recommendation(bool Partition, ImmutableArray<string> Cut, ImmutableArray<string> Tail, ImmutableArray<string> Words);
