using System.Globalization;
using System.Numerics;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>Lays a forest out and writes down what its clients are told.</summary>
internal static class ForestSpecification
{
    // Microseconds that a product of a question's polynomial with a ciphertext takes on one core, an output's mask, noise and transforms, and the
    // expansion of a query's ciphertext. Only their proportion matters: it decides how many features share a ciphertext.
    private const double Product = 13, Output = 100, Input = 50;

    // Sharing features between ciphertexts makes queries smaller and answers larger. It may cost this much more time.
    private const double Slower = 1.1;

    internal static ClientSpecification Of(Forest model, LevelForest forest, double[] scales, int levels, ForestOptions options, RlweParameters parameters)
    {
        int stride = parameters.Ring.Degree / levels, per = Share(forest, stride, parameters);
        int[] groups = Groups(forest, stride / per);
        BigInteger noise = Noise(forest, stride / per);
        int answers = Answers(forest, groups), inputs = (model.Features.Count + per - 1) / per, bits = ForestParameters.AnswerBits(parameters, noise);
        return new ClientSpecification
        {
            Model = options.Name,
            Digest = "",
            Design = ModelDesign.Forest,
            Parameters = ParameterSpecifications.Of(parameters, bits, circuitPrivacy: true),
            Features = [.. model.Features.Select((name, f) => new FeatureSpecification { Name = name, Step = 1, Edges = forest.Levels[f].Edges, AbsentLevel = forest.Levels[f].AbsentLevel })],
            Layout = new LayoutSpecification
            {
                Rows = 1,
                Stride = stride,
                Levels = levels,
                FeaturesPerCiphertext = per,
                QueryCiphertexts = inputs,
                AnswerCiphertexts = answers,
                Trees = [.. forest.Offsets.Select((_, k) => forest.Parts[forest.Shared ? 0 : k].Count)],
                Groups = groups,
            },
            Output = new OutputSpecification { Link = model.Link, Classes = model.Classes, Threshold = model.Threshold, Scales = scales, Offsets = new double[scales.Length] },
            Learns = Learns(parameters, options, inputs, answers, bits, stride / per),
        };
    }

    // As many features as make query and answer smallest together, within the time allowed.
    private static int Share(LevelForest forest, int stride, RlweParameters parameters)
    {
        int features = forest.Levels.Count, best = 1;
        double least = double.PositiveInfinity, fastest = double.PositiveInfinity;
        for (int per = 1; per <= stride / 8; per *= 2)
        {
            int inputs = (features + per - 1) / per, answers = Answers(forest, Groups(forest, stride / per));
            double time = (double)answers * inputs * Product + answers * Output + inputs * Input;
            double bytes = parameters.Ring.Degree / 8.0 * (inputs * (double)parameters.Basis.Product.GetBitLength() + answers * 30.0);
            fastest = Math.Min(fastest, time);
            if (bytes < least && time <= Slower * fastest) (best, least) = (per, bytes);
        }
        return best;
    }

    private static int[] Groups(LevelForest forest, int leaves) => [.. forest.Parts.Select(part => (part.Sum(tree => tree.Leaves.Count) + leaves - 1) / leaves)];

    private static int Answers(LevelForest forest, int[] groups) => groups.Sum() * (1 + forest.Values);

    /// <summary>Holds a forest that was read to the specification it was read with.</summary>
    internal static void Require(LevelForest forest, ClientSpecification client, ForestLayout layout, RlweParameters parameters)
    {
        if (!Groups(forest, layout.Leaves).AsSpan().SequenceEqual([.. layout.Groups])) throw CompiledModelFile.Refuse("its leaves do not fill its groups");
        for (int k = 0; k < forest.Offsets.Length; k++)
        {
            IReadOnlyList<LevelTree> trees = forest.Parts[forest.Shared ? 0 : k];
            int value = forest.Shared ? k : 0;
            long low = forest.Offsets[k] + trees.Sum(tree => tree.Leaves.Min(leaf => (long)leaf.Values[value])), high = forest.Offsets[k] + trees.Sum(tree => tree.Leaves.Max(leaf => (long)leaf.Values[value]));
            if (low < -LeafScales.Limit || high > LeafScales.Limit) throw CompiledModelFile.Refuse("a score may be larger than the plaintext modulus holds");
        }
        // The very bits that a compiler chooses: fewer would not carry an answer, more would say something.
        if (ForestParameters.AnswerBits(parameters, Noise(forest, layout.Leaves)) != client.Parameters.AnswerBits) throw CompiledModelFile.Refuse("its answers have not the bits that it needs");
    }

    // Any leaves of a part may come together in a group: the heaviest count.
    private static BigInteger Noise(LevelForest forest, int leaves)
    {
        long heaviest = 0, most = 0;
        foreach (IReadOnlyList<LevelTree> part in forest.Parts)
        {
            LevelLeaf[] all = [.. part.SelectMany(tree => tree.Leaves)];
            heaviest = Math.Max(heaviest, all.Select(leaf => leaf.Path.Sum(step => (long)ForestQuestion.Named(step.Question, forest.Levels).Count)).OrderDescending().Take(leaves).Sum());
            most = Math.Max(most, all.Select(leaf => (long)leaf.Path.Count).OrderDescending().Take(leaves).Sum());
        }
        if (ForestParameters.LikelyNoise(heaviest, most) > Math.ScaleB(1, ForestParameters.FloodBits + 1 - ForestParameters.HidingBits))
            throw new HomomorphicException(HomomorphicError.NoRoom, $"The forest's noise cannot be hidden by {ForestParameters.HidingBits} bits. Use fewer levels or smaller trees.");
        return ForestParameters.NoiseBound(heaviest);
    }

    private static string[] Learns(RlweParameters parameters, ForestOptions options, int inputs, int answers, int bits, int leaves)
    {
        double query = inputs * (parameters.Ring.Degree / 8.0 * (double)parameters.Basis.Product.GetBitLength()) / 1024, answer = answers * ((parameters.Ring.Degree + leaves) / 8.0 * bits) / 1024;
        return
        [
            "The scores of every row that is asked, to the precision of the scales above, and nothing else of what the trees computed for it: no tree's value, and not which leaf was reached.",
            options.ExactThresholds
                ? "The thresholds of every feature: they are the edges above. Not which tree asks for which."
                : "The edges above come from a calibration table: they tell about its columns, and nothing of the model's thresholds but which of them can be told apart.",
            "The number of trees of every score, and of their leaves, rounded up to whole ciphertexts.",
            "Whoever may ask often enough can train a model like this one on the answers; quotas bound that.",
            string.Create(CultureInfo.InvariantCulture, $"A row takes {inputs} ciphertexts ({query:0} KiB), its answer {answers} ({answer:0} KiB), with {(long)inputs * answers} products of polynomials between them at most; how long it takes depends on nothing in the row."),
        ];
    }
}
