using System.Globalization;
using System.Security.Cryptography;
using Cloister.Partitioning.Reports;
using Cloister.Workload;

namespace Cloister.Serving.Partitioned;

/// <summary>Whether a signed report is of the parts at hand, and shows what the manifest demands.</summary>
public static class PartitionCheck
{
    /// <summary>Checks that a part is the one that the report is of.</summary>
    /// <param name="entry">The part's name.</param>
    /// <param name="part">Its bytes; null where there is none.</param>
    /// <param name="digest">The report's digest of it, lower-case hex; null where it has none.</param>
    /// <exception cref="ServingException"><see cref="ServingError.PartitionRefused"/>.</exception>
    public static void DemandPart(string entry, ReadOnlySpan<byte> part, string? digest)
    {
        if (digest is null) throw Refused($"{entry} is there, and the signed report has no such part");
        string actual = Convert.ToHexStringLower(SHA256.HashData(part));
        if (!CryptographicOperations.FixedTimeEquals(Convert.FromHexString(digest), Convert.FromHexString(actual)))
            throw Refused($"{entry} has the digest {actual}, and the signed report is of {digest}; seal the parts that were assessed");
    }

    /// <summary>Checks that the report's part is there.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.PartitionRefused"/>.</exception>
    public static void DemandAbsent(string entry, string? digest)
    {
        if (digest is not null) throw Refused($"the signed report is of a model with {entry}, which is missing");
    }

    /// <summary>Checks the scores.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.PartitionScoreTooLow"/>; the text has every score that is missing or too low.</exception>
    internal static void DemandScores(string model, PartitionReport report, PartitionDemands? demands)
    {
        if (demands is null) return;
        var problems = new List<string>();
        foreach ((string name, double least) in demands.MinimumScores)
        {
            if (!report.Protection.TryGetValue(name, out double score)) problems.Add($"'{name}' of at least {Number(least)} is demanded and was not measured");
            else if (!(score >= least)) problems.Add($"'{name}' of at least {Number(least)} is demanded and was measured as {Number(score)}");
        }
        if (problems.Count > 0)
            throw new ServingException(ServingError.PartitionScoreTooLow, $"The cut of model '{model}' protects too little for the manifest: {string.Join("; ", problems)}. Cut later, or let the manifest demand less.");
    }

    /// <summary>The measured scores as a sentence's end.</summary>
    internal static string Describe(PartitionReport report) => report.Protection.IsEmpty
        ? "nothing"
        : string.Join(", ", report.Protection.Select(score => $"{score.Key} {Number(score.Value)}"));

    internal static ServingException Refused(string reason, Exception? inner = null) =>
        new(ServingError.PartitionRefused, $"The model's parts are refused: {reason.TrimEnd('.')}.", inner);

    private static string Number(double score) => score.ToString("0.####", CultureInfo.InvariantCulture);
}
