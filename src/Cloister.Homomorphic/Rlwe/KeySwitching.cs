using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>
/// Adds to a ciphertext under s what a polynomial c is worth under s': a pair (u0, u1) with u0 + u1 s = c s' + noise.
/// </summary>
/// <remarks>
/// The digits d_j = [c]_(q_j), balanced, satisfy: sum of d_j (b_j + a_j s) = sum of d_j e_j + P c s' modulo P and modulo every q_i, since modulo q_i only pair i
/// carries P s'. Dividing by P and rounding leaves c s' with a noise of at most (k n 21 max(q_j)/2) / P + (1 + n)/2 for k digits: with a special modulus
/// that is no smaller than the others, little more than what rounding adds. It works for ciphertexts over fewer moduli as it is: fewer digits are used.
/// </remarks>
internal static unsafe class KeySwitching
{
    /// <summary>Adds the pair.</summary>
    /// <param name="c">Values over the first moduli of the chain.</param>
    /// <param name="key">From s' to s.</param>
    /// <param name="target0">Values over the same moduli, to which u0 is added.</param>
    /// <param name="target1">Likewise u1; neither is c.</param>
    /// <param name="width">How many at once.</param>
    internal static void Apply(RnsPolynomial c, KeySwitchingKey key, RnsPolynomial target0, RnsPolynomial target1, VectorWidth width)
    {
        Apply(c.Pointer, c.Basis.Count, key, null, target1.Pointer, target0, target1, width);
        GC.KeepAlive(c);
    }

    /// <summary>Adds the pair to what the first target holds, permuted, and to other values.</summary>
    /// <param name="c">Values over the first moduli of the chain.</param>
    /// <param name="k">How many moduli.</param>
    /// <param name="key">From s' to s.</param>
    /// <param name="map">How the first target's values are permuted before u0 is added, or null.</param>
    /// <param name="addend1">What u1 is added to, or null.</param>
    /// <param name="target0">What u0 is added to; receives the sum.</param>
    /// <param name="target1">Receives the second.</param>
    /// <param name="width">How many at once.</param>
    internal static void Apply(double* c, int k, KeySwitchingKey key, Automorphism? map, double* addend1, RnsPolynomial target0, RnsPolynomial target1, VectorWidth width)
    {
        RnsBasis whole = key.Parameters.Ring.Basis;
        int n = whole.Degree, special = whole.Count - 1;
        Modulus p = whole.Moduli[special];
        // Nothing here is secret: ciphertexts and public keys.
        AlignedMemory scratch = whole.Pool.RentAny((6 + k) * n);
        double* values = scratch.Pointer, sum0 = values + n, sum1 = sum0 + n, rest0 = sum1 + n, rest1 = rest0 + n, turned = rest1 + n, digits = turned + n;
        for (int j = 0; j < k; j++) whole.Transform(j).Inverse(c + (nint)j * n, digits + (nint)j * n, width);
        Sum(special, rest0, rest1);
        foreach (nint rest in (ReadOnlySpan<nint>)[(nint)rest0, (nint)rest1])
        {
            ElementWise.Run<Reduction>((double*)rest, (double*)rest, 0, n, p, width);
            whole.Transform(special).Inverse(new Span<double>((double*)rest, n), NttOrder.Internal, width);
        }
        for (int i = 0; i < k; i++)
        {
            nint at = (nint)i * n;
            double inverse = key.Parameters.InverseOfSpecial(i);
            Sum(i, sum0, sum1);
            double* addend0 = target0.Pointer + at;
            if (map is not null)
            {
                map.Apply(addend0, turned);
                addend0 = turned;
            }
            KeyProducts.Finish(rest0, values, whole.Transform(i), sum0, inverse, addend0, target0.Pointer + at, width);
            KeyProducts.Finish(rest1, values, whole.Transform(i), sum1, inverse, addend1 is null ? null : addend1 + at, target1.Pointer + at, width);
        }
        whole.Pool.ReturnPublic(scratch);
        GC.KeepAlive(key);
        GC.KeepAlive(target0);
        GC.KeepAlive(target1);

        // The sums of the digits' products with both parts of the pairs, modulo modulus i.
        void Sum(int i, double* sum0, double* sum1)
        {
            nint at = (nint)i * n;
            for (int j = 0; j < k; j++)
            {
                double* key0 = key.B(j).Pointer + at, key1 = key.A(j).Pointer + at;
                // Modulo its own modulus a digit's values are those of c.
                if (i == j) KeyProducts.Add(c + at, key0, key1, sum0, sum1, n, whole.Moduli[i], j, width);
                else KeyProducts.AddTransformed(digits + (nint)j * n, values, whole.Transform(i), key0, key1, sum0, sum1, j, width);
            }
        }
    }
}
