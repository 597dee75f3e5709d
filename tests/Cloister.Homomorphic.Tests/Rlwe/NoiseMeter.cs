using System.Numerics;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Tests.Ring;

namespace Cloister.Homomorphic.Tests.Rlwe;

/// <summary>How far a ciphertext is from the message it should hold. It needs the key, and telling noise to others gives the key away: tests only.</summary>
internal static class NoiseMeter
{
    /// <summary>The largest coefficient of c0 + c1 s - round(Q m / t) modulo Q, in size.</summary>
    internal static BigInteger Measure(Ciphertext ciphertext, ReadOnlySpan<ulong> message, SecretKey key)
    {
        using RnsPolynomial phase = Encryption.Phase(ciphertext, key);
        BigInteger product = phase.Basis.Product, t = key.Parameters.Plaintext.Value, largest = 0;
        BigInteger[] coefficients = RnsIntegers.Compose(phase);
        for (int i = 0; i < coefficients.Length; i++)
        {
            BigInteger scaled = (2 * product * message[i] + t) / (2 * t);
            largest = BigInteger.Max(largest, BigInteger.Abs(Balanced.Mod(coefficients[i] - scaled, product)));
        }
        return largest;
    }

    /// <summary>Every coefficient of c0 + c1 s - round(Q m / t) modulo Q.</summary>
    internal static double[] Noises(Ciphertext ciphertext, ReadOnlySpan<ulong> message, SecretKey key)
    {
        using RnsPolynomial phase = Encryption.Phase(ciphertext, key);
        BigInteger product = phase.Basis.Product, t = key.Parameters.Plaintext.Value;
        BigInteger[] coefficients = RnsIntegers.Compose(phase);
        var noises = new double[coefficients.Length];
        for (int i = 0; i < noises.Length; i++) noises[i] = (double)Balanced.Mod(coefficients[i] - (2 * product * message[i] + t) / (2 * t), product);
        return noises;
    }
}
