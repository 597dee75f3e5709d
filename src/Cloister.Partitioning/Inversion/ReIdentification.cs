using System.Numerics;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Inversion;

/// <summary>
/// Whether a reconstruction tells which of the pictures it was made from. Both lose the mean picture, which is known to everybody, and
/// are compared by the cosine between them at 64 x 64 at most: what is left of contrast and detail does not matter, only its pattern.
/// </summary>
internal sealed class ReIdentification
{
    private const int Finest = 64;

    private readonly PictureSize _size;
    private readonly float[] _mean;
    private readonly float[][] _originals;

    /// <summary>Prepares the pictures to choose from.</summary>
    public ReIdentification(PictureSize size, float[] mean, IReadOnlyList<AssessedPicture> originals)
    {
        (_size, _mean) = (size, mean);
        _originals = [.. originals.Select(original => Pattern(original.Pixels))];
    }

    /// <summary>Whether, of all originals, the one at <paramref name="place"/> is nearest. No other may be as near: who says the same of all says nothing.</summary>
    public bool Finds(int place, ReadOnlySpan<float> reconstruction)
    {
        float[] pattern = Pattern(reconstruction);
        double own = Dot(pattern, _originals[place]);
        for (int other = 0; other < _originals.Length; other++)
            if (other != place && !(Dot(pattern, _originals[other]) < own))
                return false;
        return own > 0;
    }

    private float[] Pattern(ReadOnlySpan<float> picture)
    {
        int rows = Math.Min(Finest, _size.Height), columns = Math.Min(Finest, _size.Width);
        float[] pattern = new float[_size.Channels * rows * columns];
        for (int channel = 0; channel < _size.Channels; channel++)
            for (int y = 0; y < _size.Height; y++)
                for (int x = 0; x < _size.Width; x++)
                {
                    int i = (channel * _size.Height + y) * _size.Width + x;
                    pattern[(channel * rows + y * rows / _size.Height) * columns + x * columns / _size.Width] += picture[i] - _mean[i];
                }
        double length = Math.Sqrt(Dot(pattern, pattern));
        for (int i = 0; length > 0 && i < pattern.Length; i++)
            pattern[i] = (float)(pattern[i] / length);
        return pattern;
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        Vector<float> sums = default;
        int i = 0;
        for (; i <= a.Length - Vector<float>.Count; i += Vector<float>.Count)
            sums += new Vector<float>(a[i..]) * new Vector<float>(b[i..]);
        double sum = Vector.Sum(sums);
        for (; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }
}
