using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Labels;

namespace Cloister.Partitioning.Membership;

/// <summary>
/// Tensors of one picture as a short row: how large each is, how its values are spread whatever their places, and means of its maps.
/// </summary>
internal sealed class TensorTraits
{
    private const int Quantiles = 16, MostSorted = 4_096;

    private readonly PooledFeatures _pooled;
    private readonly int _tensors;

    private TensorTraits(PooledFeatures pooled, int tensors) => (_pooled, _tensors) = (pooled, tensors);

    /// <summary>Numbers of a row.</summary>
    public int Count => _tensors * (Quantiles + 1) + _pooled.Count;

    /// <summary>Plans for tensors of these shapes.</summary>
    public static TensorTraits Of(ReadOnlySpan<OrtTensor> tensors, MembershipSettings settings) =>
        new(PooledFeatures.Of(tensors, settings.MaximumFeatures, settings.Seed), tensors.Length);

    /// <summary>Writes one picture's row.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.FeaturesRefused"/>: a value is not finite.</exception>
    public void Write(ReadOnlySpan<OrtTensor> tensors, Span<float> row)
    {
        _pooled.Write(tensors, row[.._pooled.Count]);
        Span<float> rest = row[_pooled.Count..];
        foreach (OrtTensor tensor in tensors)
        {
            Spread(tensor.Span<float>(), rest[..(Quantiles + 1)]);
            rest = rest[(Quantiles + 1)..];
        }
    }

    /// <summary>The logarithm of the length, and values from the greatest to the least: all of them, or as many at even steps.</summary>
    public static void Spread(ReadOnlySpan<float> values, Span<float> row)
    {
        double square = 0;
        foreach (float value in values)
            square += (double)value * value;
        // Early layers have so many values that every so manieth tells their spread as well.
        int step = (values.Length + MostSorted - 1) / MostSorted, count = (values.Length + step - 1) / step;
        float[] sorted = new float[count];
        for (int i = 0; i < count; i++)
            sorted[i] = values[i * step];
        Array.Sort(sorted);
        row[0] = (float)(Math.Log(square + 1e-20) / 2);
        for (int i = 0; i < row.Length - 1; i++)
            row[1 + i] = sorted[count - 1 - (count <= row.Length - 1 ? Math.Min(i, count - 1) : (int)((long)i * (count - 1) / (row.Length - 2)))];
    }
}
