using System.Numerics;
using System.Runtime.InteropServices;

namespace Cloister.Partitioning.Algebra;

/// <summary>Moves and scales the columns of a matrix: (x - shift) * scale.</summary>
/// <param name="Shift">What to take away from each column.</param>
/// <param name="Scale">What to multiply it by then.</param>
internal sealed record Standardisation(float[] Shift, float[] Scale)
{
    /// <summary>The greatest factor that a column is multiplied by: 32-bit floats go no further.</summary>
    public const double MostScale = 1e38;

    // Of a deviation that is a smaller share of the mean than this, 32-bit floats keep no bit: it is rounding, and dividing by it would only blow that up.
    private const double Rounding = 2e-7;

    /// <summary>
    /// The means and the inverse deviations of the given rows, whatever their size: neither a factor of 10^-30 nor a great constant hides a
    /// column. One that is constant here gets the scale of the widest, and if all are, keeps its own.
    /// </summary>
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
        double[] deviations = [.. squares.Select((square, i) => Math.Sqrt(square / count) is var deviation && deviation > Rounding * Math.Abs(shift[i]) ? deviation : 0)];
        double widest = deviations.Max() is > 0 and var most ? most : 1;
        return new Standardisation(shift, [.. deviations.Select(deviation => (float)Math.Min(MostScale, 1 / (deviation > 0 ? deviation : widest)))]);
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
