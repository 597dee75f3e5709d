using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Cloister.Partitioning.Assessment;
using Cloister.Partitioning.Reports;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Tests.Assessment;

/// <summary>An attack that computes next to nothing and says at which cuts it was run.</summary>
internal sealed class CountingAttack(string name, Func<AttackTarget, bool?>? found = null) : IAttack
{
    private readonly ConcurrentQueue<string> _runs = new();

    public string Name => name;

    public string Settings { get; init; } = "1";

    /// <summary>Called in every run.</summary>
    public Action<AttackTarget>? Running { get; init; }

    public string[] Runs => [.. _runs.Order(StringComparer.Ordinal)];

    public ImmutableArray<Finding> Run(AttackTarget target, int threads, IProgress<double> progress, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        _runs.Enqueue(string.Join(",", target.Cut?.Tensors ?? [.. target.Tails.SelectMany(tail => tail.Tensors)]));
        Running?.Invoke(target);
        progress.Report(0.5);
        double value = target.Pictures.Test[0].Pixels.Average() + target.Seed;
        var finding = new Finding
        {
            Attack = name,
            NotRun = null,
            Found = found is null ? true : found(target),
            Measures = [new Measure("reidentification", new Interval(value / 8, value / 4, value / 2), Chance: 0.25)],
            Notes = [string.Create(CultureInfo.InvariantCulture, $"found with seed {target.Seed}")],
            Protection = ImmutableSortedDictionary<string, double>.Empty.Add(ProtectionScores.Pictures, 0.25),
            Pictures = [new RebuiltPicture("one", new byte[] { 1, 2 }, new byte[] { 3 })],
        };
        return [.. Enumerable.Repeat(finding, target.Findings)];
    }
}
