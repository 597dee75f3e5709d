using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>
/// (b u + e0, a u + e1) for a public key (b, a), a fresh ternary u and fresh errors; over the whole chain it is divided by the special modulus P and rounded. Then
/// the message is added.
/// </summary>
/// <remarks>
/// With x = b u + e0 and r = [x]_P, which is known from the special limb alone, (x - r) / P = b (u / P) + (e0 - r) / P modulo every other modulus. So only r
/// has to leave the values of b u, and (e0 - r) / P and the message are transformed together: one transform a modulus and part.
/// </remarks>
internal static unsafe class PublicEncryption
{
    /// <summary>Encrypts a message, or zero if it is empty.</summary>
    internal static Ciphertext Encrypt(ReadOnlySpan<ulong> message, PublicKey key)
    {
        RlweParameters parameters = key.Parameters;
        RnsBasis whole = key.B.Basis;
        int n = whole.Degree;
        VectorWidth width = VectorWidths.Best;
        AlignedMemory scratch = whole.Pool.Rent(7 * n);
        double* mask = scratch.Pointer, values = mask + n, scaled = values + n;
        Parts errors = new(scaled + n, scaled + 2 * n), rests = new(scaled + 3 * n, scaled + 4 * n), keys = new(key.B.Pointer, key.A.Pointer);
        var ciphertext = new Ciphertext(parameters, parameters.Basis);
        try
        {
            if (!message.IsEmpty) parameters.ScaleMessage(message, parameters.Basis.Count, new Span<double>(scaled, n));
            using (SeedExpander stream = SeedExpander.Fresh())
            {
                Samplers.Ternary(stream, new Span<double>(mask, n), width);
                Samplers.CenteredBinomial(stream, new Span<double>(errors[0], n), width);
                Samplers.CenteredBinomial(stream, new Span<double>(errors[1], n), width);
            }
            bool special = whole.Count > parameters.Basis.Count;
            if (special) Divide();
            var targets = new Parts(ciphertext.C0.Pointer, ciphertext.C1.Pointer);
            for (int limb = 0; limb < parameters.Basis.Count; limb++)
            {
                Modulus q = whole.Moduli[limb];
                nint at = (nint)limb * n;
                Transform(mask, values, limb);
                double inverse = special ? parameters.InverseOfSpecial(limb) : 1;
                if (special) ElementWise.Run<Multiplication>(values, values, inverse, n, q, width);
                for (int part = 0; part < 2; part++)
                {
                    double* target = targets[part] + at;
                    // Of integers below 2^49 + 2^48 in size: (0 - (r - e)) / P; r is zero where nothing is divided.
                    ElementWise.Run<Subtraction>(target, errors[part], rests[part], n, q, width);
                    if (special) ElementWise.Run<Multiplication>(target, target, inverse, n, q, width);
                    if (part == 0 && !message.IsEmpty) ElementWise.Run<Accumulation>(target, scaled, parameters.MessageFactor(limb), n, q, width);
                    whole.Transform(limb).Forward(new Span<double>(target, n), NttOrder.Internal, width);
                    ElementWise.Run<Accumulation>(target, keys[part] + at, values, n, q, width);
                }
            }
        }
        catch
        {
            ciphertext.Dispose();
            throw;
        }
        finally
        {
            whole.Pool.Return(scratch);
            GC.KeepAlive(key);
        }
        return ciphertext;

        // r of both parts.
        void Divide()
        {
            int last = whole.Count - 1;
            nint at = (nint)last * n;
            Transform(mask, values, last);
            for (int part = 0; part < 2; part++)
            {
                ElementWise.Run<Multiplication>(rests[part], keys[part] + at, values, n, whole.Moduli[last], width);
                whole.Transform(last).Inverse(new Span<double>(rests[part], n), NttOrder.Internal, width);
                ElementWise.Run<Addition>(rests[part], rests[part], errors[part], n, whole.Moduli[last], width);
            }
        }

        void Transform(double* coefficients, double* values, int limb)
        {
            new ReadOnlySpan<double>(coefficients, n).CopyTo(new Span<double>(values, n));
            whole.Transform(limb).Forward(new Span<double>(values, n), NttOrder.Internal, width);
        }
    }

    /// <summary>The two parts of something.</summary>
    private readonly struct Parts(double* first, double* second)
    {
        private readonly double* _first = first, _second = second;

        internal double* this[int part] => part == 0 ? _first : _second;
    }
}
