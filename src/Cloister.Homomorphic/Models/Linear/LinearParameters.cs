using System.Numerics;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>Chooses ring, plaintext modulus and the size of answers.</summary>
internal static class LinearParameters
{
    /// <summary>The smallest ring with a modulus of 49 bits; to hide the model, a larger one with room for the noise that hides it, and a special modulus that SEAL wants.</summary>
    internal static RingParameters Ring(int scores, LinearOptions options) => (options.CircuitPrivacy, options.Level) switch
    {
        (false, SecurityLevel.Bits128) => RingParameters.Create(Fit(2048, scores), [49], options.Level),
        (false, _) => RingParameters.Create(Fit(4096, scores), [49], options.Level),
        (true, SecurityLevel.Bits128) => RingParameters.Create(Fit(4096, scores), [45, 45, 16], options.Level),
        (true, _) => RingParameters.Create(Fit(8192, scores), [45, 45, 17], options.Level),
    };

    /// <summary>The least power of two above twice the sum, and the fewest bits that carry it; null where nothing has room.</summary>
    /// <param name="ring">The ring.</param>
    /// <param name="weights">The sum of the sizes of all weights.</param>
    /// <param name="sum">What the sums are at most in size.</param>
    /// <param name="options">What for.</param>
    internal static (RlweParameters Parameters, int AnswerBits)? Choose(RingParameters ring, long weights, long sum, LinearOptions options)
    {
        int bits = 64 - BitOperations.LeadingZeroCount((ulong)sum) + 1;
        if (bits > 48) return null;
        int special = ring.Basis.Count > 1 ? 1 : 0;
        var parameters = RlweParameters.Create(ring, 1UL << bits, special);
        BigInteger noise = LinearBudget.AnswerNoise(weights, parameters, options.CircuitPrivacy);
        for (int answer = Math.Max(bits + 1, CompactScaling.MinimumBits); answer <= CompactScaling.MaximumBits; answer++)
            if (CompactCiphertext.Carries(parameters, parameters.Basis.Product, answer, noise)) return (parameters, answer);
        return null;
    }

    private static int Fit(int degree, int scores) => Math.Max(degree, (int)BitOperations.RoundUpToPowerOf2((uint)scores));
}
