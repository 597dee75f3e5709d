using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Tests.Rlwe;

namespace Cloister.Homomorphic.Tests.Models;

public sealed class ForestNoiseTests
{
    [Fact]
    public void What_the_flood_hides_is_forty_bits_smaller()
    {
        const int Features = 20, Levels = 64;
        RlweParameters parameters = ForestParameters.Create(SecurityLevel.Bits128);
        var random = new Random(5);
        FeatureLevels[] levels = [.. Enumerable.Range(0, Features).Select(_ => new FeatureLevels([.. Enumerable.Range(0, Levels - 1).Select(edge => (double)edge)], null))];
        LevelTree[] trees = [.. Enumerable.Range(0, 12).Select(_ => Tree(random, 5))];
        var forest = new LevelForest(levels, [trees], [0]);
        var model = new Forest { Features = [.. levels.Select((_, f) => $"x{f}")], BaseScores = [0], Trees = [] };
        ForestLayout layout = ForestLayout.Of(ForestSpecification.Of(model, forest, [1], Levels, new ForestOptions { Name = "noise" }, parameters));
        ForestPart part = Assert.Single(ForestPart.Of(forest, layout));
        using SecretKey key = SecretKey.Generate(parameters);
        using SeedExpander stream = SeedExpander.Fresh();
        using var draws = new UniformDraws(stream);
        using var sums = new GroupSums(parameters.Basis, 2);
        var factors = new GroupFactors(layout.Inputs, 2, layout.Leaves, layout.PerCiphertext);
        (long named, long asked, double largest) = (0, 0, 0);
        for (int round = 0; round < 20; round++)
        {
            int[] order = [.. Enumerable.Range(0, part.Groups * layout.Leaves)];
            draws.Shuffle(order);
            factors.Draw(part, order.AsSpan(0, layout.Leaves), new int[trees.Length], draws);
            ForestStep[] steps = [.. order.Take(layout.Leaves).Where(leaf => leaf < part.Leaves.Length).SelectMany(leaf => part.Leaves[leaf].Steps)];
            (named, asked) = (Math.Max(named, steps.Sum(step => (long)step.Question.Places.Length)), Math.Max(asked, steps.Length));
            sums.Clear();
            for (int input = 0; input < layout.Inputs; input++)
            {
                var message = new ulong[layout.Degree];
                for (int f = input * layout.PerCiphertext; f < Math.Min(Features, (input + 1) * layout.PerCiphertext); f++) message[layout.Place(f, random.Next(Levels))] = 1;
                using SeededCiphertext seeded = Encryption.Encrypt(message, key);
                using Ciphertext ciphertext = seeded.Expand();
                for (int output = 0; output < 2; output++) sums.Add(output, ciphertext, target => factors.Write(input, output, target));
            }
            for (int output = 0; output < 2; output++)
            {
                (RnsPolynomial c0, RnsPolynomial c1) = sums.Take(output);
                using var answer = new Ciphertext(parameters, parameters.Basis);
                answer.C0.CopyFrom(c0);
                answer.C1.CopyFrom(c1);
                double[] noise = NoiseMeter.Noises(answer, Encryption.Decrypt(answer, key), key);
                for (int leaf = 0; leaf < layout.Leaves; leaf++) largest = Math.Max(largest, Math.Abs(noise[leaf * layout.PerCiphertext]));
            }
        }
        // Not far above what is there, so that the bound is one; and forty bits below twice the flood.
        double bound = ForestParameters.LikelyNoise(named, asked);
        Assert.InRange(largest, bound / 64, bound);
        Assert.True(bound <= Math.ScaleB(1, ForestParameters.FloodBits + 1 - ForestParameters.HidingBits));
        Assert.True(bound <= (double)ForestParameters.NoiseBound(named));
    }

    private static LevelTree Tree(Random random, int depth)
    {
        var leaves = new List<LevelLeaf>();
        Grow(depth, []);
        return new LevelTree(leaves);

        void Grow(int left, List<(LevelQuestion, bool)> path)
        {
            if (left == 0)
            {
                leaves.Add(new LevelLeaf([.. path], [random.Next(-100, 100)]));
                return;
            }
            var question = new LevelQuestion(random.Next(20), LevelSet.Below(random.Next(1, 64)));
            Grow(left - 1, [.. path, (question, true)]);
            Grow(left - 1, [.. path, (question, false)]);
        }
    }
}
