using Cloister.Attestation.Measurements;

namespace Cloister.Images.Build;

/// <summary>Makes an image of a definition: the same bytes from the same inputs.</summary>
public static class ImageBuilder
{
    /// <summary>Builds an image. When the task has ended, the folder holds the whole image; when it fails or is stopped, what was there before is there still.</summary>
    /// <param name="definition">What the image is.</param>
    /// <param name="folder">The folder of the definition: relative paths in it begin here, and here lies <c>image.lock</c>.</param>
    /// <param name="options">Where things are.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Ends building.</param>
    /// <exception cref="ImageException">It cannot be built; the message says why.</exception>
    public static Task<ImageMeasurements> BuildAsync(ImageDefinition definition, string folder, BuildOptions options, IProgress<BuildProgress>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(definition);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(options);
        throw new ImageException(ImageError.ImageInvalid, "images cannot be built yet.");
    }
}
