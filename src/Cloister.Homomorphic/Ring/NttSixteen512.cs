using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static Cloister.Homomorphic.Ring.Butterfly512;
using Lanes = System.Runtime.Intrinsics.Vector512<double>;

namespace Cloister.Homomorphic.Ring;

/// <summary>Four levels of a forward transform in one pass on eight lanes, for moduli below 2^48 alone: sixteen vectors in registers, nothing reduced between.</summary>
internal static unsafe class NttSixteen512
{
    /// <summary>Levels of blocks, 2, 4 and 8 times as many.</summary>
    /// <param name="from">Balanced residues, or, to be lifted, integers below 2^52 in size.</param>
    /// <param name="a">Receives the results; may be the source.</param>
    /// <param name="tables">The tables.</param>
    /// <param name="blocks">How many blocks the first of these levels has.</param>
    /// <param name="lift">Whether what is read is reduced first.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static void Forward(double* from, double* a, NttTables tables, int blocks, bool lift)
    {
        Lanes minusP = Vector512.Create(-tables.Modulus.P), inverse = Vector512.Create(tables.Modulus.Inverse), magic = Vector512.Create(Modulus.Magic);
        nint t = tables.Degree / blocks / 16;
        for (int block = 0; block < blocks; block++)
        {
            double* w1 = tables.Forward + blocks + block, w2 = tables.Forward + 2 * (blocks + block), w4 = tables.Forward + 4 * (blocks + block), w8 = tables.Forward + 8 * (blocks + block);
            double* at = a + block * 16 * t, source = from + block * 16 * t;
            for (double* end = at + t; at < end; at += 8, source += 8)
            {
                Lanes x0 = Vector512.Load(source), x1 = Vector512.Load(source + t), x2 = Vector512.Load(source + 2 * t), x3 = Vector512.Load(source + 3 * t);
                Lanes x4 = Vector512.Load(source + 4 * t), x5 = Vector512.Load(source + 5 * t), x6 = Vector512.Load(source + 6 * t), x7 = Vector512.Load(source + 7 * t);
                Lanes x8 = Vector512.Load(source + 8 * t), x9 = Vector512.Load(source + 9 * t), xa = Vector512.Load(source + 10 * t), xb = Vector512.Load(source + 11 * t);
                Lanes xc = Vector512.Load(source + 12 * t), xd = Vector512.Load(source + 13 * t), xe = Vector512.Load(source + 14 * t), xf = Vector512.Load(source + 15 * t);
                if (lift)
                {
                    x0 = Reduce(x0, minusP, inverse, magic); x1 = Reduce(x1, minusP, inverse, magic); x2 = Reduce(x2, minusP, inverse, magic); x3 = Reduce(x3, minusP, inverse, magic);
                    x4 = Reduce(x4, minusP, inverse, magic); x5 = Reduce(x5, minusP, inverse, magic); x6 = Reduce(x6, minusP, inverse, magic); x7 = Reduce(x7, minusP, inverse, magic);
                    x8 = Reduce(x8, minusP, inverse, magic); x9 = Reduce(x9, minusP, inverse, magic); xa = Reduce(xa, minusP, inverse, magic); xb = Reduce(xb, minusP, inverse, magic);
                    xc = Reduce(xc, minusP, inverse, magic); xd = Reduce(xd, minusP, inverse, magic); xe = Reduce(xe, minusP, inverse, magic); xf = Reduce(xf, minusP, inverse, magic);
                }
                Lanes w = Vector512.Create(w1[0]);
                Turn(ref x0, ref x8, w, minusP, inverse, magic); Turn(ref x1, ref x9, w, minusP, inverse, magic);
                Turn(ref x2, ref xa, w, minusP, inverse, magic); Turn(ref x3, ref xb, w, minusP, inverse, magic);
                Turn(ref x4, ref xc, w, minusP, inverse, magic); Turn(ref x5, ref xd, w, minusP, inverse, magic);
                Turn(ref x6, ref xe, w, minusP, inverse, magic); Turn(ref x7, ref xf, w, minusP, inverse, magic);
                w = Vector512.Create(w2[0]);
                Turn(ref x0, ref x4, w, minusP, inverse, magic); Turn(ref x1, ref x5, w, minusP, inverse, magic);
                Turn(ref x2, ref x6, w, minusP, inverse, magic); Turn(ref x3, ref x7, w, minusP, inverse, magic);
                w = Vector512.Create(w2[1]);
                Turn(ref x8, ref xc, w, minusP, inverse, magic); Turn(ref x9, ref xd, w, minusP, inverse, magic);
                Turn(ref xa, ref xe, w, minusP, inverse, magic); Turn(ref xb, ref xf, w, minusP, inverse, magic);
                w = Vector512.Create(w4[0]);
                Turn(ref x0, ref x2, w, minusP, inverse, magic); Turn(ref x1, ref x3, w, minusP, inverse, magic);
                w = Vector512.Create(w4[1]);
                Turn(ref x4, ref x6, w, minusP, inverse, magic); Turn(ref x5, ref x7, w, minusP, inverse, magic);
                w = Vector512.Create(w4[2]);
                Turn(ref x8, ref xa, w, minusP, inverse, magic); Turn(ref x9, ref xb, w, minusP, inverse, magic);
                w = Vector512.Create(w4[3]);
                Turn(ref xc, ref xe, w, minusP, inverse, magic); Turn(ref xd, ref xf, w, minusP, inverse, magic);
                Turn(ref x0, ref x1, Vector512.Create(w8[0]), minusP, inverse, magic); Turn(ref x2, ref x3, Vector512.Create(w8[1]), minusP, inverse, magic);
                Turn(ref x4, ref x5, Vector512.Create(w8[2]), minusP, inverse, magic); Turn(ref x6, ref x7, Vector512.Create(w8[3]), minusP, inverse, magic);
                Turn(ref x8, ref x9, Vector512.Create(w8[4]), minusP, inverse, magic); Turn(ref xa, ref xb, Vector512.Create(w8[5]), minusP, inverse, magic);
                Turn(ref xc, ref xd, Vector512.Create(w8[6]), minusP, inverse, magic); Turn(ref xe, ref xf, Vector512.Create(w8[7]), minusP, inverse, magic);
                x0.Store(at); x1.Store(at + t); x2.Store(at + 2 * t); x3.Store(at + 3 * t);
                x4.Store(at + 4 * t); x5.Store(at + 5 * t); x6.Store(at + 6 * t); x7.Store(at + 7 * t);
                x8.Store(at + 8 * t); x9.Store(at + 9 * t); xa.Store(at + 10 * t); xb.Store(at + 11 * t);
                xc.Store(at + 12 * t); xd.Store(at + 13 * t); xe.Store(at + 14 * t); xf.Store(at + 15 * t);
            }
        }
    }
}
