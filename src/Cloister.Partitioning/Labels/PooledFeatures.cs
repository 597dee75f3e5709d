using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Labels;

/// <summary>
/// Tensors as a row of no more numbers than a probe takes: maps averaged over fields of a grid, the finest of 4 x 4, 3 x 3, 2 x 2 and one
/// field that fits; of what is still too much, some chosen by the seed.
/// </summary>
internal sealed class PooledFeatures
{
    private const int FinestGrid = 4;

    private readonly Plan[] _plans;
    private readonly int[] _chosen;

    private PooledFeatures(Plan[] plans, int[] chosen) => (_plans, _chosen) = (plans, chosen);

    /// <summary>Numbers of a row.</summary>
    public int Count => _chosen.Length;

    /// <summary>Plans for tensors of these shapes, their first dimension one item.</summary>
    public static PooledFeatures Of(ReadOnlySpan<OrtTensor> tensors, int maximum, int seed)
    {
        long[][] shapes = new long[tensors.Length][];
        for (int i = 0; i < shapes.Length; i++)
            shapes[i] = tensors[i].Shape.ToArray();
        for (int grid = FinestGrid; ; grid--)
        {
            Plan[] plans = [.. shapes.Select(shape => Plan.Of(shape, grid))];
            int count = plans.Sum(plan => plan.Count);
            if (count <= maximum || grid == 1)
                return new PooledFeatures(plans, new SplitMix64(seed).Choose(maximum, count));
        }
    }

    /// <summary>One number a map, all of them, where the tensor has as many maps as asked for: a column a class, before or after softmax.</summary>
    public static PooledFeatures? Columns(ReadOnlySpan<OrtTensor> tensors, int count)
    {
        if (tensors.Length != 1)
            return null;
        Plan plan = Plan.Of(tensors[0].Shape.ToArray(), 1);
        return plan.Count == count ? new PooledFeatures([plan], [.. Enumerable.Range(0, count)]) : null;
    }

    /// <summary>Writes one picture's row.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.FeaturesRefused"/>: a value is not finite.</exception>
    public void Write(ReadOnlySpan<OrtTensor> tensors, Span<float> row)
    {
        var all = new float[_plans.Sum(plan => plan.Count)];
        Span<float> rest = all;
        for (int i = 0; i < _plans.Length; i++)
        {
            _plans[i].Average(tensors[i].Span<float>(), rest[.._plans[i].Count]);
            rest = rest[_plans[i].Count..];
        }
        for (int i = 0; i < _chosen.Length; i++)
        {
            row[i] = float.IsFinite(all[_chosen[i]])
                ? all[_chosen[i]]
                : throw new PartitioningException(PartitioningError.FeaturesRefused, $"A tensor's values are not finite or their mean is {all[_chosen[i]]}; no probe can be fitted to it.");
        }
    }

    private readonly record struct Plan(int Maps, int Rows, int Columns, int Down, int Across)
    {
        public int Count => Maps * Down * Across;

        // What is no stack of maps has no neighbours to average over: every value is a map of its own.
        public static Plan Of(long[] shape, int grid) => shape is [1, var maps, var rows, var columns] && rows * columns > 0
            ? new Plan(checked((int)maps), checked((int)rows), checked((int)columns), (int)Math.Min(rows, grid), (int)Math.Min(columns, grid))
            : new Plan(checked((int)shape.Aggregate(1L, (product, dimension) => checked(product * dimension))), 1, 1, 1, 1);

        public void Average(ReadOnlySpan<float> values, Span<float> averages)
        {
            if (values.Length != Maps * Rows * Columns)
                throw new PartitioningException(PartitioningError.CutRefused, $"A tensor had {Maps * Rows * Columns} values for one picture and {values.Length} for another.");
            int place = 0;
            for (int map = 0; map < Maps; map++)
            {
                ReadOnlySpan<float> plane = values.Slice(map * Rows * Columns, Rows * Columns);
                for (int y = 0; y < Down; y++)
                    for (int x = 0; x < Across; x++)
                        averages[place++] = Mean(plane, y * Rows / Down, (y + 1) * Rows / Down, x * Columns / Across, (x + 1) * Columns / Across);
            }
        }

        private float Mean(ReadOnlySpan<float> plane, int top, int bottom, int left, int right)
        {
            double sum = 0;
            for (int y = top; y < bottom; y++)
                for (int x = left; x < right; x++)
                    sum += plane[y * Columns + x];
            return (float)(sum / ((bottom - top) * (right - left)));
        }
    }
}
