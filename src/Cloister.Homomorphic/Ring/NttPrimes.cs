using System.Numerics;

namespace Cloister.Homomorphic.Ring;

/// <summary>Primes p = 1 mod a step (a multiple of twice the degree), found and tested deterministically: the same on every machine.</summary>
public static class NttPrimes
{
    /// <summary>The most bits a modulus may have: its residues and the growth of a transform fit the 53 bits of a double.</summary>
    public const int MaximumBits = 49;

    // The first twelve primes decide primality of every number below 3.18e23 (Sorenson and Webster, 2015), so of every ulong.
    private static ReadOnlySpan<byte> Witnesses => [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];

    /// <summary>The largest primes below 2^<paramref name="bits"/> that are 1 modulo <paramref name="step"/>, in descending order.</summary>
    /// <param name="bits">The size of every prime, 11 to 49: each is above 2^(bits - 1).</param>
    /// <param name="step">Twice the degree, or a common multiple of it and a plaintext modulus.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="HomomorphicException">There are fewer (<see cref="HomomorphicError.NotEnoughPrimes"/>).</exception>
    public static ulong[] Generate(int bits, ulong step, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bits, 11);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bits, MaximumBits);
        ArgumentOutOfRangeException.ThrowIfZero(step);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var primes = new ulong[count];
        ulong least = 1UL << (bits - 1), candidate = ((1UL << bits) - 2) / step * step + 1;
        for (int found = 0; found < count; candidate -= step)
        {
            if (candidate <= least || candidate <= step)
                throw new HomomorphicException(HomomorphicError.NotEnoughPrimes, $"Only {found} of {count} primes of {bits} bits are 1 modulo {step}. Use larger primes or a smaller degree.");
            if (IsPrime(candidate)) primes[found++] = candidate;
        }
        return primes;
    }

    /// <summary>Whether a number is prime: Miller and Rabin's test with witnesses that leave no doubt for 64 bits. Not constant-time; moduli are public.</summary>
    public static bool IsPrime(ulong value)
    {
        if (value < 2) return false;
        foreach (byte witness in Witnesses)
            if (value % witness == 0) return value == witness;
        int twos = BitOperations.TrailingZeroCount(value - 1);
        foreach (byte witness in Witnesses)
        {
            ulong power = Power(witness, (value - 1) >> twos, value);
            if (power == 1) continue;
            for (int squared = 1; power != value - 1 && squared < twos; squared++) power = Multiply(power, power, value);
            if (power != value - 1) return false;
        }
        return true;
    }

    internal static ulong Multiply(ulong a, ulong b, ulong modulus) => (ulong)((UInt128)a * b % modulus);

    internal static ulong Power(ulong value, ulong exponent, ulong modulus)
    {
        ulong result = 1 % modulus;
        for (value %= modulus; exponent != 0; exponent >>= 1)
        {
            if ((exponent & 1) != 0) result = Multiply(result, value, modulus);
            value = Multiply(value, value, modulus);
        }
        return result;
    }

    /// <summary>The inverse modulo a prime, by Fermat. Zero has none and gives zero.</summary>
    internal static ulong Invert(ulong value, ulong prime) => Power(value, prime - 2, prime);

    /// <summary>The least primitive root of unity of an order (a power of two that divides prime - 1): the one that SEAL takes, too.</summary>
    internal static ulong LeastRoot(ulong order, ulong prime)
    {
        ulong root = 0;
        for (ulong candidate = 2; root == 0; candidate++)
        {
            ulong power = Power(candidate, (prime - 1) / order, prime);
            if (Power(power, order / 2, prime) == prime - 1) root = power;
        }
        ulong square = Multiply(root, root, prime), least = root;
        for (ulong odd = 1; odd < order; odd += 2, root = Multiply(root, square, prime)) least = Math.Min(least, root);
        return least;
    }
}
