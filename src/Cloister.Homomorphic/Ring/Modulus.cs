using System.Runtime.CompilerServices;

namespace Cloister.Homomorphic.Ring;

/// <summary>
/// A modulus p below 2^49, an odd prime unless made by <see cref="OfPlaintext"/>, and the exact arithmetic modulo p on doubles. Residues are balanced: integers in [-(p-1)/2, (p-1)/2].
/// </summary>
/// <remarks>
/// <para>Write e = 2^-53 and round(x) for (x + Magic) - Magic. Adding Magic = 1.5 * 2^52 in the one rounding of a fused multiply-add
/// leaves a number in [2^52, 2^53), where doubles are the integers: so for |x| &lt; 2^51 round(x) is the integer nearest to the exact x.</para>
/// <para><b>Multiply</b>, for integers with |a| &lt; 2^52 and |w| &lt;= p/2:
/// h = a*w rounded, l = a*w - h exactly (a fused multiply-subtract; the error of a product is a double), q = round(h/p) from
/// fma(h, 1/p, Magic), r = fma(-q, p, h) + l.
/// |h/p| &lt; 2^51, so q is an integer and |q - a*w/p| &lt;= 1/2 + 2e(1+e)|a*w/p| (one e from h, one from 1/p). Hence the exact value
/// a*w - q*p is an integer of size at most p/2 + 2e(1+e)|a*w| &lt; p/2 + 2^48 + 1; h - q*p differs from it by |l| &lt;= e|a*w| &lt; 2^47, so it is an integer
/// below 2^53, the fused operation returns it without rounding, and the last addition is exact. So r = a*w mod p exactly, and
/// |r| &lt;= p (1/2 + A/16) when |a| &lt;= A p, A &lt; 8 (2e * A p * p/2 = A p * p * 2^-53 &lt; A p / 16).</para>
/// <para><b>Reduce</b>, for integers |x| &lt; 2^52: q = round(x/p), r = fma(-q, p, x). x/p is at least 1/(2p) away from every half-integer (p is odd)
/// and 1/p is off by at most e|1/p|, an error of e|x/p| &lt; 1/(2p): so q is the nearest integer, never a tie, and r is the balanced residue itself.</para>
/// </remarks>
public sealed class Modulus
{
    // 1.5 * 2^52: a sum with it that stays within [2^52, 2^53) is rounded to an integer, to nearest with ties to even.
    internal const double Magic = 6755399441055744.0;

    /// <summary>Checks a number and makes it a modulus.</summary>
    /// <param name="value">An odd prime of at most 49 bits.</param>
    /// <exception cref="HomomorphicException">It is too large, or not an odd prime.</exception>
    public Modulus(ulong value)
    {
        if (value >> NttPrimes.MaximumBits != 0)
            throw new HomomorphicException(HomomorphicError.ModulusSize, $"The modulus {value} has more than {NttPrimes.MaximumBits} bits.");
        if (value == 2 || !NttPrimes.IsPrime(value))
            throw new HomomorphicException(HomomorphicError.ModulusNotPrime, $"The modulus {value} is not an odd prime.");
        (Value, P, Inverse) = (value, value, 1.0 / value);
    }

    private Modulus(ulong value, double p) => (Value, P, Inverse) = (value, p, 1.0 / p);

    /// <summary>A modulus that need not be prime, for plaintexts and as the target of conversions. If it is even, m/2 and -m/2 are both balanced.</summary>
    /// <param name="value">2 to 2^49 - 1.</param>
    /// <exception cref="HomomorphicException">It is smaller or larger.</exception>
    public static Modulus OfPlaintext(ulong value) => value >= 2 && value >> NttPrimes.MaximumBits == 0
        ? new(value, value)
        : throw new HomomorphicException(HomomorphicError.ModulusSize, $"The plaintext modulus {value} is not from 2 to 2^{NttPrimes.MaximumBits} - 1.");

    /// <summary>The prime.</summary>
    public ulong Value { get; }

    /// <summary>Whether it is below 2^48, so that sums and transforms need fewer reductions.</summary>
    internal bool IsNarrow => Value >> 48 == 0;

    internal double P { get; }

    internal double Inverse { get; }

    /// <summary>The balanced residue of a number.</summary>
    public double Balance(ulong number)
    {
        ulong residue = number % Value;
        return residue > Value >> 1 ? -(double)(Value - residue) : residue;
    }

    /// <summary>The balanced residue of a number below p, without a branch on it.</summary>
    internal double BalanceReduced(ulong residue) => (long)residue - ((long)((Value >> 1) - residue) >> 63 & (long)Value);

    /// <summary>The residue in [0, p) of a balanced one.</summary>
    public ulong Unbalance(double residue) => (ulong)((long)residue + ((long)residue >> 63 & (long)Value));

    /// <summary>The inverse in [0, p) of a number coprime to the modulus. Not constant-time; it is used on public numbers.</summary>
    internal ulong Invert(ulong number)
    {
        Int128 a = number % Value, b = Value, x = 1, y = 0;
        while (b != 0) (a, b, x, y) = (b, a % b, y, x - a / b * y);
        if (a != 1) throw new ArgumentException($"{number} has no inverse modulo {Value}.", nameof(number));
        return (ulong)(x < 0 ? x + Value : x);
    }

    /// <summary>a * w modulo p, exact but not quite balanced: see the remarks. |a| &lt; 2^52, |w| &lt;= p/2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double MultiplyLazy(double a, double w, double p, double inverse)
    {
        double h = a * w;
        double l = Math.FusedMultiplyAdd(a, w, -h);
        double q = Math.FusedMultiplyAdd(h, inverse, Magic) - Magic;
        return Math.FusedMultiplyAdd(q, -p, h) + l;
    }

    /// <summary>The balanced residue of an integer |x| &lt; 2^52.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Reduce(double x, double p, double inverse) =>
        Math.FusedMultiplyAdd(Math.FusedMultiplyAdd(x, inverse, Magic) - Magic, -p, x);

    /// <summary>The balanced product of two balanced residues.</summary>
    public double Multiply(double a, double b) => Reduce(MultiplyLazy(a, b, P, Inverse), P, Inverse);
}
