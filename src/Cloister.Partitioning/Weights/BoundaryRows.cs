namespace Cloister.Partitioning.Weights;

/// <summary>Some places of a tensor of [1, channels, places...]: a row of channels a place.</summary>
/// <param name="Values">Row-major.</param>
/// <param name="Count">Rows.</param>
/// <param name="Least">The least value of the whole tensor.</param>
/// <param name="Greatest">The greatest value of the whole tensor.</param>
internal sealed record BoundaryRows(float[] Values, int Count, float Least, float Greatest)
{
    public static BoundaryRows Of(ReadOnlySpan<float> tensor, int channels, ReadOnlySpan<int> chosen)
    {
        int places = tensor.Length / channels;
        float[] rows = new float[chosen.Length * channels];
        for (int row = 0; row < chosen.Length; row++)
            for (int channel = 0; channel < channels; channel++)
                rows[row * channels + channel] = tensor[channel * places + chosen[row]];
        float least = float.PositiveInfinity, greatest = float.NegativeInfinity;
        foreach (float value in tensor)
            (least, greatest) = (Math.Min(least, value), Math.Max(greatest, value));
        return new BoundaryRows(rows, chosen.Length, least, greatest);
    }
}
