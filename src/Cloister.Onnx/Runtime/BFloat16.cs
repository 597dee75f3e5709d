namespace Cloister.Onnx.Runtime;

/// <summary>A number of <see cref="TensorElementType.BFloat16"/>: the upper half of a binary32, 8 bits of exponent and 7 of fraction.</summary>
/// <param name="Bits">The sixteen bits.</param>
public readonly record struct BFloat16(ushort Bits)
{
    /// <summary>Whether it is an infinity.</summary>
    public bool IsInfinity => (Bits & 0x7FFF) == 0x7F80;

    /// <summary>The nearest one, ties to even; what is too large becomes an infinity, NaN stays NaN.</summary>
    public static BFloat16 FromSingle(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        // A NaN keeps its sign and the upper part of its payload, and is made quiet: the part alone could be that of an infinity.
        return float.IsNaN(value)
            ? new BFloat16((ushort)((bits >> 16) | 0x40))
            : new BFloat16((ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16));
    }

    /// <summary>As <see cref="FromSingle"/>, rounded once.</summary>
    public static BFloat16 FromDouble(double value)
    {
        float near = (float)value;
        uint bits = BitConverter.SingleToUInt32Bits(near);
        // Rounding to a float first may make a tie of what is none; then the lost part decides.
        if ((ushort)bits == 0x8000 && near != value && !double.IsNaN(value))
            near = BitConverter.UInt32BitsToSingle(Math.Abs(value) > Math.Abs((double)near) ? bits + 1 : bits - 1);
        return FromSingle(near);
    }

    /// <summary>The same number.</summary>
    public float ToSingle() => BitConverter.UInt32BitsToSingle((uint)Bits << 16);

    /// <inheritdoc/>
    public override string ToString() => ToSingle().ToString(System.Globalization.CultureInfo.InvariantCulture);
}
