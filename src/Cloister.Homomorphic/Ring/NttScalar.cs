namespace Cloister.Homomorphic.Ring;

/// <summary>
/// The definition of both transforms, one level after the other. The wide kernels carry out exactly these operations in another order.
/// </summary>
/// <remarks>
/// Growth, in units A of p for p &lt; 2^49; a product of an operand A is at most 1/2 + A/16 (see <see cref="Modulus"/>) and needs A &lt; 8.
/// <para><b>Forward</b> (X + wY, X - wY): A' = 17/16 A + 1/2 from A = 1/2, that is A(k) = 8.5 * (17/16)^k - 8 after k levels.
/// n = 1024: A(10) = 7.6. Larger n reduce X before level 6, where A(6) = 4.23: then 1/2 + (1/2 + 4.23/16) = 1.27 after level 6, and after 8 more levels
/// (n = 32768) 9.27 * (17/16)^8 - 8 = 7.06. So every operand, and what the last reduction takes, is below 8p &lt; 2^52.</para>
/// <para><b>Inverse</b>: the first three levels multiply by nothing where the twiddle is 1, so A is at most 1, 2, 4. Before level 3 X is reduced:
/// 1/2 + (1/2 + 4/16) = 1.25, and 9.25 * (17/16)^9 - 8 = 7.97 &lt; 8 after 9 more levels (n = 8192), which the scaling by psi^-j / n takes.
/// From n = 16384 on X is reduced before level 6 too: 9.25 * (17/16)^2 - 8 = 2.45 there, 1/2 + (1/2 + 2.45/16) = 1.16 after it,
/// 9.16 * (17/16)^8 - 8 = 6.88 in the end (n = 32768).</para>
/// <para>Without these reductions 49-bit primes would reach 8.5 * (17/16)^15 - 8 = 13.1p, still below the 16p = 2^53 that doubles hold,
/// but beyond the 2^51 quotients that the rounding of <see cref="Modulus"/> takes.</para>
/// <para><b>Below 2^48</b> a product of an operand A is at most 1/2 + A/32, and A may reach 16 (2^52 / p). Forward: A' = 33/32 A + 1/2, that is
/// A(k) = 16.5 * (33/32)^k - 16, and A(15) = 10.2. Inverse: 4 after three levels, then 20 * (33/32)^12 - 16 = 12.9 after twelve more. So nothing is reduced before the end.</para>
/// </remarks>
internal static unsafe class NttScalar
{
    internal static void Forward(double* a, NttTables tables)
    {
        double p = tables.Modulus.P, inverse = tables.Modulus.Inverse;
        int n = tables.Degree;
        for (int level = 0, blocks = 1, half = n / 2; half > 0; level++, blocks *= 2, half /= 2)
        {
            for (int block = 0; block < blocks; block++)
            {
                double w = tables.Forward[blocks + block];
                double* upper = a + 2L * block * half, lower = upper + half;
                for (int j = 0; j < half; j++)
                {
                    double x = level == tables.ForwardReduction ? Modulus.Reduce(upper[j], p, inverse) : upper[j];
                    double y = Modulus.MultiplyLazy(lower[j], w, p, inverse);
                    upper[j] = x + y;
                    lower[j] = x - y;
                }
            }
        }
        for (int i = 0; i < n; i++) a[i] = Modulus.Reduce(a[i], p, inverse);
        NttOrders.Transpose(a, n);
    }

    internal static void Inverse(double* a, NttTables tables)
    {
        double p = tables.Modulus.P, inverse = tables.Modulus.Inverse;
        int n = tables.Degree;
        NttOrders.Transpose(a, n);
        for (int level = 0, half = 1; half < n; level++, half *= 2)
        {
            bool reduce = level == tables.FirstInverseReduction || level == tables.InverseReduction;
            for (int block = 0; block < n; block += 2 * half)
            {
                double* upper = a + block, lower = upper + half;
                for (int j = 0; j < half; j++)
                {
                    double x = reduce ? Modulus.Reduce(upper[j], p, inverse) : upper[j];
                    double y = level < 3 && j == 0 ? lower[j] : Modulus.MultiplyLazy(lower[j], tables.Inverse[half + j], p, inverse);
                    upper[j] = x + y;
                    lower[j] = x - y;
                }
            }
        }
        for (int j = 0; j < n; j++) a[j] = Modulus.Reduce(Modulus.MultiplyLazy(a[j], tables.Scale[j], p, inverse), p, inverse);
    }
}
