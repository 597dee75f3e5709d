namespace Cloister.Serving.Json;

/// <summary>Shapes in messages and sums.</summary>
internal static class TensorShapes
{
    /// <summary>As in <c>[1,3,224,224]</c>.</summary>
    public static string Text(ReadOnlySpan<long> shape) => "[" + string.Join(',', shape.ToArray()) + "]";

    /// <summary>The number of elements, or null where it does not fit 62 bits.</summary>
    public static long? Elements(ReadOnlySpan<long> shape)
    {
        UInt128 product = 1;
        foreach (long dimension in shape)
        {
            product *= (UInt128)dimension;
            if (product > 1UL << 62) return null;
        }
        return (long)product;
    }
}
