namespace Cloister.Homomorphic.Ring;

/// <summary>A degree and a chain of moduli that were checked against the security tables. Nothing above the ring takes any other.</summary>
public sealed class RingParameters
{
    private RingParameters(RnsBasis basis, SecurityLevel level) => (Basis, Level) = (basis, level);

    /// <summary>The number of coefficients.</summary>
    public int Degree => Basis.Degree;

    /// <summary>The whole chain; a scheme's special prime comes last.</summary>
    public RnsBasis Basis { get; }

    /// <summary>The security that the tables grant.</summary>
    public SecurityLevel Level { get; }

    /// <summary>Checks a chain given by its primes.</summary>
    /// <param name="degree">A power of two from 1024 to 32768.</param>
    /// <param name="primes">The whole chain, special primes included, each at most 49 bits and 1 modulo twice the degree.</param>
    /// <param name="level">The security wanted.</param>
    /// <exception cref="HomomorphicException">The chain is refused; the number says why.</exception>
    public static RingParameters Create(int degree, ReadOnlySpan<ulong> primes, SecurityLevel level = SecurityLevel.Bits128)
    {
        int limit = SecurityTable.MaximumBits(degree, level);
        if (primes.Length is 0 or > RnsBasis.MaximumModuli)
            throw new HomomorphicException(HomomorphicError.ChainLength, $"A chain has 1 to {RnsBasis.MaximumModuli} moduli, not {primes.Length}.");
        var moduli = new Modulus[primes.Length];
        for (int i = 0; i < moduli.Length; i++)
        {
            moduli[i] = new Modulus(primes[i]);
            if (primes[i] % (2 * (ulong)degree) != 1)
                throw new HomomorphicException(HomomorphicError.ModulusHasNoTransform, $"The modulus {primes[i]} is not 1 modulo {2 * degree}.");
        }
        var basis = new RnsBasis(degree, moduli);
        long bits = basis.Product.GetBitLength();
        return bits <= limit
            ? new RingParameters(basis, level)
            : throw new HomomorphicException(HomomorphicError.InsecureParameters, $"A product of {bits} bits at degree {degree} is less than {(int)level} bits secure: ePrint 2024/463 allows {limit}. Use fewer or smaller moduli, or a larger degree.");
    }

    /// <summary>Checks a chain given by the sizes of its primes: of each size the largest there are, the smaller ones first, as SEAL chooses them.</summary>
    /// <param name="degree">A power of two from 1024 to 32768.</param>
    /// <param name="bits">The size of every prime in the chain.</param>
    /// <param name="level">The security wanted.</param>
    /// <exception cref="HomomorphicException">The chain is refused; the number says why.</exception>
    public static RingParameters Create(int degree, ReadOnlySpan<int> bits, SecurityLevel level = SecurityLevel.Bits128)
    {
        _ = SecurityTable.MaximumBits(degree, level);
        if (bits.Length is 0 or > RnsBasis.MaximumModuli)
            throw new HomomorphicException(HomomorphicError.ChainLength, $"A chain has 1 to {RnsBasis.MaximumModuli} moduli, not {bits.Length}.");
        var primes = new ulong[bits.Length];
        var bySize = new Dictionary<int, Stack<ulong>>();
        for (int i = 0; i < primes.Length; i++)
        {
            if (bits[i] is < 11 or > NttPrimes.MaximumBits)
                throw new HomomorphicException(HomomorphicError.ModulusSize, $"A modulus has 11 to {NttPrimes.MaximumBits} bits, not {bits[i]}.");
            if (!bySize.TryGetValue(bits[i], out Stack<ulong>? left))
                bySize[bits[i]] = left = new Stack<ulong>(NttPrimes.Generate(bits[i], 2 * (ulong)degree, bits.Count(bits[i])));
            primes[i] = left.Pop();
        }
        return Create(degree, primes, level);
    }

    /// <summary>Cloister's own chain, as large as the tables allow: at 128 bits one prime of 49 bits for 2048, 35 + 35 + 36 for 4096, 4 x 43 + 42 for 8192, 8 x 48 + 46 for 16384.</summary>
    /// <exception cref="HomomorphicException">The tables have no such degree.</exception>
    public static RingParameters Standard(int degree, SecurityLevel level = SecurityLevel.Bits128) => Create(degree, StandardBits(degree, level), level);

    private static int[] StandardBits(int degree, SecurityLevel level) => (level, degree) switch
    {
        (SecurityLevel.Bits128, 1024) => [26],
        (SecurityLevel.Bits128, 2048) => [49],
        (SecurityLevel.Bits128, 4096) => [35, 35, 36],
        (SecurityLevel.Bits128, 8192) => [43, 43, 43, 43, 42],
        (SecurityLevel.Bits128, 16384) => [.. Enumerable.Repeat(48, 8), 46],
        (SecurityLevel.Bits128, 32768) => [.. Enumerable.Repeat(48, 18)],
        (SecurityLevel.Bits192, 2048) => [36],
        (SecurityLevel.Bits192, 4096) => [36, 37],
        (SecurityLevel.Bits192, 8192) => [49, 49, 49],
        (SecurityLevel.Bits192, 16384) => [49, 49, 49, 49, 49, 49],
        (SecurityLevel.Bits192, 32768) => [.. Enumerable.Repeat(49, 12)],
        (SecurityLevel.Bits256, 2048) => [27],
        (SecurityLevel.Bits256, 4096) => [28, 28],
        (SecurityLevel.Bits256, 8192) => [38, 38, 38],
        (SecurityLevel.Bits256, 16384) => [46, 46, 46, 46, 46],
        (SecurityLevel.Bits256, 32768) => [.. Enumerable.Repeat(46, 10)],
        _ => throw new HomomorphicException(HomomorphicError.NotInTables, $"There is no chain of degree {degree} for {(int)level} bits of security: {SecurityTable.MaximumBits(degree, level)} bits would be allowed."),
    };
}
