using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static Cloister.Homomorphic.Ring.Butterfly256;
using Lanes = System.Runtime.Intrinsics.Vector256<double>;

namespace Cloister.Homomorphic.Ring;

/// <summary>
/// Both transforms on four lanes. Three or two levels a pass, eight or four vectors in registers; the three levels whose stride is
/// below a vector work on four blocks at once, one a lane, after or before a transposition. Bounds: <see cref="NttScalar"/>.
/// The passes are compiled in full at once: before the optimising compiler has seen them, vector loops are a hundred times slower.
/// </summary>
internal static unsafe class Ntt256
{
    private const int Width = 4;

    internal static void Forward(double* a, NttTables tables)
    {
        int level = 0, left = tables.Log - 3;
        for (; left % 3 == 0 ? left > 0 : left > 4; level += 3, left -= 3) ForwardEight(a, tables, 1 << level, level == tables.ForwardReduction);
        for (; left > 0; level += 2, left -= 2) ForwardFour(a, tables, 1 << level, level == tables.ForwardReduction);
        ForwardTail(a, tables);
    }

    internal static void Inverse(double* a, NttTables tables)
    {
        InverseHead(a, tables);
        int level = 3, left = tables.Log - 3;
        for (; left % 3 == 0 ? left > 0 : left > 4; level += 3, left -= 3)
            InverseEight(a, tables, 1 << level, level == tables.FirstInverseReduction || level == tables.InverseReduction, left == 3);
        for (; left > 0; level += 2, left -= 2)
            InverseFour(a, tables, 1 << level, level == tables.FirstInverseReduction || level == tables.InverseReduction, left == 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void ForwardEight(double* a, NttTables tables, int blocks, bool reduce)
    {
        double* table = tables.Forward;
        Lanes minusP = Vector256.Create(-tables.Modulus.P), inverse = Vector256.Create(tables.Modulus.Inverse), magic = Vector256.Create(Modulus.Magic);
        nint t = tables.Degree / blocks / 8;
        for (int block = 0; block < blocks; block++)
        {
            double* w = table + blocks + block;
            Lanes w1 = Vector256.Create(w[0]);
            w = table + 2 * (blocks + block);
            Lanes w2 = Vector256.Create(w[0]), w3 = Vector256.Create(w[1]);
            w = table + 4 * (blocks + block);
            Lanes w4 = Vector256.Create(w[0]), w5 = Vector256.Create(w[1]), w6 = Vector256.Create(w[2]), w7 = Vector256.Create(w[3]);
            double* at = a + block * 8 * t;
            for (double* end = at + t; at < end; at += Width)
            {
                Lanes x0 = Vector256.Load(at), x1 = Vector256.Load(at + t), x2 = Vector256.Load(at + 2 * t), x3 = Vector256.Load(at + 3 * t);
                Lanes x4 = Vector256.Load(at + 4 * t), x5 = Vector256.Load(at + 5 * t), x6 = Vector256.Load(at + 6 * t), x7 = Vector256.Load(at + 7 * t);
                if (reduce)
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
        Lanes minusP = Vector256.Create(-tables.Modulus.P), inverse = Vector256.Create(tables.Modulus.Inverse), magic = Vector256.Create(Modulus.Magic);
        nint t = tables.Degree / blocks / 4;
        for (int block = 0; block < blocks; block++)
        {
            Lanes w1 = Vector256.Create(table[blocks + block]);
            Lanes w2 = Vector256.Create(table[2 * (blocks + block)]), w3 = Vector256.Create(table[2 * (blocks + block) + 1]);
            double* at = a + block * 4 * t;
            for (double* end = at + t; at < end; at += Width)
            {
                Lanes x0 = Vector256.Load(at), x1 = Vector256.Load(at + t), x2 = Vector256.Load(at + 2 * t), x3 = Vector256.Load(at + 3 * t);
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

    // Levels with strides 4, 2 and 1; the results are balanced. Of the eight blocks of a run of 64, four at a time: both halves are read
    // before either is written, since the transposed rows of one lie in the blocks of the other.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void ForwardTail(double* a, NttTables tables)
    {
        double* run = stackalloc double[64];
        double* w = tables.ForwardTail;
        for (double* at = a, end = a + tables.Degree; at < end; at += 64, w += 56)
        {
            ForwardRun(at, run, w, tables.Modulus);
            ForwardRun(at + 32, run + 4, w + 4, tables.Modulus);
            new ReadOnlySpan<double>(run, 64).CopyTo(new Span<double>(at, 64));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void ForwardRun(double* from, double* to, double* w, Modulus modulus)
    {
        Lanes minusP = Vector256.Create(-modulus.P), inverse = Vector256.Create(modulus.Inverse), magic = Vector256.Create(Modulus.Magic);
        Lanes x0 = Vector256.Load(from), x1 = Vector256.Load(from + 8), x2 = Vector256.Load(from + 16), x3 = Vector256.Load(from + 24);
        Lanes x4 = Vector256.Load(from + 4), x5 = Vector256.Load(from + 12), x6 = Vector256.Load(from + 20), x7 = Vector256.Load(from + 28);
        Transpose(ref x0, ref x1, ref x2, ref x3);
        Transpose(ref x4, ref x5, ref x6, ref x7);
        Lanes w1 = Vector256.Load(w);
        Turn(ref x0, ref x4, w1, minusP, inverse, magic);
        Turn(ref x1, ref x5, w1, minusP, inverse, magic);
        Turn(ref x2, ref x6, w1, minusP, inverse, magic);
        Turn(ref x3, ref x7, w1, minusP, inverse, magic);
        Lanes w2 = Vector256.Load(w + 8), w3 = Vector256.Load(w + 16);
        Turn(ref x0, ref x2, w2, minusP, inverse, magic);
        Turn(ref x1, ref x3, w2, minusP, inverse, magic);
        Turn(ref x4, ref x6, w3, minusP, inverse, magic);
        Turn(ref x5, ref x7, w3, minusP, inverse, magic);
        Turn(ref x0, ref x1, Vector256.Load(w + 24), minusP, inverse, magic);
        Turn(ref x2, ref x3, Vector256.Load(w + 32), minusP, inverse, magic);
        Turn(ref x4, ref x5, Vector256.Load(w + 40), minusP, inverse, magic);
        Turn(ref x6, ref x7, Vector256.Load(w + 48), minusP, inverse, magic);
        Reduce(x0, minusP, inverse, magic).Store(to);
        Reduce(x1, minusP, inverse, magic).Store(to + 8);
        Reduce(x2, minusP, inverse, magic).Store(to + 16);
        Reduce(x3, minusP, inverse, magic).Store(to + 24);
        Reduce(x4, minusP, inverse, magic).Store(to + 32);
        Reduce(x5, minusP, inverse, magic).Store(to + 40);
        Reduce(x6, minusP, inverse, magic).Store(to + 48);
        Reduce(x7, minusP, inverse, magic).Store(to + 56);
    }

    // Levels with strides 1, 2 and 4: seven of the twelve twiddles are 1 and are not multiplied by.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void InverseHead(double* a, NttTables tables)
    {
        double* run = stackalloc double[64];
        for (double* at = a, end = a + tables.Degree; at < end; at += 64)
        {
            InverseRun(at, run, tables);
            InverseRun(at + 4, run + 32, tables);
            new ReadOnlySpan<double>(run, 64).CopyTo(new Span<double>(at, 64));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void InverseRun(double* from, double* to, NttTables tables)
    {
        Lanes minusP = Vector256.Create(-tables.Modulus.P), inverse = Vector256.Create(tables.Modulus.Inverse), magic = Vector256.Create(Modulus.Magic);
        Lanes w3 = Vector256.Create(tables.Inverse[3]), w5 = Vector256.Create(tables.Inverse[5]), w6 = Vector256.Create(tables.Inverse[6]), w7 = Vector256.Create(tables.Inverse[7]);
        Lanes x0 = Vector256.Load(from), x1 = Vector256.Load(from + 8), x2 = Vector256.Load(from + 16), x3 = Vector256.Load(from + 24);
        Lanes x4 = Vector256.Load(from + 32), x5 = Vector256.Load(from + 40), x6 = Vector256.Load(from + 48), x7 = Vector256.Load(from + 56);
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
        Transpose(ref x0, ref x1, ref x2, ref x3);
        Transpose(ref x4, ref x5, ref x6, ref x7);
        x0.Store(to); x1.Store(to + 8); x2.Store(to + 16); x3.Store(to + 24);
        x4.Store(to + 4); x5.Store(to + 12); x6.Store(to + 20); x7.Store(to + 28);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void InverseEight(double* a, NttTables tables, nint h, bool reduce, bool last)
    {
        double* table = tables.Inverse;
        Lanes minusP = Vector256.Create(-tables.Modulus.P), inverse = Vector256.Create(tables.Modulus.Inverse), magic = Vector256.Create(Modulus.Magic);
        for (double* at = a, all = a + tables.Degree; at < all; at += 7 * h)
        {
            double* w = table + h;
            for (double* end = at + h; at < end; at += Width, w += Width)
            {
                Lanes x0 = Vector256.Load(at), x1 = Vector256.Load(at + h), x2 = Vector256.Load(at + 2 * h), x3 = Vector256.Load(at + 3 * h);
                Lanes x4 = Vector256.Load(at + 4 * h), x5 = Vector256.Load(at + 5 * h), x6 = Vector256.Load(at + 6 * h), x7 = Vector256.Load(at + 7 * h);
                if (reduce)
                {
                    x0 = Reduce(x0, minusP, inverse, magic);
                    x2 = Reduce(x2, minusP, inverse, magic);
                    x4 = Reduce(x4, minusP, inverse, magic);
                    x6 = Reduce(x6, minusP, inverse, magic);
                }
                // w points into the twiddles of stride h; those of 2h lie h further on, those of 4h another 2h.
                Lanes w1 = Vector256.Load(w);
                Turn(ref x0, ref x1, w1, minusP, inverse, magic);
                Turn(ref x2, ref x3, w1, minusP, inverse, magic);
                Turn(ref x4, ref x5, w1, minusP, inverse, magic);
                Turn(ref x6, ref x7, w1, minusP, inverse, magic);
                Lanes w2 = Vector256.Load(w + h), w3 = Vector256.Load(w + 2 * h);
                Turn(ref x0, ref x2, w2, minusP, inverse, magic);
                Turn(ref x4, ref x6, w2, minusP, inverse, magic);
                Turn(ref x1, ref x3, w3, minusP, inverse, magic);
                Turn(ref x5, ref x7, w3, minusP, inverse, magic);
                Turn(ref x0, ref x4, Vector256.Load(w + 3 * h), minusP, inverse, magic);
                Turn(ref x1, ref x5, Vector256.Load(w + 4 * h), minusP, inverse, magic);
                Turn(ref x2, ref x6, Vector256.Load(w + 5 * h), minusP, inverse, magic);
                Turn(ref x3, ref x7, Vector256.Load(w + 6 * h), minusP, inverse, magic);
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
        Lanes minusP = Vector256.Create(-tables.Modulus.P), inverse = Vector256.Create(tables.Modulus.Inverse), magic = Vector256.Create(Modulus.Magic);
        for (double* at = a, all = a + tables.Degree; at < all; at += 3 * h)
        {
            double* w = table + h;
            for (double* end = at + h; at < end; at += Width, w += Width)
            {
                Lanes x0 = Vector256.Load(at), x1 = Vector256.Load(at + h), x2 = Vector256.Load(at + 2 * h), x3 = Vector256.Load(at + 3 * h);
                if (reduce)
                {
                    x0 = Reduce(x0, minusP, inverse, magic);
                    x2 = Reduce(x2, minusP, inverse, magic);
                }
                Lanes w1 = Vector256.Load(w);
                Turn(ref x0, ref x1, w1, minusP, inverse, magic);
                Turn(ref x2, ref x3, w1, minusP, inverse, magic);
                Turn(ref x0, ref x2, Vector256.Load(w + h), minusP, inverse, magic);
                Turn(ref x1, ref x3, Vector256.Load(w + 2 * h), minusP, inverse, magic);
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
        Reduce(Multiply(x, Vector256.Load(scale), minusP, inverse, magic), minusP, inverse, magic);
}
