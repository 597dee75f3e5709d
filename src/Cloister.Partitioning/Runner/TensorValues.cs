using System.Numerics;
using System.Runtime.InteropServices;
using Cloister.Onnx.Runtime;

namespace Cloister.Partitioning.Runner;

/// <summary>
/// What is asked of the elements of a tensor. Each loop runs to its end whatever it finds: how long it takes tells the size of a tensor
/// and nothing of its content.
/// </summary>
internal static class TensorValues
{
    /// <summary>Whether elements of the type have a fixed number of whole bytes and a meaning that is checked here.</summary>
    public static bool CanCross(TensorElementType type) => type is TensorElementType.Float or TensorElementType.Double or TensorElementType.Float16 or TensorElementType.BFloat16
        or TensorElementType.Bool or TensorElementType.UInt8 or TensorElementType.Int8 or TensorElementType.UInt16 or TensorElementType.Int16
        or TensorElementType.UInt32 or TensorElementType.Int32 or TensorElementType.UInt64 or TensorElementType.Int64;

    /// <summary>Whether floats are finite and booleans are 0 or 1.</summary>
    public static bool AreSound(TensorElementType type, ReadOnlySpan<byte> bytes) => type switch
    {
        TensorElementType.Float => !AnyAllOnes(MemoryMarshal.Cast<byte, uint>(bytes), 0x7F80_0000u),
        TensorElementType.Double => !AnyAllOnes(MemoryMarshal.Cast<byte, ulong>(bytes), 0x7FF0_0000_0000_0000ul),
        TensorElementType.Float16 => !AnyAllOnes<ushort>(MemoryMarshal.Cast<byte, ushort>(bytes), 0x7C00),
        TensorElementType.BFloat16 => !AnyAllOnes<ushort>(MemoryMarshal.Cast<byte, ushort>(bytes), 0x7F80),
        TensorElementType.Bool => !AnyAbove(bytes, 0xFE),
        _ => true,
    };

    /// <summary>Whether floats are near, relative to the largest absolute value of <paramref name="wanted"/>, and everything else is equal; NaN is near NaN alone.</summary>
    public static bool AreNear(TensorElementType type, ReadOnlySpan<byte> wanted, ReadOnlySpan<byte> given, double tolerance)
    {
        if (wanted.Length != given.Length) return false;
        return type switch
        {
            TensorElementType.Float => Near(MemoryMarshal.Cast<byte, float>(wanted), MemoryMarshal.Cast<byte, float>(given), tolerance, value => value),
            TensorElementType.Double => Near(MemoryMarshal.Cast<byte, double>(wanted), MemoryMarshal.Cast<byte, double>(given), tolerance, value => value),
            TensorElementType.Float16 => Near(MemoryMarshal.Cast<byte, Half>(wanted), MemoryMarshal.Cast<byte, Half>(given), tolerance, value => (double)value),
            TensorElementType.BFloat16 => Near(MemoryMarshal.Cast<byte, BFloat16>(wanted), MemoryMarshal.Cast<byte, BFloat16>(given), tolerance, value => value.ToSingle()),
            _ => wanted.SequenceEqual(given),
        };
    }

    /// <summary>Fills a tensor with made-up values that any model can read: floats of [0, 1), other numbers of 0 or 1.</summary>
    public static void Fill(TensorElementType type, Span<byte> bytes, Random random)
    {
        switch (type)
        {
            case TensorElementType.Float: Fill(MemoryMarshal.Cast<byte, float>(bytes), random, value => (float)value); break;
            case TensorElementType.Double: Fill(MemoryMarshal.Cast<byte, double>(bytes), random, value => value); break;
            case TensorElementType.Float16: Fill(MemoryMarshal.Cast<byte, Half>(bytes), random, value => (Half)value); break;
            case TensorElementType.BFloat16: Fill(MemoryMarshal.Cast<byte, BFloat16>(bytes), random, BFloat16.FromDouble); break;
            default:
                int width = (int)type.ByteLength(1);
                for (int i = 0; i < bytes.Length; i += width) bytes[i] = (byte)random.Next(2);
                break;
        }
    }

    // A float is NaN or infinite if all bits of its exponent are ones.
    private static bool AnyAllOnes<T>(ReadOnlySpan<T> bits, T mask) where T : unmanaged, IBinaryInteger<T>
    {
        Vector<T> exponent = new(mask), found = Vector<T>.Zero;
        int i = 0;
        for (; i <= bits.Length - Vector<T>.Count; i += Vector<T>.Count)
            found |= Vector.Equals(new Vector<T>(bits[i..]) & exponent, exponent);
        bool any = found != Vector<T>.Zero;
        for (; i < bits.Length; i++)
            any |= (bits[i] & mask) == mask;
        return any;
    }

    private static bool AnyAbove(ReadOnlySpan<byte> bytes, byte forbidden)
    {
        int seen = 0;
        foreach (byte value in bytes) seen |= value;
        return (seen & forbidden) != 0;
    }

    private static bool Near<T>(ReadOnlySpan<T> wanted, ReadOnlySpan<T> given, double tolerance, Func<T, double> number)
    {
        double largest = 0;
        foreach (T value in wanted)
        {
            double size = Math.Abs(number(value));
            if (double.IsFinite(size)) largest = Math.Max(largest, size);
        }
        double allowed = tolerance * largest;
        bool near = true;
        for (int i = 0; i < wanted.Length; i++)
        {
            double a = number(wanted[i]), b = number(given[i]);
            near &= double.IsFinite(a) ? Math.Abs(a - b) <= allowed : a.Equals(b);
        }
        return near;
    }

    private static void Fill<T>(Span<T> values, Random random, Func<double, T> number)
    {
        for (int i = 0; i < values.Length; i++) values[i] = number(random.NextDouble());
    }
}
