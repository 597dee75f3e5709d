using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Partitioning.Reports;

/// <summary>
/// What an assessor states of a model in parts: which files, cut where, and what was measured of that cut (docs/formats/partition-report.md).
/// It is signed by itself; a manifest demands minimums of its scores.
/// </summary>
public sealed record PartitionReport
{
    /// <summary>The version that is written and read.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The most bytes that are read.</summary>
    public const int MaximumBytes = 64 << 10;

    /// <summary>The format's version.</summary>
    [JsonRequired]
    public int Version { get; init; } = CurrentVersion;

    /// <summary>SHA-256 of the whole model's file, 64 lower-case hexadecimal digits.</summary>
    public required string Model { get; init; }

    /// <summary>SHA-256 of <c>front.onnx</c>, which runs inside.</summary>
    public required string Front { get; init; }

    /// <summary>SHA-256 of <c>back.onnx</c>, which runs outside and is given away.</summary>
    public required string Back { get; init; }

    /// <summary>SHA-256 of <c>tail.onnx</c>, which runs inside; null where there is none.</summary>
    public required string? Tail { get; init; }

    /// <summary>Tensors between front and back: what is seen outside. In the order of the front's outputs.</summary>
    public required ImmutableArray<string> Cut { get; init; }

    /// <summary>Tensors between back and tail; empty where there is no tail.</summary>
    public required ImmutableArray<string> TailCut { get; init; }

    /// <summary>What was measured, by a name of <see cref="ProtectionScores"/>: 0 for nothing protected to 1. What is not here was not measured.</summary>
    public required ImmutableSortedDictionary<string, double> Protection { get; init; }

    /// <summary>Pictures (or texts) that the attacker learned from; 0 where nothing was measured.</summary>
    public required int FitPictures { get; init; }

    /// <summary>Pictures (or texts) that were attacked; 0 where nothing was measured.</summary>
    public required int TestPictures { get; init; }

    /// <summary>SHA-256 of the assessment's report.json that the scores are from; null where nothing was measured.</summary>
    public required string? Assessment { get; init; }

    /// <summary>The program that wrote it, with its version.</summary>
    public required string Tool { get; init; }

    /// <summary>When it was written: UTC, whole seconds.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The one form of this report as bytes: what is signed.</summary>
    /// <exception cref="ArgumentException">A member is out of its range; the text says which.</exception>
    public byte[] ToBytes() => PartitionReportCheck.Problem(this) is { } problem
        ? throw new ArgumentException(problem)
        : Write(this);

    /// <summary>Reads a report. Only the form that <see cref="ToBytes"/> gives is read: the same report has one signature's bytes.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.ReportRefused"/>, with the member and the reason.</exception>
    public static PartitionReport Read(ReadOnlySpan<byte> json)
    {
        if (json.Length > MaximumBytes) throw Refused($"it has {json.Length} bytes; at most {MaximumBytes} are read.");
        PartitionReport? report;
        try
        {
            report = JsonSerializer.Deserialize(json, PartitionReportJson.Default.PartitionReport);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or NotSupportedException)
        {
            throw new PartitioningException(PartitioningError.ReportRefused, $"The partition report is refused: {exception.Message}", exception);
        }
        if (report is null) throw Refused("it is null.");
        if (PartitionReportCheck.Problem(report) is { } problem) throw Refused(problem);
        return Write(report).AsSpan().SequenceEqual(json) ? report : throw Refused("it is not in its canonical form (docs/formats/partition-report.md).");
    }

    /// <summary>For fuzzing: never throws anything but the refusal, and what is read is written the same.</summary>
    public static void Fuzz(ReadOnlySpan<byte> json)
    {
        try
        {
            if (!Read(json).ToBytes().AsSpan().SequenceEqual(json)) throw new InvalidOperationException("A report was written otherwise than it was read.");
        }
        catch (PartitioningException refusal) when (refusal.Error == PartitioningError.ReportRefused)
        {
            _ = refusal.Message;
        }
    }

    private static byte[] Write(PartitionReport report) => JsonSerializer.SerializeToUtf8Bytes(report, PartitionReportJson.Default.PartitionReport);

    private static PartitioningException Refused(string why) => new(PartitioningError.ReportRefused, $"The partition report is refused: {why}");
}
