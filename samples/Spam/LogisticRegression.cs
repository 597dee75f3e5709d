namespace Cloister.Samples.Spam;

/// <summary>The probability of spam is 1 / (1 + exp(-(weights . row + intercept))).</summary>
/// <param name="Weights">One a feature, of the features as they are.</param>
/// <param name="Intercept">Added to the weighted sum.</param>
internal sealed record LogisticRegression(float[] Weights, float Intercept)
{
    private const int Rounds = 30;
    private const double Ridge = 1;

    /// <summary>
    /// Newton's method on the likelihood with a ridge penalty on the weights of standardised features. Every operation is one that
    /// IEEE 754 defines exactly, one at a time and in a written order, so the weights are the same on every machine.
    /// </summary>
    public static LogisticRegression Train(SpamTable table)
    {
        (double[] mean, double[] deviation) = Moments(table.Rows);
        int features = mean.Length, unknowns = features + 1;
        double[][] rows = [.. table.Rows.Select(row => Standardise(row, mean, deviation))];
        var solution = new double[unknowns];
        for (int round = 0; round < Rounds; round++)
        {
            var gradient = new double[unknowns];
            var curvature = new double[unknowns, unknowns];
            for (int i = 0; i < features; i++)
            {
                gradient[i] = Ridge * solution[i];
                curvature[i, i] = Ridge;
            }
            for (int row = 0; row < rows.Length; row++)
                Add(rows[row], table.Spam[row], solution, gradient, curvature);
            double[] step = PositiveSystem.Solve(curvature, gradient);
            for (int i = 0; i < unknowns; i++)
                solution[i] -= step[i];
        }
        return Unscale(solution, mean, deviation);
    }

    /// <summary>The weighted sum of a row; it is spam where this is positive.</summary>
    public double Score(double[] row)
    {
        double sum = Intercept;
        for (int i = 0; i < row.Length; i++)
            sum += Weights[i] * row[i];
        return sum;
    }

    /// <summary>How many rows of a table are judged rightly.</summary>
    public int CountCorrect(SpamTable table) => Enumerable.Range(0, table.Rows.Length).Count(row => Score(table.Rows[row]) > 0 == table.Spam[row]);

    private static void Add(double[] row, bool spam, double[] solution, double[] gradient, double[,] curvature)
    {
        double score = 0;
        for (int i = 0; i < row.Length; i++)
            score += solution[i] * row[i];
        double probability = 1 / (1 + Exponential.Of(-Math.Clamp(score, -500, 500)));
        double error = probability - (spam ? 1 : 0), weight = probability * (1 - probability);
        for (int i = 0; i < row.Length; i++)
        {
            gradient[i] += error * row[i];
            double weighted = weight * row[i];
            for (int j = 0; j <= i; j++)
                curvature[i, j] += weighted * row[j];
        }
    }

    private static (double[] Mean, double[] Deviation) Moments(double[][] rows)
    {
        int features = rows[0].Length;
        double[] mean = new double[features], deviation = new double[features];
        for (int i = 0; i < features; i++)
        {
            double sum = 0, squares = 0;
            foreach (double[] row in rows)
                sum += row[i];
            mean[i] = sum / rows.Length;
            foreach (double[] row in rows)
                squares += (row[i] - mean[i]) * (row[i] - mean[i]);
            deviation[i] = squares > 0 ? Math.Sqrt(squares / rows.Length) : 1;
        }
        return (mean, deviation);
    }

    /// <summary>Each feature less its mean, in deviations; then a one, for the intercept.</summary>
    private static double[] Standardise(double[] row, double[] mean, double[] deviation)
    {
        var standard = new double[row.Length + 1];
        for (int i = 0; i < row.Length; i++)
            standard[i] = (row[i] - mean[i]) / deviation[i];
        standard[^1] = 1;
        return standard;
    }

    private static LogisticRegression Unscale(double[] solution, double[] mean, double[] deviation)
    {
        var weights = new float[mean.Length];
        double intercept = solution[^1];
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = (float)(solution[i] / deviation[i]);
            intercept -= solution[i] / deviation[i] * mean[i];
        }
        return new LogisticRegression(weights, (float)intercept);
    }
}
