using System.Numerics;
using System.Runtime.InteropServices;

namespace Cloister.Partitioning.Algebra;

/// <summary>The lower triangle L of a symmetric positive definite matrix A = L * transpose(L), in 64-bit floats, for many right-hand sides.</summary>
internal sealed class CholeskyFactor
{
    private const int Block = 48, Rows = 4, Columns = 16;

    private readonly double[] _lower, _upper;
    private readonly int _size;
    private readonly ParallelOptions _parallel;

    private CholeskyFactor(double[] lower, int size, ParallelOptions parallel)
    {
        (_lower, _size, _parallel) = (lower, size, parallel);
        _upper = new double[lower.Length];
        for (int i = 0; i < size; i++)
            for (int j = 0; j <= i; j++)
                _upper[j * size + i] = lower[i * size + j];
    }

    /// <summary>Factors in place; null where the matrix is not positive definite to working precision.</summary>
    /// <param name="matrix">Row-major [size, size]; only its lower triangle is read. It is used up.</param>
    /// <param name="size">Rows and columns.</param>
    /// <param name="threads">How many may work.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static CholeskyFactor? TryFactor(double[] matrix, int size, int threads, CancellationToken cancellation = default)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };
        for (int first = 0; first < size; first += Block)
        {
            int start = first, end = Math.Min(first + Block, size);
            // What the columns before take away, for this block's columns: dot products along rows.
            Each(start / Rows, (size + Rows - 1) / Rows, start < 2 * Block ? null : parallel, group =>
            {
                for (int i = Math.Max(group * Rows, start); i < Math.Min(group * Rows + Rows, size); i++)
                    for (int j = start; j < end && j <= i; j += 2)
                        Subtract(matrix, size, i, j, Math.Min(j + 1, Math.Min(end - 1, i)), start);
            });
            if (!FactorDiagonal(matrix, size, start, end))
                return null;
            Each(end, size, size - end < 4 * Block ? null : parallel, i =>
            {
                Span<double> row = matrix.AsSpan(i * size, size);
                for (int j = start; j < end; j++)
                    row[j] = (row[j] - Dot(row[start..j], matrix.AsSpan(j * size + start, j - start))) / matrix[j * size + j];
            });
        }
        return new CholeskyFactor(matrix, size, parallel);
    }

    /// <summary>Solves A * X = B in place.</summary>
    /// <param name="right">Row-major [size, columns]: B, then X.</param>
    /// <param name="columns">Right-hand sides.</param>
    public void Solve(double[] right, int columns) =>
        Each(0, (columns + Columns - 1) / Columns, _parallel, tile =>
        {
            int start = tile * Columns, width = Math.Min(Columns, columns - start);
            double[] packed = new double[_size * Columns];
            for (int i = 0; i < _size; i++)
                right.AsSpan(i * columns + start, width).CopyTo(packed.AsSpan(i * Columns));
            for (int i = 0; i < _size; i++)
                Eliminate(packed, _lower, i, 0, i);
            for (int i = _size - 1; i >= 0; i--)
                Eliminate(packed, _upper, i, i + 1, _size);
            for (int i = 0; i < _size; i++)
                packed.AsSpan(i * Columns, width).CopyTo(right.AsSpan(i * columns + start));
        });

    // Row i of the tile: (its value - the sum of triangle[i, j] * row j over the given rows) / triangle[i, i].
    private void Eliminate(double[] tile, double[] triangle, int i, int from, int to)
    {
        int lanes = Vector<double>.Count;
        Span<double> sums = stackalloc double[Columns];
        ReadOnlySpan<double> factors = triangle.AsSpan(i * _size, _size);
        Span<double> own = tile.AsSpan(i * Columns, Columns);
        if (Columns == 4 * lanes)
        {
            ReadOnlySpan<Vector<double>> rows = MemoryMarshal.Cast<double, Vector<double>>(tile);
            Vector<double> a = default, b = default, c = default, d = default;
            for (int j = from; j < to; j++)
            {
                var factor = new Vector<double>(factors[j]);
                a += factor * rows[4 * j];
                b += factor * rows[4 * j + 1];
                c += factor * rows[4 * j + 2];
                d += factor * rows[4 * j + 3];
            }
            a.CopyTo(sums);
            b.CopyTo(sums[lanes..]);
            c.CopyTo(sums[(2 * lanes)..]);
            d.CopyTo(sums[(3 * lanes)..]);
        }
        else
        {
            for (int j = from; j < to; j++)
                for (int column = 0; column < Columns; column++)
                    sums[column] += factors[j] * tile[j * Columns + column];
        }
        for (int column = 0; column < Columns; column++)
            own[column] = (own[column] - sums[column]) / factors[i];
    }

    private static bool FactorDiagonal(double[] matrix, int size, int start, int end)
    {
        for (int i = start; i < end; i++)
        {
            Span<double> row = matrix.AsSpan(i * size, size);
            double whole = row[i];
            for (int j = start; j < i; j++)
                row[j] = (row[j] - Dot(row[start..j], matrix.AsSpan(j * size + start, j - start))) / matrix[j * size + j];
            double pivot = whole - Dot(row[start..i], row[start..i]);
            if (!(pivot > 0) || !double.IsFinite(pivot))
                return false;
            row[i] = Math.Sqrt(pivot);
        }
        return true;
    }

    // matrix[i, j] and matrix[i, next] lose the products of the first `length` columns; next is j where there is one column left.
    private static void Subtract(double[] matrix, int size, int i, int j, int next, int length)
    {
        ReadOnlySpan<double> row = matrix.AsSpan(i * size, length), one = matrix.AsSpan(j * size, length), two = matrix.AsSpan(next * size, length);
        int lanes = Vector<double>.Count, k = 0;
        Vector<double> a = default, b = default, c = default, d = default;
        for (; k <= length - 2 * lanes; k += 2 * lanes)
        {
            Vector<double> x = new(row[k..]), y = new(row[(k + lanes)..]);
            a += x * new Vector<double>(one[k..]);
            b += y * new Vector<double>(one[(k + lanes)..]);
            c += x * new Vector<double>(two[k..]);
            d += y * new Vector<double>(two[(k + lanes)..]);
        }
        double first = Vector.Sum(a + b), second = Vector.Sum(c + d);
        for (; k < length; k++)
        {
            first += row[k] * one[k];
            second += row[k] * two[k];
        }
        matrix[i * size + j] -= first;
        if (next != j)
            matrix[i * size + next] -= second;
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        int k = 0;
        Vector<double> sums = default;
        for (; k <= a.Length - Vector<double>.Count; k += Vector<double>.Count)
            sums += new Vector<double>(a[k..]) * new Vector<double>(b[k..]);
        double sum = Vector.Sum(sums);
        for (; k < a.Length; k++)
            sum += a[k] * b[k];
        return sum;
    }

    private static void Each(int from, int to, ParallelOptions? parallel, Action<int> body)
    {
        if (parallel is not null && parallel.MaxDegreeOfParallelism != 1)
        {
            Parallel.For(from, to, parallel, body);
            return;
        }
        for (int i = from; i < to; i++)
        {
            parallel?.CancellationToken.ThrowIfCancellationRequested();
            body(i);
        }
    }
}
