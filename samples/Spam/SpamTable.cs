using System.Globalization;

namespace Cloister.Samples.Spam;

/// <summary>A table of rows with the 57 features and, last, whether the row is spam: the CSV file of the UCI data set Spambase, with a line of headings.</summary>
/// <param name="Rows">The features.</param>
/// <param name="Spam">Whether a row is spam.</param>
internal sealed record SpamTable(double[][] Rows, bool[] Spam)
{
    /// <summary>Every fifth row is held out of the training.</summary>
    public static bool IsHeldOut(int row) => row % 5 == 4;

    /// <summary>Reads a file.</summary>
    /// <exception cref="FormatException">It is no such table.</exception>
    public static SpamTable Read(string path)
    {
        var rows = new List<double[]>();
        var spam = new List<bool>();
        foreach (string line in File.ReadLines(path).Skip(1).Where(line => line.Length > 0))
        {
            string[] cells = line.Split(',');
            if (cells.Length != SpamFeatures.Names.Count + 1)
                throw new FormatException($"Row {rows.Count + 1} of '{path}' has {cells.Length} columns; {SpamFeatures.Names.Count} features and the class are wanted.");
            rows.Add([.. cells.Take(SpamFeatures.Names.Count).Select(cell => double.Parse(cell, CultureInfo.InvariantCulture))]);
            spam.Add(cells[^1].Trim() is "1");
        }
        return rows.Count >= 100 ? new SpamTable([.. rows], [.. spam]) : throw new FormatException($"'{path}' has {rows.Count} rows; at least 100 are wanted.");
    }

    /// <summary>The rows that are held out, or those that are not.</summary>
    public SpamTable Part(bool heldOut)
    {
        int[] chosen = [.. Enumerable.Range(0, Rows.Length).Where(row => IsHeldOut(row) == heldOut)];
        return new SpamTable([.. chosen.Select(row => Rows[row])], [.. chosen.Select(row => Spam[row])]);
    }
}
