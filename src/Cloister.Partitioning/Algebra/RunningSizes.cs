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
        float[] shift = [.. _first.Select((first, i) => (float)(first + _sums[i] / Math.Max(1, _counts[i])))];
        double[] deviations = [.. _squares.Select((square, i) => Math.Sqrt(Math.Max(0, square / Math.Max(1, _counts[i]) - Math.Pow(_sums[i] / Math.Max(1, _counts[i]), 2))))];
        if (!Array.TrueForAll(deviations, double.IsFinite) || !Array.TrueForAll(shift, float.IsFinite))
            throw new PartitioningException(PartitioningError.FeaturesRefused, "A feature is not a number or is infinite; nothing can be said of a cut with such tensors.");
        double[] moving = [.. deviations.Where(deviation => deviation > 0).Order()];
        double middle = moving.Length == 0 ? 1 : moving[moving.Length / 2];
        return new Standardisation(shift, [.. deviations.Select(deviation => (float)Math.Min(Standardisation.MostScale, 1 / (deviation > 0 ? deviation : middle)))]);
    }
}
