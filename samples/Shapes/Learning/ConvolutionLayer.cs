namespace Cloister.Samples.Shapes.Learning;

/// <summary>
/// Convolution 3 x 3 with padding 1, ReLU, maximum of 2 x 2, in one pass. Activations lie [row][column][channel] with a border of
/// zeros; weights [output][row][column][input]. All sums run in the order in which they are written: scalar, without fused
/// multiply-add, so that the result has the same bits on every processor.
/// </summary>
internal sealed unsafe class ConvolutionLayer(int size, int inputs, int outputs, int weightsAt)
{
    private const int Kernel = 3;

    /// <summary>In the place of a winner: no value of the four was positive, and no gradient flows.</summary>
    private const byte Nobody = 255;

    public int Inputs => inputs;

    public int Outputs => outputs;

    public int Pooled => size / 2;

    public int FanIn => Kernel * Kernel * inputs;

    public int WeightsAt => weightsAt;

    public int BiasAt => weightsAt + outputs * FanIn;

    public int End => BiasAt + outputs;

    public int Winners => Pooled * Pooled * outputs;

    public static int Padded(int size, int channels) => (size + 2) * (size + 2) * channels;

    /// <param name="parameters">All weights of the network.</param>
    /// <param name="input">[size + 2][size + 2][inputs].</param>
    /// <param name="output">[size / 2][size / 2][outputs] with <paramref name="border"/> zeros around.</param>
    /// <param name="border">1 before another convolution, 0 before a dense layer.</param>
    /// <param name="winners">Which of the four values became the maximum, for the way back.</param>
    public void Forward(float* parameters, float* input, float* output, int border, byte* winners)
    {
        int stride = (size + 2) * inputs, run = Kernel * inputs, outputStride = (Pooled + 2 * border) * outputs;
        for (int y = 0; y < Pooled; y++)
            for (int x = 0; x < Pooled; x++)
            {
                float* patch = input + 2 * y * stride + 2 * x * inputs;
                float* target = output + (y + border) * outputStride + (x + border) * outputs;
                for (int channel = 0; channel < outputs; channel += 2)
                {
                    float* first = parameters + weightsAt + channel * FanIn, second = first + FanIn;
                    float a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
                    for (int row = 0; row < Kernel; row++)
                    {
                        float* upper = patch + row * stride, lower = upper + stride;
                        for (int i = 0; i < run; i++)
                        {
                            float u = first[i], v = second[i];
                            float p0 = upper[i], p1 = upper[i + inputs], p2 = lower[i], p3 = lower[i + inputs];
                            a0 += u * p0;
                            a1 += u * p1;
                            a2 += u * p2;
                            a3 += u * p3;
                            b0 += v * p0;
                            b1 += v * p1;
                            b2 += v * p2;
                            b3 += v * p3;
                        }

                        first += run;
                        second += run;
                    }

                    target[channel] = Pool(a0, a1, a2, a3, parameters[BiasAt + channel], out *winners++);
                    target[channel + 1] = Pool(b0, b1, b2, b3, parameters[BiasAt + channel + 1], out *winners++);
                }
            }
    }

    /// <param name="parameters">All weights of the network.</param>
    /// <param name="gradient">Their gradient so far, which is added to.</param>
    /// <param name="input">As in <see cref="Forward"/>.</param>
    /// <param name="winners">As <see cref="Forward"/> left them.</param>
    /// <param name="outputGradient">Laid out as the output was.</param>
    /// <param name="border">As in <see cref="Forward"/>.</param>
    /// <param name="inputGradient">Laid out as the input, cleared by the caller; null for the first layer.</param>
    public void Backward(float* parameters, float* gradient, float* input, byte* winners, float* outputGradient, int border, float* inputGradient)
    {
        int stride = (size + 2) * inputs, run = Kernel * inputs, outputStride = (Pooled + 2 * border) * outputs;
        for (int y = 0; y < Pooled; y++)
            for (int x = 0; x < Pooled; x++)
                for (int channel = 0; channel < outputs; channel++)
                {
                    byte winner = *winners++;
                    if (winner == Nobody)
                        continue;
                    float slope = outputGradient[(y + border) * outputStride + (x + border) * outputs + channel];
                    int patch = (2 * y + (winner >> 1)) * stride + (2 * x + (winner & 1)) * inputs;
                    int weights = weightsAt + channel * FanIn;
                    gradient[BiasAt + channel] += slope;
                    for (int row = 0; row < Kernel; row++, patch += stride, weights += run)
                    {
                        for (int i = 0; i < run; i++)
                            gradient[weights + i] += slope * input[patch + i];
                        if (inputGradient != null)
                            for (int i = 0; i < run; i++)
                                inputGradient[patch + i] += slope * parameters[weights + i];
                    }
                }
    }

    private static float Pool(float topLeft, float topRight, float bottomLeft, float bottomRight, float bias, out byte winner)
    {
        float best = topLeft;
        winner = 0;
        if (topRight > best)
            (best, winner) = (topRight, 1);
        if (bottomLeft > best)
            (best, winner) = (bottomLeft, 2);
        if (bottomRight > best)
            (best, winner) = (bottomRight, 3);
        best += bias;
        if (best > 0)
            return best;
        winner = Nobody;
        return 0;
    }
}
