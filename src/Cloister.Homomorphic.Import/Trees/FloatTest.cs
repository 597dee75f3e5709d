using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import;

/// <summary>
/// Engines that hold features and thresholds as binary32 round a feature before they compare it: 0.07 is not below the threshold
/// 0.07f there, though as binary64 it is. The question is moved to where rounding turns over, so that the unrounded feature
/// gives the engine's answer.
/// </summary>
internal static class FloatTest
{
    /// <summary>The test of a binary64 feature that equals the test of the rounded feature against <paramref name="threshold"/>.</summary>
    /// <param name="test">Less or less-or-equal.</param>
    /// <param name="threshold">Finite.</param>
    public static (NodeTest Test, double Threshold) Of(NodeTest test, float threshold)
    {
        // Rounded <= t holds up to half way between t and its upper neighbour, rounded < t up to half way below t. At exactly half
        // way IEEE 754 rounds to the neighbour whose last bit is zero. Half ways of binary32 are exact in binary64.
        float lower = test == NodeTest.LessOrEqual ? threshold : MathF.BitDecrement(threshold);
        double half = Half(lower);
        bool tieGoesDown = (BitConverter.SingleToUInt32Bits(lower) & 1) == 0;
        return (tieGoesDown ? NodeTest.LessOrEqual : NodeTest.Less, half);
    }

    private static double Half(float lower)
    {
        const double AboveLargest = 3.402823669209385e38; // 2^128, where binary32 ends
        double upper = lower == float.MaxValue ? AboveLargest : MathF.BitIncrement(lower);
        double below = float.IsNegativeInfinity(lower) ? -AboveLargest : lower;
        return below + (upper - below) / 2;
    }
}
