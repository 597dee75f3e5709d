using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;

namespace Cloister.Serving.Tests.Json;

/// <summary>No number is longer than the form that answers are filled up to.</summary>
public sealed class LongestNumberTests
{
    [Fact]
    public void No_single_is_longer()
    {
        Span<byte> text = stackalloc byte[FloatFormatter.MaximumLength];
        int longest = 0;
        var random = new Random(17);
        for (int i = 0; i < 300_000; i++)
        {
            // Any bits, and numbers where plain notation is longest: just above 10^-6, just below 10^15.
            float value = (i % 3) switch
            {
                0 => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)),
                1 => -1e-6f * (1 + random.NextSingle()),
                _ => -1e15f * random.NextSingle(),
            };
            longest = Math.Max(longest, Math.Max(FloatFormatter.Write(value, text, FloatStyle.Shortest), FloatFormatter.Write(value, text, FloatStyle.TensorFlow)));
        }
        Assert.Equal(FloatFormatter.Longest, longest);
    }

    [Fact]
    public void No_double_is_longer()
    {
        Span<byte> text = stackalloc byte[DoubleFormatter.MaximumLength];
        int longest = 0;
        var random = new Random(17);
        for (int i = 0; i < 100_000; i++)
        {
            double value = (i % 3) switch
            {
                0 => BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue)),
                1 => -1e-5 * (1 + random.NextDouble()),
                _ => -1e15 * random.NextDouble(),
            };
            longest = Math.Max(longest, Math.Max(DoubleFormatter.Write(value, text, FloatStyle.Shortest), DoubleFormatter.Write(value, text, FloatStyle.TensorFlow)));
        }
        Assert.Equal(DoubleFormatter.Longest, longest);
    }

    [Fact]
    public void A_run_of_numbers_has_one_size_and_reads_back()
    {
        foreach (float[] values in (float[][])[[0, 0, 0], [-1.17549435e-38f, 1e-6f, -0.0000012345678f], [float.NaN, float.NegativeInfinity, 1]])
        {
            using var tensor = Tensor.From<float>(values, 3);
            using var json = new JsonOutput();
            TensorJson.WriteInOneSize(json, tensor, 0, 3, FloatStyle.Shortest, ","u8);
            Assert.Equal(3 * FloatFormatter.Longest + 2, json.Written.Length);
        }
        using var whole = Tensor.From<long>([1L], 1);
        using var refused = new JsonOutput();
        Assert.Equal(TensorElementType.Int64, whole.Type);
        Assert.Throws<InvalidOperationException>(() => TensorJson.WriteInOneSize(refused, whole, 0, 1, FloatStyle.Shortest, ","u8));
    }
}
