namespace Cloister.Samples.Shapes.Learning;

/// <summary>A fully connected layer; weights lie [output][input].</summary>
internal sealed unsafe class DenseLayer(int inputs, int outputs, bool rectified, int weightsAt)
{
    public int Inputs => inputs;

    public int Outputs => outputs;

    public int WeightsAt => weightsAt;

    public int BiasAt => weightsAt + inputs * outputs;

    public int End => BiasAt + outputs;

    public void Forward(float* parameters, float* input, float* output)
    {
        for (int o = 0; o < outputs; o++)
        {
            // Four partial sums, because each addition waits for the one before it.
            float* weights = parameters + weightsAt + o * inputs;
            float a = 0, b = 0, c = 0, d = 0;
            for (int i = 0; i < inputs; i += 4)
            {
                a += weights[i] * input[i];
                b += weights[i + 1] * input[i + 1];
                c += weights[i + 2] * input[i + 2];
                d += weights[i + 3] * input[i + 3];
            }

            float sum = a + b + (c + d) + parameters[BiasAt + o];
            output[o] = rectified && !(sum > 0) ? 0 : sum;
        }
    }

    /// <param name="parameters">All weights of the network.</param>
    /// <param name="gradient">Their gradient so far, which is added to.</param>
    /// <param name="input">As in <see cref="Forward"/>.</param>
    /// <param name="output">As <see cref="Forward"/> left it.</param>
    /// <param name="outputGradient">One slope an output.</param>
    /// <param name="inputGradient">One slope an input, cleared by the caller.</param>
    public void Backward(float* parameters, float* gradient, float* input, float* output, float* outputGradient, float* inputGradient)
    {
        for (int o = 0; o < outputs; o++)
        {
            float slope = rectified && output[o] == 0 ? 0 : outputGradient[o];
            if (slope == 0)
                continue;
            gradient[BiasAt + o] += slope;
            int weights = weightsAt + o * inputs;
            for (int i = 0; i < inputs; i++)
            {
                gradient[weights + i] += slope * input[i];
                inputGradient[i] += slope * parameters[weights + i];
            }
        }
    }
}
