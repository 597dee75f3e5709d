using Cloister.Onnx.Runtime;

namespace Cloister.Onnx.Tests.Runtime;

public class BFloat16Tests
{
    [Fact]
    public void EveryValueIsItselfAgain()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            var value = new BFloat16((ushort)bits);
            float single = value.ToSingle();
            if (float.IsNaN(single)) Assert.True(float.IsNaN(BFloat16.FromSingle(single).ToSingle()) && float.IsNaN(BFloat16.FromDouble(single).ToSingle()));
            else Assert.Equal((value, value), (BFloat16.FromSingle(single), BFloat16.FromDouble(single)));
            Assert.Equal(float.IsInfinity(single), value.IsInfinity);
        }
    }

    [Theory]
    [InlineData(0x3F80_8000, 0x3F80), InlineData(0x3F81_8000, 0x3F82), InlineData(0x3F80_8001, 0x3F81), InlineData(0x3F80_7FFF, 0x3F80)]
    [InlineData(0x7F7F_7FFF, 0x7F7F), InlineData(0x7F7F_8000, 0x7F80), InlineData(0x0000_8000, 0x0000), InlineData(0x0000_8001, 0x0001)]
    public void HalfwayGoesToTheEvenOne(uint single, ushort expected)
    {
        float value = BitConverter.UInt32BitsToSingle(single);
        Assert.Equal(expected, BFloat16.FromSingle(value).Bits);
        Assert.Equal(expected, BFloat16.FromDouble(value).Bits);
        Assert.Equal(expected | 0x8000, BFloat16.FromSingle(-value).Bits);
    }

    [Theory]
    [InlineData(1e-12, 0x3F81), InlineData(-1e-12, 0x3F80), InlineData(0, 0x3F80)]
    public void WhatIsOnlyHalfwayAsAFloatIsNotATie(double beside, ushort expected)
    {
        // 1 + 2^-8 lies between 0x3F80 and 0x3F81; the float nearest to a number just beside it is that very middle.
        double value = 1 + Math.Pow(2, -8) + beside;
        Assert.Equal(0x3F80_8000u, BitConverter.SingleToUInt32Bits((float)value));
        Assert.Equal(expected, BFloat16.FromDouble(value).Bits);
        Assert.Equal(expected | 0x8000, BFloat16.FromDouble(-value).Bits);
    }

    [Fact]
    public void InfinityAndNaNStay()
    {
        Assert.Equal(0x7F80, BFloat16.FromDouble(double.PositiveInfinity).Bits);
        Assert.Equal(0xFF80, BFloat16.FromDouble(double.NegativeInfinity).Bits);
        Assert.Equal(0x7F80, BFloat16.FromDouble(1e300).Bits);
        // Only the lower half of a NaN says that it is one.
        Assert.True(float.IsNaN(BFloat16.FromSingle(BitConverter.UInt32BitsToSingle(0x7F80_0001)).ToSingle()));
    }
}
