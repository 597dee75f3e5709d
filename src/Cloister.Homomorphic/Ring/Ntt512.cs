using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static Cloister.Homomorphic.Ring.Butterfly512;
using Lanes = System.Runtime.Intrinsics.Vector512<double>;

namespace Cloister.Homomorphic.Ring;

/// <summary>
/// Both transforms on eight lanes. Three or two levels a pass, eight or four vectors in registers (forward modulo primes below 2^48 four, see <see cref="NttSixteen512"/>); the three levels whose stride is
/// below a vector work on eight blocks at once, one a lane, after or before a transposition. Bounds: <see cref="NttScalar"/>.
/// The passes are compiled in full at once: before the optimising compiler has seen them, vector loops are a hundred times slower. And each is compiled by itself:
/// inlined into a caller, several use up the compiler's budget, and what is left of their steps become calls that pass vectors through memory, at twice the time.
/// </summary>
internal static unsafe class Ntt512
{
    private const int Width = 8;

    internal static void Forward(double* a, NttTables tables, NttOrder order)
    {
        ForwardHead(a, a, tables, lift: false);
        ForwardTail(a, tables, order == NttOrder.BitReversed);
    }

    /// <summary>All levels but the last three.</summary>
    /// <param name="from">Balanced residues, or, to be lifted, integers below 2^52 in size.</param>
    /// <param name="a">Receives what the last levels take; may be the source.</param>
    /// <param name="tables">The tables.</param>
    /// <param name="lift">Whether what is read is reduced first.</param>
    internal static void ForwardHead(double* from, double* a, NttTables tables, bool lift)
    {
        int level = 0, left = tables.Log - 3;
        if (tables.Modulus.IsNarrow)
        {
            // Passes of four levels until threes are left: no reduction has to fall between two of them.
            for (; left % 3 != 0; level += 4, left -= 4, from = a, lift = false) NttSixteen512.Forward(from, a, tables, 1 << level, lift);
            for (; left > 0; level += 3, left -= 3, from = a, lift = false) ForwardEight(from, a, tables, 1 << level, false, lift);
            return;
        }
        for (; left % 3 == 0 ? left > 0 : left > 4; level += 3, left -= 3, from = a, lift = false) ForwardEight(from, a, tables, 1 << level, level == tables.ForwardReduction, lift);
        for (; left > 0; level += 2, left -= 2) ForwardFour(a, tables, 1 << level, level == tables.ForwardReduction);
    }

    internal static void Inverse(double* a, NttTables tables, NttOrder order) => Inverse(a, a, tables, order);

    /// <summary>From one place to another, or in place.</summary>
    internal static void Inverse(double* from, double* a, NttTables tables, NttOrder order)
    {
        InverseHead(from, a, tables, order == NttOrder.BitReversed);
        int level = 3, left = tables.Log - 3;
        for (; left % 3 == 0 ? left > 0 : left > 4; level += 3, left -= 3)
            InverseEight(a, tables, 1 << level, level == tables.FirstInverseReduction || level == tables.InverseReduction, left == 3);
        for (; left > 0; level += 2, left -= 2)
            InverseFour(a, tables, 1 << level, level == tables.FirstInverseReduction || level == tables.InverseReduction, left == 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void ForwardEight(double* from, double* a, NttTables tables, int blocks, bool reduce, bool lift)
    {
        double* table = tables.Forward;
        Lanes minusP = Vector512.Create(-tables.Modulus.P), inverse = Vector512.Create(tables.Modulus.Inverse), magic = Vector512.Create(Modulus.Magic);
        nint t = tables.Degree / blocks / 8;
        for (int block = 0; block < blocks; block++)
        {
            double* w = table + blocks + block;
            Lanes w1 = Vector512.Create(w[0]);
            w = table + 2 * (blocks + block);
            Lanes w2 = Vector512.Create(w[0]), w3 = Vector512.Create(w[1]);
            w = table + 4 * (blocks + block);
            Lanes w4 = Vector512.Create(w[0]), w5 = Vector512.Create(w[1]), w6 = Vector512.Create(w[2]), w7 = Vector512.Create(w[3]);
            double* at = a + block * 8 * t, source = from + block * 8 * t;
            for (double* end = at + t; at < end; at += Width, source += Width)
            {
                Lanes x0 = Vector512.Load(source), x1 = Vector512.Load(source + t), x2 = Vector512.Load(source + 2 * t), x3 = Vector512.Load(source + 3 * t);
                Lanes x4 = Vector512.Load(source + 4 * t), x5 = Vector512.Load(source + 5 * t), x6 = Vector512.Load(source + 6 * t), x7 = Vector512.Load(source + 7 * t);
                if (lift)
                {
                    x4 = Reduce(x4, minusP, inverse, magic);
                    x5 = Reduce(x5, minusP, inverse, magic);
                    x6 = Reduce(x6, minusP, inverse, magic);
                    x7 = Reduce(x7, minusP, inverse, magic);
                }
                if (reduce || lift)
                {
                    x0 = Reduce(x0, minusP, inverse, magic);
                    x1 = Reduce(x1, minusP, inverse, magic);
                    x2 = Reduce(x2, minusP, inverse, magic);
                    x3 = Reduce(x3, minusP, inverse, magic);
                }
                Turn(ref x0, ref x4, w1, minusP, inverse, magic);
                Turn(ref x1, ref x5, w1, minusP, inverse, magic);
                Turn(ref x2, ref x6, w1, minusP, inverse, magic);
                Turn(ref x3, ref x7, w1, minusP, inverse, magic);
                Turn(ref x0, ref x2, w2, minusP, inverse, magic);
                Turn(ref x1, ref x3, w2, minusP, inverse, magic);
                Turn(ref x4, ref x6, w3, minusP, inverse, magic);
                Turn(ref x5, ref x7, w3, minusP, inverse, magic);
                Turn(ref x0, ref x1, w4, minusP, inverse, magic);
                Turn(ref x2, ref x3, w5, minusP, inverse, magic);
                Turn(ref x4, ref x5, w6, minusP, inverse, magic);
                Turn(ref x6, ref x7, w7, minusP, inverse, magic);
                x0.Store(at); x1.Store(at + t); x2.Store(at + 2 * t); x3.Store(at + 3 * t);
                x4.Store(at + 4 * t); x5.Store(at + 5 * t); x6.Store(at + 6 * t); x7.Store(at + 7 * t);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void ForwardFour(double* a, NttTables tables, int blocks, bool reduce)
    {
        double* table = tables.Forward;
        Lanes minusP = Vector512.Create(-tables.Modulus.P), inverse = Vector512.Create(tables.Modulus.Inverse), magic = Vector512.Create(Modulus.Magic);
        nint t = tables.Degree / blocks / 4;
        for (int block = 0; block < blocks; block++)
        {
            Lanes w1 = Vector512.Create(table[blocks + block]);
            Lanes w2 = Vector512.Create(table[2 * (blocks + block)]), w3 = Vector512.Create(table[2 * (blocks + block) + 1]);
            double* at = a + block * 4 * t;
            for (double* end = at + t; at < end; at += Width)
            {
                Lanes x0 = Vector512.Load(at), x1 = Vector512.Load(at + t), x2 = Vector512.Load(at + 2 * t), x3 = Vector512.Load(at + 3 * t);
                if (reduce)
                {
                    x0 = Reduce(x0, minusP, inverse, magic);
                    x1 = Reduce(x1, minusP, inverse, magic);
                }
                Turn(ref x0, ref x2, w1, minusP, inverse, magic);
                Turn(ref x1, ref x3, w1, minusP, inverse, magic);
                Turn(ref x0, ref x1, w2, minusP, inverse, magic);
                Turn(ref x2, ref x3, w3, minusP, inverse, magic);
                x0.Store(at); x1.Store(at + t); x2.Store(at + 2 * t); x3.Store(at + 3 * t);
            }
        }
    }

    // Levels with strides 4, 2 and 1; the results are balanced.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void ForwardTail(double* a, NttTables tables, bool transposed)
    {
        Lanes minusP = Vector512.Create(-tables.Modulus.P), inverse = Vector512.Create(tables.Modulus.Inverse), magic = Vector512.Create(Modulus.Magic);
        double* w = tables.ForwardTail;
        for (double* at = a, end = a + tables.Degree; at < end; at += 64, w += 56)
        {
            Lanes x0 = Vector512.Load(at), x1 = Vector512.Load(at + 8), x2 = Vector512.Load(at + 16), x3 = Vector512.Load(at + 24);
            Lanes x4 = Vector512.Load(at + 32), x5 = Vector512.Load(at + 40), x6 = Vector512.Load(at + 48), x7 = Vector512.Load(at + 56);
            TurnLast(ref x0, ref x1, ref x2, ref x3, ref x4, ref x5, ref x6, ref x7, w, minusP, inverse, magic);
            x0 = Reduce(x0, minusP, inverse, magic);
            x1 = Reduce(x1, minusP, inverse, magic);
            x2 = Reduce(x2, minusP, inverse, magic);
            x3 = Reduce(x3, minusP, inverse, magic);
            x4 = Reduce(x4, minusP, inverse, magic);
            x5 = Reduce(x5, minusP, inverse, magic);
            x6 = Reduce(x6, minusP, inverse, magic);
            x7 = Reduce(x7, minusP, inverse, magic);
            if (transposed) Transpose(ref x0, ref x1, ref x2, ref x3, ref x4, ref x5, ref x6, ref x7);
            x0.Store(at); x1.Store(at + 8); x2.Store(at + 16); x3.Store(at + 24);
            x4.Store(at + 32); x5.Store(at + 40); x6.Store(at + 48); x7.Store(at + 56);
        }
    }

    // Levels with strides 1, 2 and 4: seven of the twelve twiddles are 1 and are not multiplied by.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void InverseHead(double* from, double* a, NttTables tables, bool transposed)
    {
        Lanes minusP = Vector512.Create(-tables.Modulus.P), inverse = Vector512.Create(tables.Modulus.Inverse), magic = Vector512.Create(Modulus.Magic);
        Lanes w3 = Vector512.Create(tables.Inverse[3]), w5 = Vector512.Create(tables.Inverse[5]), w6 = Vector512.Create(tables.Inverse[6]), w7 = Vector512.Create(tables.Inverse[7]);
        for (double* at = a, end = a + tables.Degree; at < end; at += 64, from += 64)
        {
            Lanes x0 = Vector512.Load(from), x1 = Vector512.Load(from + 8), x2 = Vector512.Load(from + 16), x3 = Vector512.Load(from + 24);
            Lanes x4 = Vector512.Load(from + 32), x5 = Vector512.Load(from + 40), x6 = Vector512.Load(from + 48), x7 = Vector512.Load(from + 56);
            if (transposed) Transpose(ref x0, ref x1, ref x2, ref x3, ref x4, ref x5, ref x6, ref x7);
            Turn(ref x0, ref x1);
            Turn(ref x2, ref x3);
            Turn(ref x4, ref x5);
            Turn(ref x6, ref x7);
            Turn(ref x0, ref x2);
            Turn(ref x1, ref x3, w3, minusP, inverse, magic);
            Turn(ref x4, ref x6);
            Turn(ref x5, ref x7, w3, minusP, inverse, magic);
            Turn(ref x0, ref x4);
            Turn(ref x1, ref x5, w5, minusP, inverse, magic);
            Turn(ref x2, ref x6, w6, minusP, inverse, magic);
            Turn(ref x3, ref x7, w7, minusP, inverse, magic);
            Transpose(ref x0, ref x1, ref x2, ref x3, ref x4, ref x5, ref x6, ref x7);
            x0.Store(at); x1.Store(at + 8); x2.Store(at + 16); x3.Store(at + 24);
            x4.Store(at + 32); x5.Store(at + 40); x6.Store(at + 48); x7.Store(at + 56);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void InverseEight(double* a, NttTables tables, nint h, bool reduce, bool last)
    {
        double* table = tables.Inverse;
        Lanes minusP = Vector512.Create(-tables.Modulus.P), inverse = Vector512.Create(tables.Modulus.Inverse), magic = Vector512.Create(Modulus.Magic);
        for (double* at = a, all = a + tables.Degree; at < all; at += 7 * h)
        {
            double* w = table + h;
            for (double* end = at + h; at < end; at += Width, w += Width)
            {
                Lanes x0 = Vector512.Load(at), x1 = Vector512.Load(at + h), x2 = Vector512.Load(at + 2 * h), x3 = Vector512.Load(at + 3 * h);
                Lanes x4 = Vector512.Load(at + 4 * h), x5 = Vector512.Load(at + 5 * h), x6 = Vector512.Load(at + 6 * h), x7 = Vector512.Load(at + 7 * h);
                if (reduce)
                {
                    x0 = Reduce(x0, minusP, inverse, magic);
                    x2 = Reduce(x2, minusP, inverse, magic);
                    x4 = Reduce(x4, minusP, inverse, magic);
                    x6 = Reduce(x6, minusP, inverse, magic);
                }
                // w points into the twiddles of stride h; those of 2h lie h further on, those of 4h another 2h.
                Lanes w1 = Vector512.Load(w);
                Turn(ref x0, ref x1, w1, minusP, inverse, magic);
                Turn(ref x2, ref x3, w1, minusP, inverse, magic);
                Turn(ref x4, ref x5, w1, minusP, inverse, magic);
                Turn(ref x6, ref x7, w1, minusP, inverse, magic);
                Lanes w2 = Vector512.Load(w + h), w3 = Vector512.Load(w + 2 * h);
                Turn(ref x0, ref x2, w2, minusP, inverse, magic);
                Turn(ref x4, ref x6, w2, minusP, inverse, magic);
                Turn(ref x1, ref x3, w3, minusP, inverse, magic);
                Turn(ref x5, ref x7, w3, minusP, inverse, magic);
                Turn(ref x0, ref x4, Vector512.Load(w + 3 * h), minusP, inverse, magic);
                Turn(ref x1, ref x5, Vector512.Load(w + 4 * h), minusP, inverse, magic);
                Turn(ref x2, ref x6, Vector512.Load(w + 5 * h), minusP, inverse, magic);
                Turn(ref x3, ref x7, Vector512.Load(w + 6 * h), minusP, inverse, magic);
                if (last)
                {
                    double* scale = tables.Scale + (at - a);
                    x0 = Scale(x0, scale, minusP, inverse, magic);
                    x1 = Scale(x1, scale + h, minusP, inverse, magic);
                    x2 = Scale(x2, scale + 2 * h, minusP, inverse, magic);
                    x3 = Scale(x3, scale + 3 * h, minusP, inverse, magic);
                    x4 = Scale(x4, scale + 4 * h, minusP, inverse, magic);
                    x5 = Scale(x5, scale + 5 * h, minusP, inverse, magic);
                    x6 = Scale(x6, scale + 6 * h, minusP, inverse, magic);
                    x7 = Scale(x7, scale + 7 * h, minusP, inverse, magic);
                }
                x0.Store(at); x1.Store(at + h); x2.Store(at + 2 * h); x3.Store(at + 3 * h);
                x4.Store(at + 4 * h); x5.Store(at + 5 * h); x6.Store(at + 6 * h); x7.Store(at + 7 * h);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void InverseFour(double* a, NttTables tables, nint h, bool reduce, bool last)
    {
        double* table = tables.Inverse;
        Lanes minusP = Vector512.Create(-tables.Modulus.P), inverse = Vector512.Create(tables.Modulus.Inverse), magic = Vector512.Create(Modulus.Magic);
        for (double* at = a, all = a + tables.Degree; at < all; at += 3 * h)
        {
            double* w = table + h;
            for (double* end = at + h; at < end; at += Width, w += Width)
            {
                Lanes x0 = Vector512.Load(at), x1 = Vector512.Load(at + h), x2 = Vector512.Load(at + 2 * h), x3 = Vector512.Load(at + 3 * h);
                if (reduce)
                {
                    x0 = Reduce(x0, minusP, inverse, magic);
                    x2 = Reduce(x2, minusP, inverse, magic);
                }
                Lanes w1 = Vector512.Load(w);
                Turn(ref x0, ref x1, w1, minusP, inverse, magic);
                Turn(ref x2, ref x3, w1, minusP, inverse, magic);
                Turn(ref x0, ref x2, Vector512.Load(w + h), minusP, inverse, magic);
                Turn(ref x1, ref x3, Vector512.Load(w + 2 * h), minusP, inverse, magic);
                if (last)
                {
                    double* scale = tables.Scale + (at - a);
                    x0 = Scale(x0, scale, minusP, inverse, magic);
                    x1 = Scale(x1, scale + h, minusP, inverse, magic);
                    x2 = Scale(x2, scale + 2 * h, minusP, inverse, magic);
                    x3 = Scale(x3, scale + 3 * h, minusP, inverse, magic);
                }
                x0.Store(at); x1.Store(at + h); x2.Store(at + 2 * h); x3.Store(at + 3 * h);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Lanes Scale(Lanes x, double* scale, Lanes minusP, Lanes inverse, Lanes magic) =>
        Reduce(Multiply(x, Vector512.Load(scale), minusP, inverse, magic), minusP, inverse, magic);
}
