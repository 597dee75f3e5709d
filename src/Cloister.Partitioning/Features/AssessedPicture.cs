namespace Cloister.Partitioning.Features;

/// <summary>A picture as the model reads it and as people see it, both of the model's own size.</summary>
/// <param name="Name">Where it comes from, for reports.</param>
/// <param name="Input">The model's input of one item: channels * height * width, preprocessed.</param>
/// <param name="Pixels">Planes of [channels, height, width], 0 to 1; three channels are red, green, blue, one is luma.</param>
public sealed record AssessedPicture(string Name, float[] Input, float[] Pixels);

/// <summary>The size of every picture of an assessment.</summary>
/// <param name="Channels">3, or 1 for luma.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public readonly record struct PictureSize(int Channels, int Height, int Width)
{
    /// <summary>Numbers a picture.</summary>
    public int Elements => Channels * Height * Width;
}
