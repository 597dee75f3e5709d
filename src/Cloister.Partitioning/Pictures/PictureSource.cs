using System.Collections.Immutable;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Pictures;

/// <summary>
/// Takes pictures from folders and files: PNG, JPEG, binary PPM and PGM, CIFAR-10's binary format. What is no picture is counted and named. A
/// picture that is an earlier one, or a near copy of it, is left out: the same picture among those learned from and those attacked would fake
/// a leak, and among those attacked hide one.
/// </summary>
public static class PictureSource
{
    private const int NamedSkips = 20;
    private const long MostBytes = 8L << 30;

    private static readonly Preprocessing Colours = Preprocessing.Parse("unit"), Luma = Preprocessing.Parse("grey-unit");

    /// <summary>Reads as many pictures as are asked for. The same files, request and seed give the same pictures in the same order.</summary>
    /// <param name="request">Where from, how many, and of what size.</param>
    /// <param name="progress">Gets how many are there.</param>
    /// <param name="cancellation">Ends it between two pictures.</param>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.PicturesRefused"/>: a path is not there, or there are too few pictures; the text says what was left out and why.</exception>
    /// <exception cref="ArgumentException">The request asks for no pictures, or sizes that are none.</exception>
    public static PictureSet Read(PictureRequest request, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        Demand(request);
        int wanted = request.Fit + request.Test;
        var taken = new List<AssessedPicture>(wanted);
        var seen = new NearCopies(request.Size);
        var skipped = new List<string>();
        int skips = 0, duplicates = 0;
        PictureCandidate[] candidates = PictureCandidate.Find(request.Paths, request.Seed);
        foreach (PictureCandidate candidate in candidates)
        {
            cancellation.ThrowIfCancellationRequested();
            if (taken.Count == wanted) break;
            try
            {
                AssessedPicture picture = Take(candidate, request);
                if (seen.Add(picture) is null) taken.Add(picture);
                else duplicates++;
            }
            catch (PartitioningException refusal) when (refusal.Error == PartitioningError.PicturesRefused)
            {
                if (skips++ < NamedSkips) skipped.Add($"{candidate.Name}: {refusal.Message}");
            }
            progress?.Report(taken.Count);
        }
        if (taken.Count < (request.Least ?? wanted)) throw TooFew(request, taken.Count, duplicates, skips, skipped);
        ImmutableArray<AssessedPicture> test = [.. taken.Take(request.Test)], fit = [.. taken.Skip(request.Test)];
        return new PictureSet(request.Size, fit, test, candidates.Length, duplicates, skips, [.. skipped], PictureSet.DigestOf(fit, test));
    }

    private static void Demand(PictureRequest request)
    {
        PictureSize size = request.Size;
        ArgumentOutOfRangeException.ThrowIfLessThan(request.Fit, 1, nameof(request));
        ArgumentOutOfRangeException.ThrowIfLessThan(request.Test, 2, nameof(request));
        if (size.Channels is not (1 or 3) || size.Height < 1 || size.Width < 1) throw new ArgumentException($"{size} is no size of pictures.", nameof(request));
        long bytes = 2L * sizeof(float) * size.Channels * size.Height * size.Width * ((long)request.Fit + request.Test);
        if (bytes > MostBytes) throw new PartitioningException(PartitioningError.PicturesRefused, $"{(long)request.Fit + request.Test:N0} pictures of {size.Width} x {size.Height} need {bytes >> 20:N0} MiB of memory; at most {MostBytes >> 20:N0} are taken. Ask for fewer.");
    }

    private static AssessedPicture Take(PictureCandidate candidate, PictureRequest request)
    {
        PictureSize size = request.Size;
        Picture picture = candidate.Read();
        try
        {
            if (picture.Width != size.Width || picture.Height != size.Height) picture = Scaled(picture, size, request.Resize);
            float[] input = new float[size.Elements], pixels = new float[size.Elements];
            request.Preprocessing.ToTensor(picture, size.Channels, size.Height, size.Width, input);
            (size.Channels == 1 ? Luma : Colours).ToTensor(picture, size.Channels, size.Height, size.Width, pixels);
            return new AssessedPicture(candidate.Name, input, pixels);
        }
        catch (PictureException refusal) when (refusal.Error == PictureError.WrongSize)
        {
            throw new PartitioningException(PartitioningError.PicturesRefused, refusal.Message, refusal);
        }
        catch (PictureException refusal)
        {
            // The same for every picture: the preprocessing does not fit the model.
            throw new PartitioningException(PartitioningError.ModelRefused, refusal.Message, refusal);
        }
    }

    private static Picture Scaled(Picture picture, PictureSize size, ResizeMode mode)
    {
        int plane = size.Height * size.Width;
        float[] planes = new float[3 * plane];
        Colours.ToTensor(picture, 3, size.Height, size.Width, planes, mode);
        byte[] rgb = new byte[planes.Length];
        for (int i = 0; i < plane; i++)
            for (int channel = 0; channel < 3; channel++) rgb[3 * i + channel] = (byte)MathF.Round(planes[channel * plane + i] * 255f);
        return new Picture(size.Width, size.Height, rgb);
    }

    private static PartitioningException TooFew(PictureRequest request, int taken, int duplicates, int skips, List<string> skipped)
    {
        string advice = request.Least is not null ? "Give more." : taken >= 40 ? $"Give more, or ask for fewer: {taken * 5 / 6} to fit and {taken - taken * 5 / 6} to test." : "Give more.";
        string left = skips == 0 ? "" : $" {skips:N0} files are no pictures that can be read, such as {string.Join("; ", skipped.Take(3))}";
        return new PartitioningException(PartitioningError.PicturesRefused,
            $"There are {taken} different pictures where {(request.Least is { } least ? $"at least {least}" : $"{request.Fit} to fit and {request.Test} to test")} are needed{(duplicates == 0 ? "" : $" ({duplicates} more are the same as one of these, or copies of one with a little noise or shade)")}. {advice}{left}");
    }
}
