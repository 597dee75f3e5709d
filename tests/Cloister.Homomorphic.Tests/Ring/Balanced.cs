using System.Numerics;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Tests.Ring;

/// <summary>Big-integer arithmetic and inputs that the kernels are compared with.</summary>
internal static class Balanced
{
    internal static readonly VectorWidth[] Widths = [VectorWidth.Scalar, VectorWidth.Wide256, VectorWidth.Wide512];

    /// <summary>The representative in [-(m-1)/2, (m-1)/2] of an odd m.</summary>
    internal static BigInteger Mod(BigInteger value, BigInteger modulus)
    {
        BigInteger residue = BigInteger.Remainder(value, modulus);
        if (residue > modulus / 2) residue -= modulus;
        if (residue < -(modulus / 2)) residue += modulus;
        return residue;
    }

    /// <summary>Balanced residues of which half are edges: 0, 1, -1 and both ends of the range.</summary>
    internal static double[] Draw(int count, Modulus modulus, Random random)
    {
        long half = (long)(modulus.Value / 2);
        return [.. Enumerable.Range(0, count).Select(_ => (double)(random.Next(10) switch
        {
            0 => 0,
            1 => 1,
            2 => -1,
            3 => half,
            4 => -half,
            _ => random.NextInt64(-half, half + 1),
        }))];
    }
}
