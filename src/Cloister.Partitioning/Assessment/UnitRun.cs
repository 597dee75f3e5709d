using System.Collections.Immutable;
using System.Globalization;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
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
            (ImmutableArray<Finding> found, bool keep) = Attack(unit, threads / beside, share, stop);
            if (keep) await store.PutAsync(keys[place], unit.Attack.Name, found, stop);
            findings[place] = found;
            progress?.Report(new AssessmentProgress(unit.Title, 1, true, Interlocked.Increment(ref done), units.Count));
        });
        return findings;
    }

    // A refusal is a finding too, and would be the same the next time; what the runtime refuses may not be.
    private static (ImmutableArray<Finding> Found, bool Keep) Attack(AssessmentUnit unit, int threads, IProgress<double> progress, CancellationToken cancellation)
    {
        try
        {
            return (unit.Attack.Run(unit.Target, Math.Max(1, threads), progress, cancellation), true);
        }
        catch (PartitioningException refusal)
        {
            return (Refused(unit, string.Create(CultureInfo.InvariantCulture, $"{refusal.Message} ({(int)refusal.Error} {refusal.Error})")), true);
        }
        catch (Exception failure) when (failure is OnnxRuntimeException or OnnxModelException or GraphException)
        {
            return (Refused(unit, failure.Message), false);
        }
    }

    private static ImmutableArray<Finding> Refused(AssessmentUnit unit, string why) => [.. Enumerable.Repeat(Finding.Refused(unit.Attack.Name, why), unit.Target.Findings)];

    private sealed class Share(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}
