using System.Globalization;
using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import;

/// <summary>A compiled model beside the model it was made of, on a table, both in the clear: the compiled one computes the very integers that it computes on ciphertexts.</summary>
public sealed record ModelAccuracy
{
    /// <summary>How many rows were compared.</summary>
    public required int Rows { get; init; }

    /// <summary>Of a classification the part of the rows that got the right class, of a regression R²: by the model in the clear. Null without a target.</summary>
    public double? Plain { get; init; }

    /// <summary>The same by the compiled model.</summary>
    public double? Compiled { get; init; }

    /// <summary>The part of the rows for which both chose one class; null for a regression.</summary>
    public double? SameClass { get; init; }

    /// <summary>The largest difference between two scores of a row.</summary>
    public required double LargestScoreDifference { get; init; }

    /// <summary>The largest difference between two predictions, after the link.</summary>
    public required double LargestDifference { get; init; }

    /// <summary>The mean difference between two predictions, after the link.</summary>
    public required double MeanDifference { get; init; }

    /// <summary>Compares both on every row.</summary>
    /// <param name="plain">The model in the clear.</param>
    /// <param name="compiled">What was made of it.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="target">The right answers: classes by their names, or numbers; empty for none.</param>
    /// <param name="positive">Of two classes, what the target says for the second; null where it says the class's name.</param>
    /// <param name="progress">Is told how many rows are done.</param>
    /// <param name="cancellation">Stops between rows.</param>
    /// <exception cref="ImportException">A target is no class of the model, or no number.</exception>
    public static ModelAccuracy Compare(
        PlainModel plain, CompiledModel compiled, IReadOnlyList<double[]> rows, IReadOnlyList<string> target, string? positive,
        IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        if (target.Count != 0 && target.Count != rows.Count) throw new ArgumentException($"{target.Count} targets were given for {rows.Count} rows.", nameof(target));
        if (rows.Count == 0) throw new ArgumentException("There are no rows.", nameof(rows));
        bool classes = plain.Classes.Count > 0;
        IReadOnlyList<string> right = target.Count == 0 ? [] : classes ? Classes(plain, target, positive) : target;
        double[] scores = new double[plain.Scores];
        double largestScore = 0, largest = 0, sum = 0;
        int same = 0, plainRight = 0, compiledRight = 0;
        var (plainErrors, compiledErrors, squares) = (0.0, 0.0, new Spread());
        for (int r = 0; r < rows.Count; r++)
        {
            cancellation.ThrowIfCancellationRequested();
            plain.Score(rows[r], scores);
            ModelAnswer wanted = ModelAnswer.Of(scores, plain.Link, plain.Classes, plain.Threshold), made = compiled.Predict(rows[r]);
            largestScore = Math.Max(largestScore, Largest(wanted.Scores, made.Scores));
            double difference = Largest(wanted.Values, made.Values);
            (largest, sum) = (Math.Max(largest, difference), sum + difference);
            if (wanted.Class == made.Class) same++;
            if (right.Count > 0 && classes)
            {
                if (wanted.Class == right[r]) plainRight++;
                if (made.Class == right[r]) compiledRight++;
            }
            else if (right.Count > 0)
            {
                double value = Number(right[r], r);
                squares.Add(value);
                plainErrors += (wanted.Values[0] - value) * (wanted.Values[0] - value);
                compiledErrors += (made.Values[0] - value) * (made.Values[0] - value);
            }
            progress?.Report(r + 1);
        }
        double? Measure(int hits, double errors) => right.Count == 0 ? null : classes ? (double)hits / rows.Count : squares.Sum > 0 ? 1 - errors / squares.Sum : null;
        return new ModelAccuracy
        {
            Rows = rows.Count,
            Plain = Measure(plainRight, plainErrors),
            Compiled = Measure(compiledRight, compiledErrors),
            SameClass = classes ? (double)same / rows.Count : null,
            LargestScoreDifference = largestScore,
            LargestDifference = largest,
            MeanDifference = sum / rows.Count,
        };
    }

    // The target in the model's words. A target may write the class 1 as 1.0, as spreadsheets do.
    private static string[] Classes(PlainModel model, IReadOnlyList<string> target, string? positive)
    {
        if (positive is not null)
        {
            if (model.Classes.Count != 2) throw new ImportException(ImportError.UnknownColumn, $"The model has {model.Classes.Count} classes; a positive one is named where there are two.");
            if (!target.Contains(positive)) throw new ImportException(ImportError.UnknownColumn, $"The target never says '{positive}'. It says: {string.Join(", ", target.Distinct().Take(12))}.");
            return [.. target.Select(text => model.Classes[text == positive ? 1 : 0])];
        }
        var known = model.Classes.ToDictionary(name => name, name => name, StringComparer.Ordinal);
        foreach (string name in model.Classes)
            if (double.TryParse(name, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)) known.TryAdd(number.ToString("0.0", CultureInfo.InvariantCulture), name);
        return [.. target.Select((text, r) => known.TryGetValue(text, out string? name)
            ? name
            : throw new ImportException(ImportError.NotANumber,
                $"Row {r + 1} of the table has the target '{text}', which is no class of the model ({string.Join(", ", model.Classes.Take(12))}). Of two classes, say which target is the second's (--positive)."))];
    }

    private static double Number(string text, int row) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)
            ? value
            : throw new ImportException(ImportError.NotANumber, $"Row {row + 1} of the table has the target '{text}'; a regression predicts finite numbers.");

    private static double Largest(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        double largest = 0;
        for (int i = 0; i < a.Count; i++) largest = Math.Max(largest, Math.Abs(a[i] - b[i]));
        return largest;
    }

    // The sum of squared distances from the mean, in one pass (Welford).
    private sealed class Spread
    {
        private double _mean;
        private int _count;

        public double Sum { get; private set; }

        public void Add(double value)
        {
            double before = value - _mean;
            _mean += before / ++_count;
            Sum += before * (value - _mean);
        }
    }
}
