using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cloister.Homomorphic.Ring;

/// <summary>How many coefficients a kernel handles at once. Every width gives the same bits; only the time differs.</summary>
public enum VectorWidth
{
    /// <summary>One: the definition, and the fallback.</summary>
    Scalar,

    /// <summary>Four lanes: AVX2 with FMA, or a pair of AdvSimd registers.</summary>
    Wide256,

    /// <summary>Eight lanes: AVX-512.</summary>
    Wide512,
}

/// <summary>The width that suits this processor.</summary>
public static class VectorWidths
{
    /// <summary>The fastest width that the processor carries out in hardware.</summary>
    public static VectorWidth Best =>
        Vector512.IsHardwareAccelerated ? VectorWidth.Wide512
        : (Vector256.IsHardwareAccelerated && Fma.IsSupported) || System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.IsSupported ? VectorWidth.Wide256
        : VectorWidth.Scalar;
}
