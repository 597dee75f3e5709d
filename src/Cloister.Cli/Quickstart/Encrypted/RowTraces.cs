using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Cloister.Homomorphic.Models;

namespace Cloister.Cli.Quickstart.Encrypted;

/// <summary>The forms in which a program that had seen a row would hold it.</summary>
internal static class RowTraces
{
    private const int LeastValues = 4, LeastDigits = 12, Passage = 48, SimpleDenominator = 100;

    /// <summary>The traces of a row of features.</summary>
    /// <param name="name">The row's name.</param>
    /// <param name="row">Its features.</param>
    /// <param name="features">How a client makes integers of them.</param>
    public static IEnumerable<Trace> Of(string name, double[] row, IReadOnlyList<FeatureSpecification> features)
    {
        // So few values other than zero may stand side by side by chance.
        if (row.Count(value => value != 0) >= LeastValues)
        {
            yield return Vector(name, "64-bit floats", row);
            yield return Vector<float>(name, "32-bit floats", [.. row.Select(value => (float)value)]);
            yield return Text(name, "JSON or CSV", string.Join(',', row.Select(Shortest)));
            yield return Text(name, "JSON with spaces", string.Join(", ", row.Select(Shortest)));
            yield return Text(name, "JSON of 32-bit floats", string.Join(',', row.Select(value => ((float)value).ToString(CultureInfo.InvariantCulture))));
        }
        // Levels of a forest may all be the lowest: nothing but zeros.
        long[] integers = [.. row.Select((value, i) => Integer(value, features[i]))];
        if (integers.Count(integer => integer != 0) >= LeastValues)
        {
            yield return Vector(name, "its integers, 64 bits each", integers);
            yield return Vector<int>(name, "its integers, 32 bits each", [.. integers.Select(integer => (int)integer)]);
            yield return Vector<short>(name, "its integers, 16 bits each", [.. integers.Select(integer => (short)integer)]);
            yield return Vector<double>(name, "its integers as 64-bit floats", [.. integers.Select(integer => (double)integer)]);
        }
        // One value by itself tells, where it has so many digits that nobody else has it: 4/3 is in every process.
        foreach (double value in row.Where(value => Shortest(value).Length >= LeastDigits && !IsSimpleFraction(value)).Distinct())
        {
            yield return Vector(name, $"the feature {Shortest(value)} by itself", [value]);
            yield return Text(name, $"the feature {Shortest(value)} by itself, as text", Shortest(value));
        }
    }

    /// <summary>The traces of an e-mail's text: a passage from its middle, in the encodings that programs hold text in.</summary>
    public static IEnumerable<Trace> OfText(string name, string text)
    {
        if (text.Length < Passage)
            yield break;
        string passage = text.Substring((text.Length - Passage) / 2, Passage);
        yield return Text(name, "its text", passage);
        yield return new Trace(name, "its text, 16 bits a character", Encoding.Unicode.GetBytes(passage));
    }

    private static bool IsSimpleFraction(double value) => Enumerable.Range(1, SimpleDenominator).Any(denominator => Math.Round(value * denominator) / denominator == value);

    private static long Integer(double value, FeatureSpecification feature) => feature.Step > 0
        ? (long)Math.Clamp(Math.Round((value - feature.Offset) / feature.Step), feature.Minimum, feature.Maximum)
        : feature.Edges.Count(edge => edge < value);

    private static Trace Vector<T>(string name, string form, ReadOnlySpan<T> values) where T : struct => new(name, form, MemoryMarshal.AsBytes(values).ToArray());

    private static Trace Text(string name, string form, string text) => new(name, form, Encoding.UTF8.GetBytes(text));

    private static string Shortest(double value) => value.ToString(CultureInfo.InvariantCulture);
}
