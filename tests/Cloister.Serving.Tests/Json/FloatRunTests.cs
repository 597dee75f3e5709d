using System.Globalization;
using System.Text;
using Cloister.Serving.Json;

namespace Cloister.Serving.Tests.Json;

/// <summary>Lists of numbers read in one go give the bits that the framework reads one by one, however they are written.</summary>
public sealed class FloatRunTests
{
    // A list of a request never stands within its first bytes.
    private const string Before = """{"instances": [      """;

    [Theory]
    [InlineData("floats"), InlineData("doubles"), InlineData("wholes"), InlineData("digits"), InlineData("mixed")]
    public void Runs_read_as_the_framework_reads_each(string kind)
    {
        var random = new Random(kind.Length);
        for (int list = 0; list < 2_000; list++)
        {
            string[] numbers = [.. Enumerable.Range(0, random.Next(1, 100)).Select(_ => Write(kind, random))];
            Same(numbers, random.Next(3) switch { 0 => ", ", 1 => ",", _ => " ,\n " });
        }
    }

    [Fact]
    public void Midpoints_between_two_floats_round_to_the_right_one()
    {
        var random = new Random(3);
        for (int list = 0; list < 2_000; list++)
        {
            Same([.. Enumerable.Range(0, 40).Select(_ =>
            {
                float low = (random.NextSingle() + 0.001f) * MathF.Pow(10, random.Next(0, 7));
                double middle = ((double)low + float.BitIncrement(low)) / 2;
                return (random.Next(3) switch { 0 => middle, 1 => Math.BitIncrement(middle), _ => Math.BitDecrement(middle) }).ToString("F12", CultureInfo.InvariantCulture);
            })], ",");
        }
    }

    [Theory]
    [InlineData("01.5"), InlineData("1."), InlineData(".5"), InlineData("+1"), InlineData("1.2.3"), InlineData("--1"), InlineData("- 1"), InlineData("1 2"), InlineData("0x1"), InlineData("1.5f"), InlineData("")]
    public void What_is_no_number_is_left_to_be_refused(string wrong)
    {
        byte[] text = Encoding.ASCII.GetBytes($"{Before}{wrong},{string.Join(',', Enumerable.Repeat("1.5", 40))}]");
        float[] room = new float[100];
        int count = 0;
        int at = FloatRun.Read(text, Before.Length, room, ref count);
        Assert.Equal((Before.Length, 0), (at, count));
    }

    [Fact]
    public void No_more_is_read_than_there_is_room_for()
    {
        byte[] text = Encoding.ASCII.GetBytes(Before + string.Join(',', Enumerable.Repeat("1.5", 100)) + "]");
        float[] room = new float[100];
        int count = 3, at = FloatRun.Read(text, Before.Length, room.AsSpan(0, 10), ref count);
        Assert.True(count is 3 or 10); // 3 on a machine without the instructions
        Assert.Equal(Before.Length + 4 * (count - 3), at);
        Assert.All(room[10..], value => Assert.Equal(0, value));
    }

    private static string Write(string kind, Random random) => kind switch
    {
        "floats" => BitConverter.Int32BitsToSingle(random.Next(0x3000_0000, 0x4B00_0000)).ToString("R", CultureInfo.InvariantCulture),
        "doubles" => ((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-3, 5))).ToString("R", CultureInfo.InvariantCulture),
        "wholes" => random.NextInt64(-(long)Math.Pow(10, random.Next(1, 18)), (long)Math.Pow(10, random.Next(1, 18))).ToString(CultureInfo.InvariantCulture),
        "digits" => Digits(random, random.Next(1, 22)) + "." + Digits(random, random.Next(1, 22)),
        _ => random.Next(8) switch
        {
            0 => "-0", 1 => "0", 2 => "-0.0", 3 => "1e-7", 4 => "2.5E+3", 5 => "-3.4028235e38",
            _ => Write(random.Next(2) == 0 ? "floats" : "doubles", random),
        },
    };

    // No needless zero at the beginning: that is no number in JSON.
    private static string Digits(Random random, int count) =>
        random.Next(1, 10).ToString(CultureInfo.InvariantCulture) + string.Concat(Enumerable.Range(1, count - 1).Select(_ => random.Next(10)));

    private static void Same(string[] numbers, string separator)
    {
        byte[] text = Encoding.ASCII.GetBytes("[" + new string(' ', 20) + string.Join(separator, numbers) + "]" + new string(' ', numbers.Length % 100));
        var cursor = new JsonCursor(text);
        using var pool = new Cloister.Serving.Engines.TensorPool(1 << 20);
        using ValueReader reader = ValueReader.For(Cloister.Onnx.Runtime.TensorElementType.Float, "x", pool, numbers.Length, numbers.Length);
        reader.Read(ref cursor);
        cursor.End();
        using Cloister.Serving.Engines.Tensor tensor = reader.ToTensor([numbers.Length]);
        ReadOnlySpan<float> values = tensor.Elements<float>();
        for (int i = 0; i < numbers.Length; i++)
        {
            float expected = float.Parse(numbers[i], CultureInfo.InvariantCulture);
            Assert.True(BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(values[i]), $"'{numbers[i]}' read as {values[i]:R}, not {expected:R}");
        }
    }
}
