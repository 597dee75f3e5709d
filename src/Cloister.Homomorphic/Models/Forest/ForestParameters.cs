using System.Numerics;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>The parameters that forests are computed with, and why decryption is certain with them.</summary>
/// <remarks>
/// <para>t is prime: only then is a number other than zero times a uniform one uniform again, and r times a cost other than zero never zero.</para>
/// <para>Noise. A fresh ciphertext's is at most 21 (the error) and 1/2 (the message's rounding). An answer's coefficient is a sum over the row's ciphertexts of
/// coefficients of P (noise); so at most 21.5 times the sum of the sizes of all coefficients of the P of one output, which is at most t/2 times the
/// number of levels that the questions of its leaves name: <see cref="NoiseBound"/>. For 64 leaves of 15 questions with half of 64 levels
/// each this is 2^34.4. The errors are independent and small, so beyond 2^-64 it is far less, about 2^28: <see cref="LikelyNoise"/>.</para>
/// <para>The flood of 2^71 is 40 bits and more above the likely bound, and together with the noise below Q / (2t), which is 2^73 for two primes of 45 bits.</para>
/// </remarks>
internal static class ForestParameters
{
    /// <summary>t, a prime.</summary>
    internal const ulong PlaintextModulus = 65537;

    /// <summary>The fewest levels.</summary>
    internal const int LeastLevels = 16;

    /// <summary>The most levels.</summary>
    internal const int MostLevels = 256;

    /// <summary>The flood is uniform in [-2^71, 2^71).</summary>
    internal const int FloodBits = 71;

    /// <summary>How many bits the flood is at least above what the noise is with a chance of 1 - 2^-64 in every coefficient.</summary>
    internal const int HidingBits = 40;

    /// <summary>The chain of a security level: two primes for ciphertexts and a special one that only keys for other uses have.</summary>
    internal static RlweParameters Create(SecurityLevel level) => RlweParameters.Create(
        level switch
        {
            SecurityLevel.Bits128 => RingParameters.Create(4096, [45, 45, 16], level),
            SecurityLevel.Bits192 => RingParameters.Create(8192, [45, 45, 49], level),
            _ => RingParameters.Create(8192, [45, 45, 24], level),
        },
        PlaintextModulus,
        specialModuli: 1);

    /// <summary>The most that noise can be in an output whose questions name so many levels, without the flood; certain.</summary>
    internal static BigInteger NoiseBound(long levels) => levels * (BigInteger)(PlaintextModulus / 2) * (2 * Samplers.BinomialBits + 1) / 2 + 1;

    /// <summary>What it is below but for a chance of 2^-64.</summary>
    /// <remarks>
    /// The part of the errors is a sum of independent, symmetric numbers of variance 10.5 times the square of a factor of at most t/2, sub-Gaussian with that
    /// variance: more than 9.6 standard deviations have a chance below 2 exp(-9.6^2 / 2) &lt; 2^-64. A feature's level is one of a row, so the rounding of its
    /// message, at most 1/2, meets each question once at most: the part of roundings is at most t/4 times the questions, which are no more than the levels they name.
    /// </remarks>
    internal static double LikelyNoise(long levels, long questions) =>
        PlaintextModulus / 2 * (9.6 * Math.Sqrt(10.5 * levels) + questions / 2.0) + 2 * 9.6 * Math.Sqrt(10.5 * 8192);

    /// <summary>The fewest bits of a compact answer that carry the messages with certainty.</summary>
    internal static int AnswerBits(RlweParameters parameters, BigInteger noise)
    {
        BigInteger whole = noise + Flooding.NoiseBound(parameters.Ring.Degree, FloodBits) + 1;
        for (int bits = CompactScaling.MinimumBits; bits <= CompactScaling.MaximumBits; bits++)
            if (CompactCiphertext.Carries(parameters, parameters.Basis.Product, bits, whole)) return bits;
        throw new HomomorphicException(HomomorphicError.NoRoom, "The forest's noise leaves no room for decryption. Use fewer levels or smaller trees.");
    }
}
