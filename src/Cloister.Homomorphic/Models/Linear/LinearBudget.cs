using System.Numerics;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>
/// The room that a linear model needs, in the worst case: no row, no key and no randomness lead to a wrong decryption. That is more than correctness: a
/// failure that depends on the key would tell of it (ePrint 2024/127).
/// </summary>
/// <remarks>
/// <para><b>Sums.</b> Score k is an integer of at most B_k + sum of |w_ki| max(|min_i|, |max_i|) in size, whatever the row; it must be below t/2. Other
/// coefficients may wrap around t: nobody reads them.</para>
/// <para><b>Noise.</b> A fresh ciphertext made with the secret key has c0 + c1 s = round(Q m / t) + e modulo Q, |e| &lt;= 21: it is Q m / t + v with
/// |v| &lt;= 21.5. A coefficient of the product with a polynomial w is Q (m w) / t + v w, and |v w| &lt;= 21.5 W for W the sum of the sizes of all of w's
/// coefficients, all scores'; ciphertexts of one row set add up, and so do their W. Adding the intercepts rounds once more. In all at most 22 W + 1.
/// Hiding the model adds what <see cref="Flooding.NoiseBound"/> says. The rest is <see cref="CompactCiphertext.Carries"/>.</para>
/// <para>A query made with a public key is noisier and is not covered: clients of other libraries must encrypt with the secret key.</para>
/// </remarks>
internal static class LinearBudget
{
    // A sum's noise, whatever the weights, is then within a statistical distance of 2^-41 of one that does not depend on them.
    private const int FloodMargin = 40;

    /// <summary>The noise of a fresh ciphertext's product with weights whose sizes add up to this.</summary>
    internal static BigInteger Noise(long weights) => (Samplers.BinomialBits + 1) * (BigInteger)weights + 1;

    /// <summary>The noise of an answer.</summary>
    internal static BigInteger AnswerNoise(long weights, RlweParameters parameters, bool hidden) => hidden ? Hidden(Noise(weights), parameters.Ring.Degree) : Noise(weights);

    /// <summary>The size of the flood: 2^40 times what it hides, the noise above and that of the encryption of zero.</summary>
    internal static int FloodBits(BigInteger noise, int degree) => (int)(noise + 2 * degree * (BigInteger)Samplers.BinomialBits).GetBitLength() + FloodMargin;

    private static BigInteger Hidden(BigInteger noise, int degree) => noise + Flooding.NoiseBound(degree, FloodBits(noise, degree));

    /// <summary>What the sums of a score are in size, at most.</summary>
    internal static long Sum(ReadOnlySpan<int> weights, long intercept, IReadOnlyList<FeatureSpecification> features)
    {
        Int128 sum = Math.Abs(intercept);
        for (int i = 0; i < weights.Length; i++) sum += (Int128)Math.Abs((long)weights[i]) * Math.Max(Math.Abs((long)features[i].Minimum), Math.Abs((long)features[i].Maximum));
        return sum > long.MaxValue ? long.MaxValue : (long)sum;
    }
}
