using System.Numerics;
using System.Runtime.InteropServices;

namespace Cloister.Partitioning.Algebra;

/// <summary>Moves and scales the columns of a matrix: (x - shift) * scale.</summary>
/// <param name="Shift">What to take away from each column.</param>
/// <param name="Scale">What to multiply it by then.</param>
internal sealed record Standardisation(float[] Shift, float[] Scale)
{
    /// <summary>The means and the inverse deviations of the given rows; a constant column keeps its scale.</summary>
    public static Standardisation Of(ReadOnlySpan<float> rows, int columns)
    {
        int count = rows.Length / columns;
        double[] sums = new double[columns], squares = new double[columns];
        for (int row = 0; row < count; row++)
            for (int i = 0; i < columns; i++)
                sums[i] += rows[row * columns + i];
        float[] shift = [.. sums.Select(sum => (float)(sum / count))];
        for (int row = 0; row < count; row++)
            for (int i = 0; i < columns; i++)
                squares[i] += Math.Pow(rows[row * columns + i] - (double)shift[i], 2);
        // Below one part in 10^5 of the mean a deviation is rounding; dividing by it would only blow that up.
        return new Standardisation(shift, [.. squares.Select((square, i) => Math.Sqrt(square / count) is var deviation && deviation > 1e-5 * Math.Abs(shift[i]) + 1e-20 ? (float)(1 / deviation) : 1f)]);
    }

    /// <summary>Applies it in place and adds each column's sum to <paramref name="sums"/>.</summary>
    public void Apply(Span<float> rows, Span<double> sums)
    {
        int columns = Shift.Length;
        for (int start = 0; start < rows.Length; start += columns)
        {
            Span<float> row = rows.Slice(start, columns);
            Apply(row);
            for (int i = 0; i < columns; i++)
                sums[i] += row[i];
        }
    }

    /// <summary>Applies it in place to one row.</summary>
    public void Apply(Span<float> row)
    {
        ReadOnlySpan<Vector<float>> shift = MemoryMarshal.Cast<float, Vector<float>>(Shift), scale = MemoryMarshal.Cast<float, Vector<float>>(Scale);
        Span<Vector<float>> wide = MemoryMarshal.Cast<float, Vector<float>>(row);
        for (int i = 0; i < wide.Length; i++)
            wide[i] = (wide[i] - shift[i]) * scale[i];
        for (int i = wide.Length * Vector<float>.Count; i < row.Length; i++)
            row[i] = (row[i] - Shift[i]) * Scale[i];
    }
}
