using System.Collections.Immutable;
using System.Globalization;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Assessment;

/// <summary>One attack at one cut.</summary>
internal sealed record AssessmentUnit(IAttack Attack, AttackTarget Target)
{
    public string Title => Target.Cut is { } cut ? $"{Attack.Name} at {string.Join(", ", cut.Tensors)}" : Attack.Name;
}

/// <summary>Runs units beside each other, keeps each when it is finished, and takes what is kept already.</summary>
internal static class UnitRun
{
    /// <summary>Gives the findings of each unit, in the order of the units.</summary>
    public static async Task<ImmutableArray<Finding>[]> RunAsync(IReadOnlyList<AssessmentUnit> units, UnitStore store, int threads, IProgress<AssessmentProgress>? progress, CancellationToken cancellation)
    {
        var findings = new ImmutableArray<Finding>[units.Count];
        string[] keys = [.. units.Select(unit => UnitKey.Of(unit.Attack, unit.Target))];
        var missing = new List<int>();
        for (int place = 0; place < units.Count; place++)
        {
            findings[place] = await store.TakeAsync(keys[place], units[place].Attack.Name, units[place].Target.Findings, cancellation);
            if (findings[place].IsEmpty) missing.Add(place);
        }
        int done = units.Count - missing.Count, beside = Math.Clamp(missing.Count, 1, threads);
        progress?.Report(new AssessmentProgress("", 1, true, done, units.Count));
        await Parallel.ForEachAsync(missing, new ParallelOptions { MaxDegreeOfParallelism = beside, CancellationToken = cancellation }, async (place, stop) =>
        {
            AssessmentUnit unit = units[place];
            var share = new Share(value => progress?.Report(new AssessmentProgress(unit.Title, value, false, Volatile.Read(ref done), units.Count)));
            ImmutableArray<Finding> found = Attack(unit, threads / beside, share, stop);
            await store.PutAsync(keys[place], unit.Attack.Name, found, stop);
            findings[place] = found;
            progress?.Report(new AssessmentProgress(unit.Title, 1, true, Interlocked.Increment(ref done), units.Count));
        });
        return findings;
    }

    // A refusal is a finding too: it would be the same the next time.
    private static ImmutableArray<Finding> Attack(AssessmentUnit unit, int threads, IProgress<double> progress, CancellationToken cancellation)
    {
        try
        {
            return unit.Attack.Run(unit.Target, Math.Max(1, threads), progress, cancellation);
        }
        catch (PartitioningException refusal)
        {
            var finding = Finding.Refused(unit.Attack.Name, string.Create(CultureInfo.InvariantCulture, $"{refusal.Message} ({(int)refusal.Error} {refusal.Error})"));
            return [.. Enumerable.Repeat(finding, unit.Target.Findings)];
        }
    }

    private sealed class Share(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}
