namespace Cloister.Homomorphic.Ring;

/// <summary>The classical security that parameters must reach.</summary>
public enum SecurityLevel
{
    /// <summary>128 bits.</summary>
    Bits128 = 128,

    /// <summary>192 bits.</summary>
    Bits192 = 192,

    /// <summary>256 bits.</summary>
    Bits256 = 256,
}

/// <summary>How large the product of all moduli, special primes included, may be: Bossuat et al., ePrint 2024/463, table 5.2, uniform ternary secrets.</summary>
public static class SecurityTable
{
    /// <summary>The most bits that the product may have.</summary>
    /// <param name="degree">A power of two from 1024 to 32768.</param>
    /// <param name="level">The security wanted.</param>
    /// <exception cref="HomomorphicException">The tables have no such entry.</exception>
    public static int MaximumBits(int degree, SecurityLevel level) => (level, degree) switch
    {
        (SecurityLevel.Bits128, 1024) => 26,
        (SecurityLevel.Bits128, 2048) => 53,
        (SecurityLevel.Bits128, 4096) => 106,
        (SecurityLevel.Bits128, 8192) => 214,
        (SecurityLevel.Bits128, 16384) => 430,
        (SecurityLevel.Bits128, 32768) => 868,
        (SecurityLevel.Bits192, 2048) => 36,
        (SecurityLevel.Bits192, 4096) => 73,
        (SecurityLevel.Bits192, 8192) => 147,
        (SecurityLevel.Bits192, 16384) => 297,
        (SecurityLevel.Bits192, 32768) => 597,
        (SecurityLevel.Bits256, 2048) => 27,
        (SecurityLevel.Bits256, 4096) => 56,
        (SecurityLevel.Bits256, 8192) => 114,
        (SecurityLevel.Bits256, 16384) => 230,
        (SecurityLevel.Bits256, 32768) => 462,
        _ => throw new HomomorphicException(HomomorphicError.NotInTables, $"ePrint 2024/463 has no parameters of degree {degree} for {(int)level} bits of security here. Use a power of two from {(level == SecurityLevel.Bits128 ? 1024 : 2048)} to 32768, and 128, 192 or 256 bits."),
    };
}
