using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Heuristic;

namespace Cloister.Partitioning.Weights;

/// <summary>Pictures as a public model reads them, whose preprocessing is another.</summary>
internal static class PublicInput
{
    /// <exception cref="PartitioningException"><see cref="PartitioningError.ModelRefused"/>: the preprocessing does not make the model's channels.</exception>
    public static AssessedPicture[] Of(IReadOnlyList<AssessedPicture> pictures, PictureSize size, Preprocessing preprocessing) => [.. pictures.Select(picture =>
    {
        float[] input = new float[size.Elements];
        try
        {
            preprocessing.ToTensor(PixelSpace.ToPicture(picture.Pixels, size), size.Channels, size.Height, size.Width, input);
        }
        catch (PictureException refusal)
        {
            throw new PartitioningException(PartitioningError.ModelRefused, $"The public model's preprocessing does not fit: {refusal.Message}", refusal);
        }
        return picture with { Input = input };
    })];
}
