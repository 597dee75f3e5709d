using System.Collections.Immutable;
using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Labels;

/// <summary>Tries every way of naming pictures by a tensor, and judges each by the model's own answers to pictures of others.</summary>
/// <param name="settings">How.</param>
/// <param name="fit">Pictures that the observer knows: the first of all.</param>
/// <param name="answers">The model's answers.</param>
/// <param name="names">Names of its classes.</param>
/// <param name="teachers">Names of the known pictures, one list a teacher.</param>
/// <param name="matching">The match of columns by public models; null without any.</param>
/// <param name="product">What multiplies.</param>
internal sealed class ExposureProbes(
    LabelSettings settings, int fit, Answers answers, ImmutableArray<string> names, IReadOnlyList<(string Name, string[] Taught)> teachers, LabelMatching? matching, MatrixProduct product)
{
    // Above this share of one answer nothing can be told from naming it always.
    private const double MostOfOneAnswer = 0.9;

    private readonly string[] _others = [.. Enumerable.Range(fit, answers.Pictures - fit).Select(i => names[answers.First(i)])];

    /// <summary>Tries them.</summary>
    /// <param name="tensors">Names of the tensors.</param>
    /// <param name="crossing">Their values.</param>
    /// <param name="cancellation">Stops it.</param>
    public LabelExposure Try(ImmutableArray<string> tensors, Crossing crossing, CancellationToken cancellation)
    {
        int ways = crossing.Columns is null ? teachers.Count + 1 : 2 * teachers.Count + (matching is null ? 1 : 2);
        double confidence = 1 - (1 - settings.Confidence) / ways;
        double chance = _others.CountBy(name => name).Max(pair => pair.Value) / (double)_others.Length;
        if (chance > MostOfOneAnswer)
            throw new PartitioningException(
                PartitioningError.PicturesRefused,
                $"The model gives one answer to {100 * chance:0} % of the {_others.Length} pictures to name: whoever names it always is right as often, and nothing can be said of the classes. Give pictures of several classes.");
        var probes = ImmutableArray.CreateBuilder<LabelProbe>(ways);
        (string[] told, int used, double lambda) = ProbeFit.ToScores(settings, crossing.Features, crossing.Count, answers.Take(fit), names, product, cancellation);
        probes.Add(Judge(LabelProbe.RidgeOnScores, LabelProbe.Itself, told, used, lambda));
        foreach ((string teacher, string[] taught) in teachers)
        {
            (told, used, lambda) = ProbeFit.ToNames(settings, crossing.Features, crossing.Count, taught, product, cancellation);
            probes.Add(Judge(LabelProbe.Ridge, teacher, told, used, lambda));
            if (crossing.Columns is not null)
                probes.Add(Judge(LabelProbe.GreatestColumn, teacher, Vote(crossing.Columns, taught), crossing.Columns.Classes, 0));
        }
        if (crossing.Columns is not null && matching is not null)
            probes.Add(Judge(LabelProbe.Assigned, string.Join(", ", teachers.Skip(1).Select(teacher => teacher.Name)), matching.Name(crossing.Columns, fit, product, cancellation), crossing.Columns.Classes, 0));
        return new LabelExposure(tensors, probes.DrainToImmutable());

        LabelProbe Judge(string method, string teacher, string?[] told, int used, double lambda) => new(
            method, teacher, fit, Proportion.Wilson(told.Where((name, i) => name == _others[i]).Count(), _others.Length, confidence), chance, _others.Length, used, lambda);
    }

    // Pictures whose greatest column no known picture had get the commonest name.
    private string[] Vote(Answers columns, string[] taught)
    {
        string commonest = Commonest(taught);
        Dictionary<int, string> nameOf = Enumerable.Range(0, fit).GroupBy(columns.First).ToDictionary(group => group.Key, group => Commonest(group.Select(i => taught[i])));
        return [.. Enumerable.Range(fit, _others.Length).Select(i => nameOf.GetValueOrDefault(columns.First(i), commonest))];
    }

    private static string Commonest(IEnumerable<string> names) => names.CountBy(name => name).MaxBy(pair => pair.Value).Key;
}
