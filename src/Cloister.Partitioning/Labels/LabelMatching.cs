using System.Collections.Immutable;
using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Labels;

/// <summary>Finds names for columns in a hidden order by what public models answer to the same pictures.</summary>
internal sealed class LabelMatching
{
    private readonly LabelSettings _settings;
    private readonly ImmutableArray<string> _truth;
    private readonly int[] _order;
    private readonly (Answers Answers, int[] Names)[] _public;
    private readonly string[] _names;

    /// <summary>Prepares the match.</summary>
    /// <param name="settings">The seed draws the hidden order.</param>
    /// <param name="names">The names of the model's classes.</param>
    /// <param name="publicModels">What public models answer to the pictures, and the names of their classes; one or more.</param>
    public LabelMatching(LabelSettings settings, ImmutableArray<string> names, IReadOnlyList<(Answers Answers, ImmutableArray<string> Names)> publicModels)
    {
        _settings = settings;
        // Without a drawn order a tie, as between columns that never move, would fall to the class that it should not know.
        _order = Draw(names.Length, settings.Seed);
        _truth = [.. _order.Select(place => names[place])];
        // Two classes of one name ("crane") are told apart by which comes first, in every list.
        string[][] distinct = [.. publicModels.Select(known => Distinct(known.Names))];
        _names = [.. distinct.SelectMany(list => list).Distinct()];
        Dictionary<string, int> places = _names.Select((name, place) => (name, place)).ToDictionary(pair => pair.name, pair => pair.place);
        _public = [.. publicModels.Select((known, i) => (known.Answers, distinct[i].Select(name => places[name]).ToArray()))];
    }

    /// <summary>By correlations, averaged over the public models that know a class, and the assignment of the greatest sum.</summary>
    public LabelMatch ByCorrelation(Answers answers, MatrixProduct product, CancellationToken cancellation)
    {
        Answers hidden = answers.Reordered(_order);
        return Judge(hidden, Assign(hidden, answers.Pictures, product, cancellation));
    }

    /// <summary>By the pictures for which a column is greatest: the name that public models give them most often.</summary>
    public LabelMatch ByFirstAnswer(Answers answers)
    {
        Answers hidden = answers.Reordered(_order);
        var votes = new int[hidden.Classes, _names.Length];
        foreach ((Answers known, int[] names) in _public)
            for (int picture = 0; picture < known.Pictures; picture++)
                votes[hidden.First(picture), names[known.First(picture)]]++;
        var found = new int[hidden.Classes];
        for (int i = 0; i < found.Length; i++)
        {
            found[i] = -1;
            for (int j = 0, most = 0; j < _names.Length; j++)
            {
                if (votes[i, j] > most)
                    (most, found[i]) = (votes[i, j], j);
            }
        }
        return Judge(hidden, found);
    }

    /// <summary>Names of pictures beyond the first, by the assignment that the first alone lead to; null where the greatest column got no name.</summary>
    public string?[] Name(Answers columns, int first, MatrixProduct product, CancellationToken cancellation)
    {
        Answers hidden = columns.Reordered(_order);
        int[] found = Assign(hidden, first, product, cancellation);
        return [.. Enumerable.Range(first, columns.Pictures - first).Select(picture => found[hidden.First(picture)] is >= 0 and var name ? Plain(_names[name]) : null)];
    }

    private int[] Assign(Answers hidden, int pictures, MatrixProduct product, CancellationToken cancellation)
    {
        int columns = hidden.Classes;
        float[] alike = new float[columns * _names.Length];
        int[] knownBy = new int[_names.Length];
        foreach ((Answers answers, int[] names) in _public)
        {
            float[] correlations = ColumnCorrelation.Of(hidden.Take(pictures), answers.Take(pictures), product);
            for (int j = 0; j < names.Length; j++)
            {
                knownBy[names[j]]++;
                for (int i = 0; i < columns; i++)
                    alike[i * _names.Length + names[j]] += correlations[i * names.Length + j];
            }
        }
        for (int place = 0; place < alike.Length; place++)
            alike[place] /= knownBy[place % _names.Length];
        return Assignment.Maximise(alike, columns, _names.Length, cancellation).ColumnOfRow;
    }

    private static string[] Distinct(ImmutableArray<string> names)
    {
        var seen = new Dictionary<string, int>();
        return [.. names.Select(name => (seen[name] = seen.GetValueOrDefault(name) + 1) is > 1 and var time ? $"{name}\n{time}" : name)];
    }

    private static int[] Draw(int count, int seed)
    {
        var random = new SplitMix64(seed);
        int[] order = [.. Enumerable.Range(0, count)];
        for (int i = count - 1; i > 0; i--)
        {
            int other = random.Below(i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }
        return order;
    }

    private LabelMatch Judge(Answers hidden, int[] found)
    {
        var known = _names.Select(Plain).ToHashSet();
        var active = Enumerable.Range(0, hidden.Pictures).Select(hidden.First).ToHashSet();
        int[] classes = [.. Enumerable.Range(0, found.Length).Where(i => known.Contains(_truth[i]))];
        if (classes.Length == 0)
            throw new PartitioningException(PartitioningError.LabelsRefused, "No public model knows the name of any of the model's classes; what is recovered of their order cannot be judged.");
        int[] seen = [.. classes.Where(active.Contains)];
        return new LabelMatch(classes.Length, Share(classes), seen.Length, seen.Length == 0 ? null : Share(seen), 1.0 / _names.Length);

        Interval Share(int[] of) => Proportion.Wilson(of.Count(i => found[i] >= 0 && Plain(_names[found[i]]) == _truth[i]), of.Length, _settings.Confidence);
    }

    private static string Plain(string name) => name.Split('\n')[0];
}
