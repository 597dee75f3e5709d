namespace Cloister.Partitioning.Runner;

/// <summary>A tensor's shape for one item, and the dimensions that grow with the number of items.</summary>
internal readonly struct BatchedShape
{
    private readonly long[] _one;
    private readonly bool[] _scales;

    private BatchedShape(long[] one, bool[] scales) => (_one, _scales) = (one, scales);

    /// <summary>Whether the first dimension counts the items, and no other does.</summary>
    public bool CountsItemsFirst => _scales.Length > 0 && _scales[0] && Array.IndexOf(_scales, true, 1) < 0;

    /// <summary>Whether no dimension grows.</summary>
    public bool IsFixed => Array.IndexOf(_scales, true) < 0;

    /// <summary>A shape that never changes.</summary>
    public static BatchedShape Fixed(long[] shape) => new(shape, new bool[shape.Length]);

    /// <summary>A shape whose first dimension is the number of items.</summary>
    public static BatchedShape ByItem(long[] one)
    {
        var scales = new bool[one.Length];
        scales[0] = true;
        return new BatchedShape(one, scales);
    }

    /// <summary>What two measured shapes, of one and of two items, say; null where they do not follow the number of items.</summary>
    public static BatchedShape? Between(ReadOnlySpan<long> one, ReadOnlySpan<long> two)
    {
        if (one.Length != two.Length) return null;
        var scales = new bool[one.Length];
        for (int i = 0; i < one.Length; i++)
        {
            scales[i] = one[i] != two[i];
            if (scales[i] && two[i] != 2 * one[i]) return null;
        }
        return new BatchedShape(one.ToArray(), scales);
    }

    /// <summary>Whether a dimension grows.</summary>
    public bool Scales(int dimension) => dimension < _scales.Length && _scales[dimension];

    /// <summary>The shape of so many items.</summary>
    public long[] For(long items)
    {
        long[] shape = [.. _one];
        for (int i = 0; i < shape.Length; i++)
            if (_scales[i]) shape[i] = checked(shape[i] * items);
        return shape;
    }

    /// <summary>Elements of so many items.</summary>
    public UInt128 Elements(long items)
    {
        UInt128 count = 1;
        for (int i = 0; i < _one.Length; i++)
            count = checked(count * (UInt128)_one[i] * (_scales[i] ? (UInt128)items : 1));
        return count;
    }
}
