using System.Collections.Immutable;
using Cloister.Onnx.Model;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Inversion;

/// <summary>Gives what somebody outside sees of a picture.</summary>
internal abstract class FeatureSource : IDisposable
{
    /// <summary>Names of the tensors.</summary>
    public abstract ImmutableArray<string> Tensors { get; }

    /// <summary>Shapes of the tensors for one item.</summary>
    public abstract ImmutableArray<long[]> Shapes { get; }

    /// <summary>Gives the tensors of a picture.</summary>
    public abstract float[][] Read(AssessedPicture picture);

    /// <inheritdoc/>
    public virtual void Dispose() { }
}

/// <summary>The tensors of a cut.</summary>
internal sealed class TensorSource : FeatureSource
{
    // The least that 32-bit floats hold in full. A softmax is exact down to there, and a model could hide all that it says below any greater floor.
    private const float Least = 1.2e-38f;

    private readonly TapSession _session;
    private readonly bool[] _probabilities;

    public TensorSource(ModelProto model, ImmutableArray<string> tensors, PictureSize size, AssessedPicture first, int threads)
    {
        if (tensors.IsDefaultOrEmpty)
            throw new ArgumentException("A cut has at least one tensor.", nameof(tensors));
        Tensors = tensors;
        _session = TapSession.Open(model, tensors, size, threads);
        try
        {
            (Shapes, _probabilities) = _session.Look(first.Input, seen =>
                (seen.Select(tensor => tensor.Shape.ToArray()).ToImmutableArray(), seen.Select(tensor => AreProbabilities(tensor.Span<float>())).ToArray()));
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    public override ImmutableArray<string> Tensors { get; }

    public override ImmutableArray<long[]> Shapes { get; }

    public override float[][] Read(AssessedPicture picture) => _session.Look(picture.Input, seen =>
    {
        for (int i = 0; i < seen.Length; i++)
            if (!seen[i].Shape.SequenceEqual(Shapes[i]))
                throw new PartitioningException(PartitioningError.CutRefused, $"The shape of '{Tensors[i]}' depends on the picture.");
        for (int i = 0; i < seen.Length; i++)
            if (_probabilities[i] && !AreProbabilities(seen[i].Span<float>()) && AreFinite(seen[i].Span<float>()))
                throw new PartitioningException(PartitioningError.CutRefused, $"'{Tensors[i]}' holds probabilities for one picture and none for '{picture.Name}'; what it says cannot be read in one way.");
        return seen.Select((tensor, i) => Values(tensor.Span<float>(), _probabilities[i])).ToArray();
    });

    public override void Dispose()
    {
        _session.Dispose();
        base.Dispose();
    }

    private static bool AreProbabilities(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values)
            sum += value >= 0 ? value : double.NaN;
        return values.Length > 1 && Math.Abs(sum - 1) < 1e-3;
    }

    private static bool AreFinite(ReadOnlySpan<float> values)
    {
        foreach (float value in values)
            if (!float.IsFinite(value)) return false;
        return true;
    }

    // A softmax squeezes most of what it was made of into numbers near zero; its logarithms are linear in that again. NaN stays NaN.
    private static float[] Values(ReadOnlySpan<float> values, bool probabilities)
    {
        float[] copy = values.ToArray();
        for (int i = 0; probabilities && i < copy.Length; i++)
            copy[i] = MathF.Log(Math.Max(copy[i], Least));
        return copy;
    }
}

/// <summary>Noise that has nothing to do with the picture, for the calibration. The n-th read gives the same noise for a seed.</summary>
internal sealed class NoiseSource(PictureSize size, int seed) : FeatureSource
{
    private readonly long[] _shape = [1, 32, Math.Max(1, size.Height / 8), Math.Max(1, size.Width / 8)];
    private SplitMix64 _random = new(seed);

    public override ImmutableArray<string> Tensors => ["noise"];

    public override ImmutableArray<long[]> Shapes => [_shape];

    public override float[][] Read(AssessedPicture picture)
    {
        float[] noise = new float[_shape[1] * _shape[2] * _shape[3]];
        for (int i = 0; i < noise.Length; i++)
            noise[i] = (float)_random.Gauss();
        return [noise];
    }
}
