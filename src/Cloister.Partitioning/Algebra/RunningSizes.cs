namespace Cloister.Partitioning.Algebra;

/// <summary>Means and deviations of many kinds of numbers that come sample by sample.</summary>
/// <param name="kinds">Kinds.</param>
internal sealed class RunningSizes(int kinds)
{
    private readonly double[] _first = new double[kinds], _sums = new double[kinds], _squares = new double[kinds];
    private readonly long[] _counts = new long[kinds];

    /// <summary>Takes a number in.</summary>
    public void Add(int kind, float value)
    {
        // Seen from the first, so that squares of a great mean do not swallow what is around it.
        if (_counts[kind]++ == 0)
            _first[kind] = value;
        double away = value - _first[kind];
        _sums[kind] += away;
        _squares[kind] += away * away;
    }

    /// <summary>What they come to. A kind that was constant gets the middle one's scale: it may not be so for long.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.FeaturesRefused"/>: a number was not finite.</exception>
    public Standardisation ToStandardisation()
    {
        // There may be ten million kinds: loops over whole arrays, no lists that grow.
        int kinds = _first.Length, moving = 0;
        float[] shift = new float[kinds], scale = new float[kinds];
        double[] deviations = new double[kinds];
        for (int i = 0; i < kinds; i++)
        {
            double count = Math.Max(1, _counts[i]), mean = _sums[i] / count, deviation = Math.Sqrt(Math.Max(0, _squares[i] / count - mean * mean));
            shift[i] = (float)(_first[i] + mean);
            if (!double.IsFinite(deviation) || !float.IsFinite(shift[i]))
                throw new PartitioningException(PartitioningError.FeaturesRefused, "A feature is not a number or is infinite; nothing can be said of a cut with such tensors.");
            scale[i] = deviation > 0 ? (float)Math.Min(Standardisation.MostScale, 1 / deviation) : 0;
            if (deviation > 0) deviations[moving++] = deviation;
        }
        Array.Sort(deviations, 0, moving);
        float middle = moving == 0 ? 1 : (float)Math.Min(Standardisation.MostScale, 1 / deviations[moving / 2]);
        for (int i = 0; i < kinds; i++)
            if (scale[i] == 0) scale[i] = middle;
        return new Standardisation(shift, scale);
    }
}
