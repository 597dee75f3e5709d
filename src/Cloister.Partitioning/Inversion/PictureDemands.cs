using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Inversion;

/// <summary>What is asked of pictures before anything is measured on them.</summary>
internal static class PictureDemands
{
    public static void Demand(IReadOnlyList<AssessedPicture> fit, IReadOnlyList<AssessedPicture> test, PictureSize size)
    {
        if (fit.Count < InversionSettings.MinimumFitPictures || test.Count < InversionSettings.MinimumTestPictures)
            throw new PartitioningException(
                PartitioningError.TooFewSamples,
                $"At least {InversionSettings.MinimumFitPictures} pictures to fit and {InversionSettings.MinimumTestPictures} to test are needed; there are {fit.Count} and {test.Count}.");
        var seen = new NearCopies(size);
        foreach (AssessedPicture picture in fit.Concat(test))
        {
            if (picture.Input.Length != size.Elements || picture.Pixels.Length != size.Elements)
                throw new ArgumentException($"'{picture.Name}' has {picture.Input.Length} inputs and {picture.Pixels.Length} pixels; a picture of {size} has {size.Elements}.", nameof(fit));
            if (Array.Exists(picture.Pixels, value => !(value >= 0 && value <= 1)))
                throw new ArgumentException($"'{picture.Name}' has a pixel outside 0 to 1.", nameof(fit));
            if (seen.Add(picture) is { } twin)
                throw new PartitioningException(
                    PartitioningError.SamplesOverlap,
                    $"'{picture.Name}' is the same picture as '{twin.Name}', or a near copy of it: a test on what was fitted, or on pictures that nobody can tell apart, says nothing.");
        }
    }

    /// <summary>The first picture that has the pixels of an earlier one, after that one; null where there is none.</summary>
    public static (AssessedPicture Earlier, AssessedPicture Again)? Twins(IEnumerable<AssessedPicture> pictures)
    {
        var seen = new Dictionary<int, List<AssessedPicture>>();
        foreach (AssessedPicture picture in pictures)
        {
            var hash = new HashCode();
            hash.AddBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(picture.Pixels));
            int bucket = hash.ToHashCode();
            if (!seen.TryGetValue(bucket, out List<AssessedPicture>? same))
                seen[bucket] = same = [];
            if (same.Find(other => other.Pixels.AsSpan().SequenceEqual(picture.Pixels)) is { } twin)
                return (twin, picture);
            same.Add(picture);
        }
        return null;
    }
}
