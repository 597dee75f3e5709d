namespace Cloister.Partitioning.Transposed;

/// <summary>Adam (D. Kingma, J. Ba, arXiv 1412.6980) over numbers that stay between 0 and 1.</summary>
internal sealed class Adam(int count)
{
    private const float First = 0.9f, Second = 0.999f, Small = 1e-8f;

    private readonly float[] _mean = new float[count], _square = new float[count];
    private int _steps;

    /// <summary>Goes one step of about the given length in each number.</summary>
    public void Step(Span<float> values, ReadOnlySpan<float> gradient, float length)
    {
        _steps++;
        float mean = 1 / (1 - MathF.Pow(First, _steps)), square = 1 / (1 - MathF.Pow(Second, _steps));
        for (int i = 0; i < values.Length; i++)
        {
            _mean[i] = First * _mean[i] + (1 - First) * gradient[i];
            _square[i] = Second * _square[i] + (1 - Second) * gradient[i] * gradient[i];
            float step = length * _mean[i] * mean / (MathF.Sqrt(_square[i] * square) + Small);
            values[i] = Math.Clamp(values[i] - step, 0, 1);
        }
    }
}
