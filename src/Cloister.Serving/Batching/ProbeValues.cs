using System.Numerics;
using System.Runtime.InteropServices;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;

namespace Cloister.Serving.Batching;

/// <summary>Values that a model is tried with, and whether what it gives is the same twice.</summary>
internal static class ProbeValues
{
    // Kernels of different batch sizes sum in another order; a foreign scale or mean changes far more than this.
    private const double Tolerance = 1e-3, CoarseTolerance = 2e-2;

    /// <summary>Fills a tensor: fractions up to <paramref name="scale"/>, and 0 or 1 where whole numbers may be indices.</summary>
    public static void Fill(Tensor tensor, Random random, float scale)
    {
        switch (tensor.Type)
        {
            case TensorElementType.Float: Fractions<float>(tensor.Bytes, random, scale); break;
            case TensorElementType.Double: Fractions<double>(tensor.Bytes, random, scale); break;
            case TensorElementType.Float16: Fractions<Half>(tensor.Bytes, random, scale); break;
            default:
                int width = (int)tensor.Type.ByteLength(1);
                Span<byte> bytes = tensor.Bytes;
                bytes.Clear();
                for (int i = 0; i < bytes.Length; i += width) bytes[BitConverter.IsLittleEndian ? i : i + width - 1] = (byte)random.Next(2);
                break;
        }
    }

    /// <summary>Whether the rows from <paramref name="first"/> on are those of <paramref name="alone"/>.</summary>
    public static bool Same(Tensor alone, Tensor joined, int first)
    {
        if (alone.Type == TensorElementType.String)
            return alone.Texts.SequenceEqual(joined.Texts.Slice((int)(alone.ElementCount / alone.Shape[0]) * first, (int)alone.ElementCount));
        ReadOnlySpan<byte> one = alone.Bytes, other = joined.Bytes.Slice((int)(alone.Bytes.Length / alone.Shape[0]) * first, alone.Bytes.Length);
        return alone.Type switch
        {
            TensorElementType.Float => Close<float>(one, other, Tolerance),
            TensorElementType.Double => Close<double>(one, other, Tolerance),
            TensorElementType.Float16 => Close<Half>(one, other, CoarseTolerance),
            _ => one.SequenceEqual(other),
        };
    }

    private static void Fractions<T>(Span<byte> bytes, Random random, float scale) where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (ref T value in MemoryMarshal.Cast<byte, T>(bytes)) value = T.CreateTruncating(((random.NextSingle() * 2) - 1) * scale);
    }

    private static bool Close<T>(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other, double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
    {
        ReadOnlySpan<T> a = MemoryMarshal.Cast<byte, T>(one), b = MemoryMarshal.Cast<byte, T>(other);
        double largest = 0;
        foreach (T value in a)
            if (T.IsFinite(value)) largest = Math.Max(largest, Math.Abs(double.CreateTruncating(value)));
        for (int i = 0; i < a.Length; i++)
        {
            if (a[i].Equals(b[i])) continue; // NaN equals NaN here
            if (!T.IsFinite(a[i]) || !T.IsFinite(b[i]) || Math.Abs(double.CreateTruncating(a[i]) - double.CreateTruncating(b[i])) > (tolerance * largest) + 1e-9) return false;
        }
        return true;
    }
}
