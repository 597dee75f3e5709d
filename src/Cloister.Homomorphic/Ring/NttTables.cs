namespace Cloister.Homomorphic.Ring;

/// <summary>
/// Powers of a primitive 2n-th root of unity psi, balanced, in the orders in which the kernels read them. Read-only once made.
/// </summary>
internal sealed unsafe class NttTables
{
    // Pinned for its whole life, so that the addresses below hold; it ends with the tables.
    private readonly double[] _memory;

    internal NttTables(int degree, Modulus modulus)
    {
        Degree = degree;
        Log = System.Numerics.BitOperations.Log2((uint)degree);
        Modulus = modulus;
        ulong p = modulus.Value, psi = NttPrimes.LeastRoot(2 * (ulong)degree, p);
        int tail = degree / 8 * 7;
        _memory = GC.AllocateUninitializedArray<double>(3 * degree + tail + 8, pinned: true);
        double* start = (double*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_memory, 0);
        Forward = (double*)((nint)(start + 7) & ~63);
        Inverse = Forward + degree;
        Scale = Inverse + degree;
        ForwardTail = Scale + degree;

        var powers = new double[degree];
        ulong power = 1;
        for (int i = 0; i < degree; i++, power = NttPrimes.Multiply(power, psi, p)) powers[i] = modulus.Balance(power);
        Inverse[0] = 0; // no level has it
        for (int i = 0; i < degree; i++) Forward[i] = powers[Reverse(i, Log)];

        ulong omega = NttPrimes.Invert(NttPrimes.Multiply(psi, psi, p), p);
        for (int half = 1; half < degree; half *= 2)
        {
            ulong step = NttPrimes.Power(omega, (ulong)(degree / (2 * half)), p);
            power = 1;
            for (int j = 0; j < half; j++, power = NttPrimes.Multiply(power, step, p)) Inverse[half + j] = modulus.Balance(power);
        }
        ulong inversePsi = NttPrimes.Invert(psi, p);
        power = NttPrimes.Invert((ulong)degree, p);
        for (int j = 0; j < degree; j++, power = NttPrimes.Multiply(power, inversePsi, p)) Scale[j] = modulus.Balance(power);

        // The last three levels work on eight blocks at once, one a lane: seven twiddles for each, lane after lane.
        for (int block = 0, eighth = degree / 8; block < eighth; block++)
        {
            double* at = ForwardTail + block / 8 * 56 + block % 8;
            at[0] = Forward[eighth + block];
            for (int i = 0; i < 2; i++) at[(1 + i) * 8] = Forward[2 * (eighth + block) + i];
            for (int i = 0; i < 4; i++) at[(3 + i) * 8] = Forward[4 * (eighth + block) + i];
        }
    }

    internal int Degree { get; }

    internal int Log { get; }

    internal Modulus Modulus { get; }

    /// <summary>At m + i: psi to the bit-reversed m + i, the twiddle of block i at the level with m blocks.</summary>
    internal double* Forward { get; }

    /// <summary>The same twiddles for the last three levels: for every 8 blocks, 7 rows (1 + 2 + 4 twiddles) of 8 lanes.</summary>
    internal double* ForwardTail { get; }

    /// <summary>At h + j: psi^(-2 * j * n/(2h)), the twiddle of place j at the level with stride h.</summary>
    internal double* Inverse { get; }

    /// <summary>At j: psi^(-j) / n.</summary>
    internal double* Scale { get; }

    /// <summary>Forward: the level before which the upper operands are reduced. 10 levels need none.</summary>
    internal int ForwardReduction => Log >= 11 && !Modulus.IsNarrow ? 6 : -1;

    /// <summary>Inverse: the second such level.</summary>
    internal int InverseReduction => Log >= 14 && !Modulus.IsNarrow ? 6 : -1;

    /// <summary>Inverse: the first level before which upper operands are reduced.</summary>
    internal int FirstInverseReduction => Modulus.IsNarrow ? -1 : 3;

    internal static int Reverse(int value, int bits)
    {
        int reversed = 0;
        for (int i = 0; i < bits; i++) reversed |= (value >> i & 1) << (bits - 1 - i);
        return reversed;
    }
}
