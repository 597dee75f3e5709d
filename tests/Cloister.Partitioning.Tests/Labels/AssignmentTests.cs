using Cloister.Partitioning.Labels;

namespace Cloister.Partitioning.Tests.Labels;

public sealed class AssignmentTests
{
    [Fact]
    public void A_small_case_is_solved_as_by_hand()
    {
        // The greatest value of row 0 is in column 0, but 8 + 9 in the others' favour: 7 + 8 + 9 = 24 beats 9 + 5 + 9.
        Assignment found = Assignment.Maximise([9, 7, 1, 8, 5, 2, 1, 1, 9], 3, 3);
        Assert.Equal([1, 0, 2], found.ColumnOfRow);
    }

    [Fact]
    public void It_equals_trying_everything()
    {
        for (int seed = 1; seed <= 300; seed++)
        {
            var random = new Random(seed);
            int rows = random.Next(1, 8), columns = random.Next(1, 8);
            // Whole numbers make ties, which must not matter for the sum.
            float[] values = [.. Enumerable.Range(0, rows * columns).Select(_ => seed % 2 == 0 ? random.Next(-5, 6) : random.NextSingle() - 0.5f)];
            int[] found = Assignment.Maximise(values, rows, columns).ColumnOfRow;
            Assert.Equal(Math.Min(rows, columns), found.Count(column => column >= 0));
            Assert.Equal(found.Count(column => column >= 0), found.Where(column => column >= 0).Distinct().Count());
            double sum = found.Select((column, row) => column < 0 ? 0 : (double)values[row * columns + column]).Sum();
            Assert.True(Math.Abs(sum - BestOfAll(values, rows, columns)) < 1e-6, $"seed {seed}: {sum}");
        }
    }

    [Theory]
    [InlineData(200, 200)]
    [InlineData(120, 200)]
    [InlineData(200, 120)]
    public void Prices_prove_that_nothing_is_better(int rows, int columns)
    {
        var random = new Random(rows + columns);
        float[] values = [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle())];
        Assignment found = Assignment.Maximise(values, rows, columns);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                double free = found.RowPrices[i] + found.ColumnPrices[j] - values[i * columns + j];
                Assert.True(free >= -1e-9, $"{i} {j}: {free}");
                Assert.True(found.ColumnOfRow[i] != j || Math.Abs(free) < 1e-9, $"{i} {j}: {free}");
            }
        }
        // What got nothing, on the longer side, costs nothing; so the sum of the prices is the sum of the values, and no other sum is greater.
        var taken = found.ColumnOfRow.ToHashSet();
        Assert.All(Enumerable.Range(0, columns).Where(j => columns > rows && !taken.Contains(j)), j => Assert.Equal(0, found.ColumnPrices[j], 1e-12));
        Assert.All(Enumerable.Range(0, rows).Where(i => found.ColumnOfRow[i] < 0), i => Assert.Equal(0, found.RowPrices[i], 1e-12));
        Assert.True(columns <= rows || found.ColumnPrices.All(price => price >= -1e-12));
        Assert.True(rows <= columns || found.RowPrices.All(price => price >= -1e-12));
    }

    [Fact]
    public void A_thousand_classes_and_a_background_are_found_in_a_hidden_order()
    {
        var random = new Random(5);
        int[] order = [.. Enumerable.Range(0, 1001)];
        random.Shuffle(order);
        float[] values = [.. Enumerable.Range(0, 1000 * 1001).Select(place => 0.8f * random.NextSingle() + (order[place / 1001] == place % 1001 ? 0.8f : 0))];
        int[] found = Assignment.Maximise(values, 1000, 1001).ColumnOfRow;
        Assert.True(found.Where((column, row) => column == order[row]).Count() > 950);
    }

    [Fact]
    public void What_cannot_be_weighed_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Assignment.Maximise([1, float.NaN, 1, 1], 2, 2));
        Assert.Throws<ArgumentException>(() => Assignment.Maximise([1, 2, 3], 2, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Assignment.Maximise([], 0, 2));
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => Assignment.Maximise([1, 2, 3, 4], 2, 2, stop.Token));
    }

    private static double BestOfAll(float[] values, int rows, int columns)
    {
        double Best(int row, int taken, int left)
        {
            if (row == rows)
                return 0;
            // A row may go empty only if there are more rows than columns.
            double best = rows - row > left ? Best(row + 1, taken, left) : double.NegativeInfinity;
            for (int j = 0; j < columns; j++)
            {
                if ((taken >> j & 1) == 0)
                    best = Math.Max(best, values[row * columns + j] + Best(row + 1, taken | 1 << j, left - 1));
            }
            return best;
        }

        return Best(0, 0, Math.Min(columns, rows) is var most && rows > columns ? columns : most);
    }
}
