using System.Collections.Immutable;
using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Labels;

/// <summary>Finds names for columns in a hidden order by what public models answer to the same pictures.</summary>
internal sealed class LabelMatching
{
    private readonly LabelSettings _settings;
    private readonly Answers _hidden;
    private readonly ImmutableArray<string> _truth;
    private readonly (Answers Answers, int[] Names)[] _public;
    private readonly string[] _names;

    /// <summary>Prepares the match.</summary>
    /// <param name="settings">The seed draws the hidden order.</param>
    /// <param name="answers">The model's answers, in its own order.</param>
    /// <param name="names">The names of its classes.</param>
    /// <param name="publicModels">What public models answer to the same pictures, and the names of their classes.</param>
    public LabelMatching(LabelSettings settings, Answers answers, ImmutableArray<string> names, IReadOnlyList<(Answers Answers, ImmutableArray<string> Names)> publicModels)
    {
        _settings = settings;
        // Without a drawn order a tie, as between columns that never move, would fall to the class that it should not know.
        int[] order = Draw(answers.Classes, settings.Seed);
        _hidden = answers.Reordered(order);
        _truth = [.. order.Select(place => names[place])];
        // Two classes of one name ("crane") are told apart by which comes first, in every list.
        string[][] distinct = [.. publicModels.Select(known => Distinct(known.Names))];
        _names = [.. distinct.SelectMany(list => list).Distinct()];
        Dictionary<string, int> places = _names.Select((name, place) => (name, place)).ToDictionary(pair => pair.name, pair => pair.place);
        _public = [.. publicModels.Select((known, i) => (known.Answers, distinct[i].Select(name => places[name]).ToArray()))];
    }

    /// <summary>By correlations, averaged over the public models that know a class, and the assignment of the greatest sum.</summary>
    public LabelMatch ByCorrelation(MatrixProduct product, CancellationToken cancellation)
    {
        int columns = _hidden.Classes;
        float[] alike = new float[columns * _names.Length];
        int[] knownBy = new int[_names.Length];
        foreach ((Answers answers, int[] names) in _public)
        {
            float[] correlations = ColumnCorrelation.Of(_hidden, answers, product);
            for (int j = 0; j < names.Length; j++)
            {
                knownBy[names[j]]++;
                for (int i = 0; i < columns; i++)
                    alike[i * _names.Length + names[j]] += correlations[i * names.Length + j];
            }
        }
        for (int place = 0; place < alike.Length; place++)
            alike[place] /= knownBy[place % _names.Length];
        return Judge(Assignment.Maximise(alike, columns, _names.Length, cancellation).ColumnOfRow);
    }

    /// <summary>By the pictures for which a column is greatest: the name that public models give them most often.</summary>
    public LabelMatch ByFirstAnswer()
    {
        var votes = new int[_hidden.Classes, _names.Length];
        foreach ((Answers answers, int[] names) in _public)
            for (int picture = 0; picture < answers.Pictures; picture++)
                votes[_hidden.First(picture), names[answers.First(picture)]]++;
        var found = new int[_hidden.Classes];
        for (int i = 0; i < found.Length; i++)
        {
            found[i] = -1;
            for (int j = 0, most = 0; j < _names.Length; j++)
            {
                if (votes[i, j] > most)
                    (most, found[i]) = (votes[i, j], j);
            }
        }
        return Judge(found);
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

    private LabelMatch Judge(int[] found)
    {
        var known = _names.Select(Plain).ToHashSet();
        var active = Enumerable.Range(0, _hidden.Pictures).Select(_hidden.First).ToHashSet();
        int[] classes = [.. Enumerable.Range(0, found.Length).Where(i => known.Contains(_truth[i]))];
        if (classes.Length == 0)
            throw new PartitioningException(PartitioningError.LabelsRefused, "No public model knows the name of any of the model's classes; what is recovered of their order cannot be judged.");
        int[] seen = [.. classes.Where(active.Contains)];
        return new LabelMatch(classes.Length, Share(classes), seen.Length, seen.Length == 0 ? null : Share(seen), 1.0 / _names.Length);

        Interval Share(int[] of) => Proportion.Wilson(of.Count(i => found[i] >= 0 && Plain(_names[found[i]]) == _truth[i]), of.Length, _settings.Confidence);
    }

    private static string Plain(string name) => name.Split('\n')[0];
}
