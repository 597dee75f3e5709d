using System.Globalization;
using System.Text;
using Cloister.Serving.Json;

namespace Cloister.Serving.Tests.Json;

public sealed class FloatParserTests
{
    private const int Draws = 1_000_000;

    [Theory]
    [InlineData("R"), InlineData("E8"), InlineData("E5")]
    public void Printed_bit_patterns_read_as_the_framework_reads_them(string format)
    {
        var random = new Random(1);
        Span<byte> text = stackalloc byte[64];
        for (int i = 0; i < Draws; i++)
        {
            float value = BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue));
            if (!float.IsFinite(value)) continue;
            Assert.True(value.TryFormat(text, out int length, format, CultureInfo.InvariantCulture));
            Same(text[..length]);
        }
    }

    [Fact]
    public void Doubles_with_17_digits_read_as_the_framework_reads_them()
    {
        // What JavaScript prints for a float: the shortest digits of the double.
        var random = new Random(2);
        Span<byte> text = stackalloc byte[64];
        for (int i = 0; i < Draws; i++)
        {
            double value = i % 2 == 0
                ? BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue))
                : random.NextDouble() * Math.Pow(10, random.Next(-46, 40));
            if (!double.IsFinite(value)) continue;
            Assert.True(value.TryFormat(text, out int length, "R", CultureInfo.InvariantCulture));
            Same(text[..length]);
        }
    }

    [Fact]
    public void Numbers_next_to_a_midpoint_between_two_floats_round_to_the_right_one()
    {
        var random = new Random(3);
        for (int i = 0; i < 200_000; i++)
        {
            float low = BitConverter.Int32BitsToSingle(random.Next(0, 0x7F7F_FFFF));
            double middle = ((double)low + float.BitIncrement(low)) / 2;
            foreach (double near in new[] { middle, Math.BitIncrement(middle), Math.BitDecrement(middle) })
            {
                Same(Encoding.ASCII.GetBytes(near.ToString("R", CultureInfo.InvariantCulture)));
                Same(Encoding.ASCII.GetBytes(near.ToString("E40", CultureInfo.InvariantCulture)));
                Same(Encoding.ASCII.GetBytes(near.ToString("E18", CultureInfo.InvariantCulture)));
            }
        }
    }

    [Fact]
    public void Random_digits_and_exponents_read_as_the_framework_reads_them()
    {
        var random = new Random(4);
        for (int i = 0; i < Draws; i++)
        {
            var text = new StringBuilder(random.Next(2) == 0 ? "" : "-");
            int whole = random.Next(1, 24), fraction = random.Next(0, 24);
            if (random.Next(3) == 0) text.Append('0');
            else for (int d = 0; d < whole; d++) text.Append((char)('0' + random.Next(d == 0 ? 1 : 0, 10)));
            if (fraction > 0) text.Append('.').Append('0', random.Next(4) == 0 ? random.Next(30) : 0);
            for (int d = 0; d < fraction; d++) text.Append((char)('0' + random.Next(10)));
            if (random.Next(2) == 0) text.Append(random.Next(2) == 0 ? 'e' : 'E').Append(random.Next(-70, 45).ToString(CultureInfo.InvariantCulture));
            Same(Encoding.ASCII.GetBytes(text.ToString()));
        }
    }

    [Fact]
    public void The_wide_way_agrees_with_the_framework_by_itself()
    {
        var random = new Random(5);
        for (int i = 0; i < Draws; i++)
        {
            ulong mantissa = (ulong)random.NextInt64(1, long.MaxValue) >> random.Next(63);
            int exponent = random.Next(PowersOfTen.SmallestReading - 3, PowersOfTen.LargestReading + 3);
            if (!FloatParser.TryRoundWide(mantissa, exponent, out float value)) continue;
            float expected = float.Parse($"{mantissa}e{exponent}", CultureInfo.InvariantCulture);
            Assert.True(BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(value), $"{mantissa}e{exponent}: {value:R}, not {expected:R}");
        }
    }

    [Theory]
    [InlineData("0", 0f, 1), InlineData("-0", -0f, 2), InlineData("1e400", float.PositiveInfinity, 5), InlineData("-1e39", float.NegativeInfinity, 5)]
    [InlineData("NaN", float.NaN, 3), InlineData("-NaN", float.NaN, 4), InlineData("Infinity", float.PositiveInfinity, 8)]
    [InlineData("-Infinity", float.NegativeInfinity, 9), InlineData("Inf,", float.PositiveInfinity, 3), InlineData("1.5,2", 1.5f, 3)]
    [InlineData("01", 0f, 1), InlineData("0e5", 0f, 3), InlineData("0.000000000000000000000000000000000000000000000000001", 0f, 53)]
    [InlineData("3.4028235677973367e38", float.PositiveInfinity, 21), InlineData("3.4028235677973365e38", float.MaxValue, 21)]
    public void Corners(string text, float expected, int length)
    {
        Assert.Equal(length, FloatParser.Read(Encoding.ASCII.GetBytes(text), out float value));
        Assert.Equal(BitConverter.SingleToInt32Bits(expected) & (float.IsNaN(expected) ? int.MaxValue : -1), BitConverter.SingleToInt32Bits(value) & (float.IsNaN(expected) ? int.MaxValue : -1));
    }

    [Theory]
    [InlineData(""), InlineData("-"), InlineData("."), InlineData(".5"), InlineData("1."), InlineData("1.e5"), InlineData("1e"), InlineData("1e+"), InlineData("+1"), InlineData("x"), InlineData("-x"), InlineData("nan")]
    public void What_is_no_number_has_no_length(string text) =>
        Assert.Equal(0, FloatParser.Read(Encoding.ASCII.GetBytes(text), out _));

    [Fact]
    public void The_length_is_that_of_the_grammar()
    {
        var random = new Random(6);
        const string symbols = "0123456789..eE+-NaInf,] ";
        for (int i = 0; i < Draws; i++)
        {
            byte[] text = [.. Enumerable.Range(0, random.Next(1, 14)).Select(_ => (byte)symbols[random.Next(symbols.Length)])];
            int expected = JsonNumber.Scan(text);
            int length = FloatParser.Read(text, out _);
            Assert.True(expected == length, Encoding.ASCII.GetString(text));
        }
    }

    private static void Same(ReadOnlySpan<byte> text)
    {
        Assert.True(FloatParser.Read(text, out float value) == text.Length, Encoding.ASCII.GetString(text));
        float expected = float.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (BitConverter.SingleToInt32Bits(expected) != BitConverter.SingleToInt32Bits(value))
            Assert.Fail($"{Encoding.ASCII.GetString(text)}: {value:R}, not {expected:R}");
    }
}
