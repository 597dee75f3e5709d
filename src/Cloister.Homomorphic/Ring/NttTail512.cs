using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static Cloister.Homomorphic.Ring.Butterfly512;
using Lanes = System.Runtime.Intrinsics.Vector512<double>;

namespace Cloister.Homomorphic.Ring;

/// <summary>What becomes of eight values that a forward transform has just finished, still in a register and not yet reduced: see <see cref="NttScalar"/> for how large they are.</summary>
internal interface INttSink
{
    void Take(Lanes values, nint at);
}

/// <summary>
/// The last pass of a forward transform on eight lanes, levels with strides 4, 2 and 1, that hands its values on instead of writing them back: what is
/// multiplied by large keys then waits for memory while the next values are computed.
/// </summary>
internal static unsafe class NttTail512
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static void Run<TSink>(double* a, NttTables tables, TSink sink)
        where TSink : struct, INttSink
    {
        Lanes minusP = Vector512.Create(-tables.Modulus.P), inverse = Vector512.Create(tables.Modulus.Inverse), magic = Vector512.Create(Modulus.Magic);
        double* w = tables.ForwardTail;
        for (nint i = 0; i < tables.Degree; i += 64, w += 56)
        {
            double* at = a + i;
            Lanes x0 = Vector512.Load(at), x1 = Vector512.Load(at + 8), x2 = Vector512.Load(at + 16), x3 = Vector512.Load(at + 24);
            Lanes x4 = Vector512.Load(at + 32), x5 = Vector512.Load(at + 40), x6 = Vector512.Load(at + 48), x7 = Vector512.Load(at + 56);
            TurnLast(ref x0, ref x1, ref x2, ref x3, ref x4, ref x5, ref x6, ref x7, w, minusP, inverse, magic);
            sink.Take(x0, i);
            sink.Take(x1, i + 8);
            sink.Take(x2, i + 16);
            sink.Take(x3, i + 24);
            sink.Take(x4, i + 32);
            sink.Take(x5, i + 40);
            sink.Take(x6, i + 48);
            sink.Take(x7, i + 56);
        }
    }
}
