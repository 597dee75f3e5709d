namespace Cloister.Samples.Shapes;

/// <summary>
/// Functions that .NET takes from the platform's C library, whose last bits differ between platforms. These use only +, -, *, /, which
/// IEEE 754 defines to the last bit; .NET neither reorders them nor fuses a product with a sum.
/// </summary>
internal static class ExactMath
{
    private const double HalfPi = Math.PI / 2, Ln2High = 0.693147180369123816490, Ln2Low = 1.90821492927058770002e-10;

    /// <summary>e to the power of x, for x up to 700; zero below -700.</summary>
    public static double Exp(double x)
    {
        if (x < -700)
            return 0;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(x, 700);
        double power = Math.Floor(x / (Ln2High + Ln2Low) + 0.5);
        double rest = x - power * Ln2High - power * Ln2Low;
        double sum = 1;
        for (int term = 14; term >= 1; term--)
            sum = 1 + sum * rest / term;
        return sum * BitConverter.Int64BitsToDouble((long)power + 1023 << 52);
    }

    /// <summary>Sine and cosine of an angle of a few turns at most.</summary>
    public static (double Sin, double Cos) SinCos(double angle)
    {
        double quarters = Math.Floor(angle / HalfPi + 0.5);
        double rest = angle - quarters * HalfPi, square = rest * rest;
        double sin = 1, cos = 1;
        for (int term = 18; term >= 2; term -= 2)
        {
            sin = 1 - sin * square / (term * (term + 1));
            cos = 1 - cos * square / (term * (term - 1));
        }

        sin *= rest;
        return ((long)quarters & 3) switch
        {
            0 => (sin, cos),
            1 => (cos, -sin),
            2 => (-sin, -cos),
            _ => (-cos, sin),
        };
    }
}
