using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import.Tests.Trees;

public sealed class FloatTestTests
{
    [Fact]
    public void The_moved_question_has_the_answer_of_the_rounded_feature()
    {
        for (int seed = 1; seed <= 5_000; seed++)
        {
            var random = new Random(seed);
            float threshold = Draw(random);
            double up = MathF.BitIncrement(threshold) - (double)threshold, down = threshold - (double)MathF.BitDecrement(threshold);
            double[] features = [threshold, threshold + up / 2, threshold - down / 2, threshold + up, threshold - down, threshold + up * random.NextDouble(), threshold - down * random.NextDouble(),
                Math.BitIncrement(threshold + up / 2), Math.BitDecrement(threshold + up / 2), Math.BitIncrement(threshold - down / 2), Math.BitDecrement(threshold - down / 2), Draw(random), 0, -threshold];
            foreach (double x in features.Where(double.IsFinite))
            {
                Assert.True((float)x < threshold == Holds(FloatTest.Of(NodeTest.Less, threshold), x), $"{x:R} < {threshold:R}");
                Assert.True((float)x <= threshold == Holds(FloatTest.Of(NodeTest.LessOrEqual, threshold), x), $"{x:R} <= {threshold:R}");
            }
        }
    }

    private static bool Holds((NodeTest Test, double Threshold) question, double x) => question.Test == NodeTest.Less ? x < question.Threshold : x <= question.Threshold;

    // Half are edges: zeros, the smallest and largest numbers.
    private static float Draw(Random random) => random.Next(12) switch
    {
        0 => 0f,
        1 => -0f,
        2 => float.MaxValue,
        3 => float.MinValue,
        4 => float.Epsilon,
        5 => -float.Epsilon,
        6 => 1f,
        7 => MathF.BitIncrement(1f),
        _ => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)) is var any && float.IsFinite(any) ? any : 0.5f,
    };
}
