namespace Cloister.Samples.Spam;

/// <summary>The exponential function from operations that IEEE 754 defines exactly: .NET takes its own from the platform's C library, whose last bits differ between platforms.</summary>
internal static class Exponential
{
    private const double Ln2High = 0.693147180369123816490, Ln2Low = 1.90821492927058770002e-10, Limit = 700;

    /// <summary>e to the power of x, for x up to 700; zero below -700.</summary>
    public static double Of(double x)
    {
        if (x < -Limit)
            return 0;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(x, Limit);
        double power = Math.Floor(x / (Ln2High + Ln2Low) + 0.5);
        double rest = x - power * Ln2High - power * Ln2Low;
        double sum = 1;
        for (int term = 14; term >= 1; term--)
            sum = 1 + sum * rest / term;
        return sum * BitConverter.Int64BitsToDouble((long)power + 1023 << 52);
    }
}
