using Cloister.Samples.Shapes.Drawing;

namespace Cloister.Samples.Shapes.Learning;

/// <summary>
/// Three convolutions (12, 24, 40 channels) and two dense layers (96, 10): 74,000 weights in one array. The object holds the layers
/// and weights; <see cref="Activations"/> holds what one pass needs, so that several threads can use one network.
/// </summary>
internal sealed class Network
{
    public Network()
    {
        First = new ConvolutionLayer(Canvas.Size, 3, 12, 0);
        Second = new ConvolutionLayer(First.Pooled, First.Outputs, 24, First.End);
        Third = new ConvolutionLayer(Second.Pooled, Second.Outputs, 40, Second.End);
        Hidden = new DenseLayer(Third.Pooled * Third.Pooled * Third.Outputs, 96, rectified: true, Third.End);
        Last = new DenseLayer(Hidden.Outputs, Outlines.Labels.Count, rectified: false, Hidden.End);
        Parameters = new float[Last.End];
    }

    public ConvolutionLayer First { get; }

    public ConvolutionLayer Second { get; }

    public ConvolutionLayer Third { get; }

    public DenseLayer Hidden { get; }

    public DenseLayer Last { get; }

    public float[] Parameters { get; }

    /// <summary>Uniform weights whose variance is 2 / inputs (He et al. 2015), biases of zero.</summary>
    public void Initialize(ulong seed)
    {
        var random = new Randomness(seed, 0);
        foreach (ConvolutionLayer layer in (ConvolutionLayer[])[First, Second, Third])
            Draw(layer.WeightsAt, layer.BiasAt, layer.FanIn, random);
        foreach (DenseLayer layer in (DenseLayer[])[Hidden, Last])
            Draw(layer.WeightsAt, layer.BiasAt, layer.Inputs, random);
    }

    private void Draw(int from, int to, int fanIn, Randomness random)
    {
        double bound = Math.Sqrt(6.0 / fanIn);
        for (int i = from; i < to; i++)
            Parameters[i] = (float)random.Between(-bound, bound);
    }
}
