using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Algebra;

namespace Cloister.Partitioning.Weights;

/// <summary>
/// A linear map of channels, the same at every place, from one network's tensor to another's, learned from both of the same pictures; what
/// it gives is held to the range that was seen.
/// </summary>
internal sealed class BoundaryFit
{
    private const int HoldOutOneIn = 5;
    // Beyond this ridge only the mean is left.
    private const double Endless = 1e12;

    private readonly RidgeModel _map;
    private readonly float _least, _greatest;

    private BoundaryFit(RidgeModel map, float least, float greatest, double explains) => (_map, _least, _greatest, Explains) = (map, least, greatest, explains);

    /// <summary>The share of the variance that it explains in rows that were not fitted.</summary>
    public double Explains { get; }

    private static ReadOnlySpan<double> Ridges => [1e-5, 1e-3, 1e-1];

    /// <summary>Channels of a tensor of one item.</summary>
    public static int Channels(IReadOnlyList<long> shape) => checked((int)(shape.Count < 2 ? 1 : shape[1]));

    /// <exception cref="PartitioningException"><see cref="PartitioningError.FeaturesRefused"/>: a feature is not finite, or all are constant.</exception>
    public static BoundaryFit Of(WeightSettings settings, (BoundaryRows From, BoundaryRows To)[] pictures, int channels, MatrixProduct product, CancellationToken cancellation)
    {
        var fit = new NormalEquations(channels, channels, product);
        for (int i = 0; i < pictures.Length; i++)
            if (!HeldOut(i))
                fit.Add(pictures[i].From.Values, pictures[i].To.Values, pictures[i].From.Count);
        NormalEquations held = fit.Sibling();
        for (int i = 0; i < pictures.Length; i++)
            if (HeldOut(i))
                held.Add(pictures[i].From.Values, pictures[i].To.Values, pictures[i].From.Count);
        int[] all = [.. Enumerable.Range(0, channels)];
        (RidgeModel? best, double least) = (null, double.PositiveInfinity);
        foreach (double ridge in Ridges)
            if (fit.TrySolve(ridge, all, settings.Threads, cancellation) is { } map && held.MeanSquaredError(map, all, settings.Threads, cancellation) is var error && error < least)
                (best, least) = (map, error);
        double nothing = held.MeanSquaredError(fit.Solve(Endless, settings.Threads, cancellation), all, settings.Threads, cancellation);
        return new BoundaryFit(
            best ?? throw new PartitioningException(PartitioningError.FeaturesRefused, "The features depend on each other so much that no ridge helps."),
            pictures.Min(picture => picture.To.Least), pictures.Max(picture => picture.To.Greatest), nothing > 0 ? 1 - least / nothing : 0);
    }

    /// <summary>The tensor as it would be in the other network, for the caller to dispose.</summary>
    public OrtTensor Apply(OrtTensor tensor, MatrixProduct product)
    {
        int channels = _map.Features, places = checked((int)(tensor.ElementCount / channels));
        float[] y = new float[channels * places];
        _map.Predict(BoundaryRows.Of(tensor.Span<float>(), channels, [.. Enumerable.Range(0, places)]).Values, places, y, product);
        OrtTensor result = OrtTensor.Allocate<float>(tensor.Shape);
        Span<float> values = result.Span<float>();
        for (int place = 0; place < places; place++)
            for (int channel = 0; channel < channels; channel++)
                values[channel * places + place] = Math.Clamp(y[place * channels + channel], _least, _greatest);
        return result;
    }

    private static bool HeldOut(int picture) => picture % HoldOutOneIn == HoldOutOneIn - 1;
}
