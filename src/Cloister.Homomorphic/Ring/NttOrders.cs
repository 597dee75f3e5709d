namespace Cloister.Homomorphic.Ring;

/// <summary>In which order a transform's values lie. Products are element-wise, so any order serves as long as it is the same.</summary>
public enum NttOrder
{
    /// <summary>The kernels' own: bit-reversed, each run of 64 values seen as an 8 by 8 matrix and transposed.</summary>
    Internal,

    /// <summary>Bit-reversed, as SEAL's: value i is that of the polynomial at psi^(2 * reverse(i) + 1), psi the least primitive 2n-th root of unity.</summary>
    BitReversed,
}

/// <summary>Changes one order into the other; it is its own inverse.</summary>
internal static unsafe class NttOrders
{
    internal static void Transpose(double* a, int n)
    {
        for (double* block = a; block < a + n; block += 64)
            for (int row = 1; row < 8; row++)
                for (int column = 0; column < row; column++)
                    (block[row * 8 + column], block[column * 8 + row]) = (block[column * 8 + row], block[row * 8 + column]);
    }
}
