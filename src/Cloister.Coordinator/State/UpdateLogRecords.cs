using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Cloister.Coordinator.Stores;

namespace Cloister.Coordinator.State;

/// <summary>
/// The update log as store records, each of some lines and named by the number of its first: every commit names every record in the store's index,
/// so a record for each line would make all of them slower as the log grows. docs/formats/state.md, part 3.
/// </summary>
internal static class UpdateLogRecords
{
    internal const int LinesPerRecord = 32;
    private const string Prefix = "updateLog:";

    /// <summary>Writes the lines from number <paramref name="stored"/> on, with those before them in the same record.</summary>
    public static void Put(StoreTransaction transaction, int stored, ImmutableList<string> log)
    {
        for (int first = stored / LinesPerRecord * LinesPerRecord; first < log.Count && stored < log.Count; first += LinesPerRecord)
        {
            int count = Math.Min(LinesPerRecord, log.Count - first);
            transaction.Put(Name(first), Encoding.UTF8.GetBytes(string.Join('\n', log.GetRange(first, count))));
            // An earlier program wrote a record for each line.
            for (int line = first + 1; line < Math.Min(first + count, stored); line++)
                transaction.Delete(Name(line));
        }
    }

    /// <summary>The lines, oldest first. Throws <see cref="StoreException"/> (Corrupt) where some are missing.</summary>
    public static ImmutableList<string> Read(IReadOnlyDictionary<string, StoreRecord> records)
    {
        var log = ImmutableList.CreateBuilder<string>();
        foreach ((string name, StoreRecord record) in records.Where(record => record.Key.StartsWith(Prefix, StringComparison.Ordinal)).OrderBy(record => record.Key, StringComparer.Ordinal))
        {
            if (name != Name(log.Count))
                throw new StoreException(StoreError.Corrupt, $"The update log has no line {log.Count}, and {name} follows.");
            log.AddRange(Encoding.UTF8.GetString(record.Value.Span).Split('\n'));
        }
        return log.ToImmutable();
    }

    private static string Name(int line) => Prefix + line.ToString("d8", CultureInfo.InvariantCulture);
}
