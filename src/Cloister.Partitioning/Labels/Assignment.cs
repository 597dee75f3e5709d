namespace Cloister.Partitioning.Labels;

/// <summary>
/// The assignment of rows to columns, each at most once, whose values have the greatest sum: the Hungarian method with shortest
/// augmenting paths (H. W. Kuhn 1955; R. Jonker, A. Volgenant 1987). Time grows with rows * rows * columns.
/// </summary>
/// <param name="ColumnOfRow">For each row its column, or -1 where there are more rows than columns and it got none.</param>
/// <param name="RowPrices">With <paramref name="ColumnPrices"/> the proof that nothing is better: no value exceeds its row's and column's prices together, and those that are assigned equal them.</param>
/// <param name="ColumnPrices">Prices of columns; 0 or more, and 0 where a column stays free, if there are more columns than rows.</param>
internal sealed record Assignment(int[] ColumnOfRow, double[] RowPrices, double[] ColumnPrices)
{
    /// <summary>Finds it.</summary>
    /// <param name="values">Row-major [rows, columns], all finite.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="cancellation">Stops it between rows.</param>
    /// <exception cref="ArgumentException">The sizes do not fit, or a value is not finite.</exception>
    public static Assignment Maximise(ReadOnlySpan<float> values, int rows, int columns, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        if (values.Length != (long)rows * columns)
            throw new ArgumentException($"{rows} rows of {columns} columns are {(long)rows * columns} values, not {values.Length}.", nameof(values));
        bool turned = rows > columns;
        int few = Math.Min(rows, columns), many = Math.Max(rows, columns);
        var costs = new double[few * many];
        for (int i = 0; i < few; i++)
        {
            for (int j = 0; j < many; j++)
            {
                float value = turned ? values[j * columns + i] : values[i * columns + j];
                if (!float.IsFinite(value))
                    throw new ArgumentException($"The value {value} cannot be weighed against others.", nameof(values));
                costs[i * many + j] = -(double)value;
            }
        }
        (int[] ofFew, double[] fewPrices, double[] manyPrices) = Minimise(costs, few, many, cancellation);
        if (!turned)
            return new Assignment(ofFew, fewPrices, manyPrices);
        var ofMany = new int[many];
        Array.Fill(ofMany, -1);
        for (int i = 0; i < few; i++)
            ofMany[ofFew[i]] = i;
        return new Assignment(ofMany, manyPrices, fewPrices);
    }

    // Rows enter one after the other. Each grows a tree of tight edges from itself until it meets a free column; prices move so that all
    // reduced costs stay 0 or more and those of the assigned pairs 0. Place 0 stands for "none" in `rowOf` and `from`.
    private static (int[] Columns, double[] RowPrices, double[] ColumnPrices) Minimise(double[] costs, int rows, int columns, CancellationToken cancellation)
    {
        double[] row = new double[rows + 1], column = new double[columns + 1], slack = new double[columns + 1];
        int[] rowOf = new int[columns + 1], from = new int[columns + 1];
        var reached = new bool[columns + 1];
        for (int entering = 1; entering <= rows; entering++)
        {
            cancellation.ThrowIfCancellationRequested();
            rowOf[0] = entering;
            Array.Fill(slack, double.PositiveInfinity);
            Array.Clear(reached);
            int at = 0;
            do
            {
                reached[at] = true;
                int i = rowOf[at], next = 0;
                double least = double.PositiveInfinity, price = row[i];
                ReadOnlySpan<double> cost = costs.AsSpan((i - 1) * columns, columns);
                for (int j = 1; j <= columns; j++)
                {
                    if (reached[j])
                        continue;
                    double reduced = cost[j - 1] - price - column[j];
                    if (reduced < slack[j])
                        (slack[j], from[j]) = (reduced, at);
                    if (slack[j] < least)
                        (least, next) = (slack[j], j);
                }
                for (int j = 0; j <= columns; j++)
                {
                    if (reached[j])
                    {
                        row[rowOf[j]] += least;
                        column[j] -= least;
                    }
                    else
                        slack[j] -= least;
                }
                at = next;
            }
            while (rowOf[at] != 0);
            for (; at != 0; at = from[at])
                rowOf[at] = rowOf[from[at]];
        }
        var columnOf = new int[rows];
        for (int j = 1; j <= columns; j++)
        {
            if (rowOf[j] != 0)
                columnOf[rowOf[j] - 1] = j - 1;
        }
        return (columnOf, [.. row.Skip(1).Select(price => -price)], [.. column.Skip(1).Select(price => -price)]);
    }
}
