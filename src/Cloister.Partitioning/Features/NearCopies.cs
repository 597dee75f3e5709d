namespace Cloister.Partitioning.Features;

/// <summary>
/// Recognises pictures that are another one with noise, compression or a shade on it: at 16 x 16 they differ by less than five of 256 grey
/// levels in the root mean square. The same picture learned from and attacked would fake a leak; among those attacked, copies hide one, since
/// none can be told from the others.
/// </summary>
internal sealed class NearCopies(PictureSize size)
{
    private const int Side = 16;
    private const double Near = 0.02;

    private readonly List<(float[] Small, AssessedPicture Picture)> _seen = [];

    /// <summary>Remembers a picture, unless it is near to one remembered before: then gives that one.</summary>
    public AssessedPicture? Add(AssessedPicture picture)
    {
        float[] small = Small(picture.Pixels);
        foreach ((float[] other, AssessedPicture twin) in _seen)
            if (AreNear(small, other)) return twin;
        _seen.Add((small, picture));
        return null;
    }

    private static bool AreNear(float[] one, float[] other)
    {
        double sum = 0, most = Near * Near * one.Length;
        for (int i = 0; i < one.Length && sum < most; i++)
            sum += (one[i] - (double)other[i]) * (one[i] - (double)other[i]);
        return sum < most;
    }

    private float[] Small(ReadOnlySpan<float> pixels)
    {
        int rows = Math.Min(Side, size.Height), columns = Math.Min(Side, size.Width);
        var sums = new float[size.Channels * rows * columns];
        var counts = new int[rows * columns];
        for (int channel = 0; channel < size.Channels; channel++)
            for (int y = 0; y < size.Height; y++)
                for (int x = 0; x < size.Width; x++)
                {
                    int place = y * rows / size.Height * columns + x * columns / size.Width;
                    sums[channel * counts.Length + place] += pixels[(channel * size.Height + y) * size.Width + x];
                    if (channel == 0) counts[place]++;
                }
        for (int i = 0; i < sums.Length; i++) sums[i] /= counts[i % counts.Length];
        return sums;
    }
}
