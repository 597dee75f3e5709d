namespace Cloister.Samples.Shapes.Learning;

/// <summary>The optimiser of Kingma and Ba 2015, in scalar arithmetic.</summary>
internal sealed class Adam(int parameters)
{
    private const float Beta1 = 0.9f, Beta2 = 0.99f, Epsilon = 1e-8f;
    private readonly float[] _mean = new float[parameters], _square = new float[parameters];
    private double _decay1 = 1, _decay2 = 1;

    public void Step(float[] parameters, float[] gradient, double rate)
    {
        _decay1 *= Beta1;
        _decay2 *= Beta2;
        float step = (float)(rate / (1 - _decay1)), correction = (float)(1 / (1 - _decay2));
        for (int i = 0; i < parameters.Length; i++)
        {
            float slope = gradient[i];
            float mean = _mean[i] = Beta1 * _mean[i] + (1 - Beta1) * slope;
            float square = _square[i] = Beta2 * _square[i] + (1 - Beta2) * slope * slope;
            parameters[i] -= step * mean / ((float)Math.Sqrt(square * correction) + Epsilon);
        }
    }
}
