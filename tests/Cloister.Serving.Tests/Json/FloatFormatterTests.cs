using System.Globalization;
using System.Text;
using Cloister.Serving.Json;

namespace Cloister.Serving.Tests.Json;

public sealed class FloatFormatterTests
{
    [Fact]
    public void The_shortest_digits_are_the_framework_s()
    {
        var random = new Random(1);
        for (int i = 0; i < 2_000_000; i++)
        {
            float value = BitConverter.Int32BitsToSingle(random.Next(1, 0x7F80_0000));
            (uint digits, int exponent) = FloatFormatter.Shortest(value);
            string expected = value.ToString("E16", CultureInfo.InvariantCulture);
            string shortest = value.ToString("R", CultureInfo.InvariantCulture);
            string plain = new([.. shortest.Split('E')[0].Where(char.IsAsciiDigit)]);
            plain = plain.Trim('0');
            Assert.True(plain == digits.ToString(CultureInfo.InvariantCulture), $"{shortest} ({expected}): {digits}e{exponent}");
            Assert.Equal(value, float.Parse($"{digits}e{exponent}", CultureInfo.InvariantCulture));
        }
    }

    [Theory]
    [InlineData(FloatStyle.Shortest), InlineData(FloatStyle.TensorFlow)]
    public void What_is_written_reads_back_and_is_JSON(object style)
    {
        var random = new Random(2);
        Span<byte> text = stackalloc byte[FloatFormatter.MaximumLength];
        for (int i = 0; i < 2_000_000; i++)
        {
            float value = i % 2 == 0 ? BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)) : (float)(random.NextDouble() * Math.Pow(10, random.Next(-8, 12)));
            if (!float.IsFinite(value)) continue;
            int length = FloatFormatter.Write(value, text, (FloatStyle)style);
            Assert.True(JsonNumber.Scan(text[..length]) == length, Encoding.ASCII.GetString(text[..length]));
            Assert.Equal(value, float.Parse(text[..length], NumberStyles.Float, CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public void TensorFlow_style_is_printf_s_g()
    {
        var random = new Random(3);
        Span<byte> text = stackalloc byte[FloatFormatter.MaximumLength];
        for (int i = 0; i < 500_000; i++)
        {
            float value = i % 2 == 0 ? BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)) : (float)Math.Round(random.NextDouble() * 1000, random.Next(8));
            if (!float.IsFinite(value)) continue;
            int length = FloatFormatter.Write(value, text, FloatStyle.TensorFlow);
            Assert.Equal(Printf(value), Encoding.ASCII.GetString(text[..length]));
        }
    }

    [Theory]
    [InlineData(0f, "0", "0.0"), InlineData(-0f, "-0", "-0.0"), InlineData(1f, "1", "1.0"), InlineData(2.5f, "2.5", "2.5")]
    [InlineData(9000000f, "9000000", "9e+06"), InlineData(.00003f, "0.00003", "3e-05"), InlineData(100000f, "100000", "100000.0")]
    [InlineData(0.33333334f, "0.33333334", "0.333333343"), InlineData(123456.7f, "123456.7", "123456.703"), InlineData(16777216f, "16777216", "16777216.0")]
    [InlineData(float.NaN, "NaN", "NaN"), InlineData(float.PositiveInfinity, "Infinity", "Infinity"), InlineData(float.NegativeInfinity, "-Infinity", "-Infinity")]
    [InlineData(1e-45f, "1e-45", "1.4013e-45"), InlineData(float.MaxValue, "3.4028235e+38", "3.40282347e+38"), InlineData(1e15f, "1e+15", "1e+15")]
    public void Corners(float value, string shortest, string tensorFlow)
    {
        Span<byte> text = stackalloc byte[FloatFormatter.MaximumLength];
        Assert.Equal(shortest, Encoding.ASCII.GetString(text[..FloatFormatter.Write(value, text, FloatStyle.Shortest)]));
        Assert.Equal(tensorFlow, Encoding.ASCII.GetString(text[..FloatFormatter.Write(value, text, FloatStyle.TensorFlow)]));
    }

    [Theory]
    [InlineData(0d, "0", "0.0"), InlineData(0.1, "0.1", "0.1"), InlineData(1d / 3, "0.3333333333333333", "0.33333333333333331"), InlineData(-12d, "-12", "-12.0")]
    [InlineData(1e20, "1E+20", "1e+20"), InlineData(1234567d, "1234567", "1234567.0"), InlineData(-1.5e-7, "-1.5E-07", "-1.5e-07"), InlineData(double.NaN, "NaN", "NaN")]
    [InlineData(5e-324, "5E-324", "4.94066e-324"), InlineData(0.0001, "0.0001", "0.0001"), InlineData(0.001234, "0.001234", "0.001234")]
    public void Doubles(double value, string shortest, string tensorFlow)
    {
        Span<byte> text = stackalloc byte[DoubleFormatter.MaximumLength];
        Assert.Equal(shortest, Encoding.ASCII.GetString(text[..DoubleFormatter.Write(value, text, FloatStyle.Shortest)]));
        Assert.Equal(tensorFlow, Encoding.ASCII.GetString(text[..DoubleFormatter.Write(value, text, FloatStyle.TensorFlow)]));
    }

    /// <summary>The definition: %g, or %.9g where that does not read back, and .0 after whole numbers.</summary>
    private static string Printf(float value)
    {
        string text = General(value, 6);
        if (float.Parse(text, CultureInfo.InvariantCulture) != value) text = General(value, 9);
        return text.Contains('.', StringComparison.Ordinal) || text.Contains('e', StringComparison.Ordinal) ? text : text + ".0";
    }

    private static string General(float value, int precision)
    {
        string[] parts = value.ToString("e" + (precision - 1).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture).Split('e');
        int exponent = int.Parse(parts[1], CultureInfo.InvariantCulture);
        if (exponent < -4 || exponent >= precision)
            return (parts[0].Contains('.', StringComparison.Ordinal) ? parts[0].TrimEnd('0').TrimEnd('.') : parts[0]) + "e" + (exponent < 0 ? "-" : "+") + Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture);
        string plain = ((decimal)(double)decimal.Parse(parts[0] + "e" + exponent.ToString(CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture)).ToString("0.###############", CultureInfo.InvariantCulture);
        return value == 0 && float.IsNegative(value) ? "-0" : plain;
    }
}
