using Cloister.Homomorphic.Models;

namespace Cloister.Serving.Tests.Encrypted;

/// <summary>Small models and the rows they are asked about, made from a seed.</summary>
internal static class EncryptedModels
{
    public const int Features = 6;

    /// <summary>Rows whose numbers are not to be found anywhere by chance.</summary>
    public static IReadOnlyList<double[]> Rows(int count, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, Features).Select(_ => 4 * random.NextDouble() - 2).ToArray())];
    }

    /// <summary>Logistic regression; another seed is another model.</summary>
    public static LinearModel Logistic(int seed = 1)
    {
        var random = new Random(seed);
        return new LinearModel
        {
            Features = Names,
            Classes = ["ham", "spam"],
            Link = LinkFunction.Logistic,
            Weights = [[.. Enumerable.Range(0, Features).Select(_ => 2 * random.NextDouble() - 1)]],
            Intercepts = [0.25],
        };
    }

    /// <summary>A forest of small trees.</summary>
    public static Forest Trees(int seed = 1, int trees = 4)
    {
        var random = new Random(seed);
        return new Forest
        {
            Features = Names,
            Classes = ["ham", "spam"],
            Link = LinkFunction.Logistic,
            BaseScores = [0.5],
            Trees = [.. Enumerable.Range(0, trees).Select(_ => Tree(random))],
        };
    }

    public static CompiledModel CompileLogistic(int seed = 1, bool circuitPrivacy = false) =>
        LinearCompiler.Compile(Logistic(seed), Rows(200, 7), new LinearOptions { Name = "spam", CircuitPrivacy = circuitPrivacy });

    public static CompiledModel CompileTrees(int seed = 1) => ForestCompiler.Compile(Trees(seed), Rows(200, 7), new ForestOptions { Name = "trees", ExactThresholds = true });

    public static byte[] Bytes(Func<CompiledModel> compile)
    {
        using CompiledModel model = compile();
        return model.ToBytes();
    }

    private static string[] Names => [.. Enumerable.Range(0, Features).Select(i => $"f{i}")];

    private static DecisionTree Tree(Random random)
    {
        TreeNode Ask(int yes, int no) => new() { Feature = random.Next(Features), Threshold = 2 * random.NextDouble() - 1, Yes = yes, No = no };
        TreeNode Leaf() => new() { Values = [2 * random.NextDouble() - 1] };
        return new DecisionTree([Ask(1, 2), Ask(3, 4), Ask(5, 6), Leaf(), Leaf(), Leaf(), Leaf()]);
    }
}
