using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Tests.Models;

/// <summary>Random linear models, tables and what they give in integers.</summary>
internal static class LinearModels
{
    internal static LinearModel Random(int features, int scores, int seed, LinkFunction link = LinkFunction.Identity, IReadOnlyList<string>? classes = null)
    {
        var random = new Random(seed);
        return new LinearModel
        {
            Features = [.. Enumerable.Range(0, features).Select(i => $"feature {i}")],
            Weights = [.. Enumerable.Range(0, scores).Select(_ => Enumerable.Range(0, features).Select(_ => (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(3))).ToArray())],
            Intercepts = [.. Enumerable.Range(0, scores).Select(_ => random.NextDouble() - 0.5)],
            Link = link,
            Classes = classes ?? [],
        };
    }

    /// <summary>Features of different ranges, some of them skewed.</summary>
    internal static double[][] Table(int features, int rows, int seed)
    {
        var random = new Random(seed);
        double[] spread = [.. Enumerable.Range(0, features).Select(_ => Math.Pow(10, random.Next(-2, 3)))], middle = [.. spread.Select(s => (random.NextDouble() - 0.5) * s)];
        return [.. Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, features).Select(i => middle[i] + spread[i] * (i % 3 == 0 ? Math.Pow(random.NextDouble(), 4) : random.NextDouble() - 0.5)).ToArray())];
    }

    /// <summary>For every score the rows that drive it up and down the farthest, beyond every range; then ordinary ones.</summary>
    internal static double[][] Extremes(LinearModel model, double[][] table, int count)
    {
        IEnumerable<double[]> driven = model.Weights.SelectMany(weights => (double[][])[[.. weights.Select(w => 1e9 * Math.Sign(w))], [.. weights.Select(w => -1e9 * Math.Sign(w))]]);
        return [.. driven.Concat(table).Take(count)];
    }

    /// <summary>The secret half of a compiled model.</summary>
    internal static LinearWeights WeightsOf(CompiledModel model)
    {
        byte[] file = model.ToBytes();
        ClientSpecification client = CompiledModelFile.Read(file, out int serverAt);
        return LinearWeights.Read(file.AsSpan(serverAt), client.Features.Count, client.Output.Scales.Count);
    }

    /// <summary>A row's sums by integer arithmetic.</summary>
    internal static long[] Sums(ClientSpecification client, LinearWeights weights, double[] row)
    {
        long[] integers = [.. row.Select((x, i) => (long)LinearQuantiser.Quantise(x, client.Features[i], out _))];
        return [.. Enumerable.Range(0, weights.Scores).Select(k => weights.Intercept(k) + Enumerable.Range(0, integers.Length).Sum(i => weights.Of(k)[i] * integers[i]))];
    }
}
