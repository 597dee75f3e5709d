using Cloister.Onnx.Pictures;
using Cloister.Samples.Shapes.Drawing;

namespace Cloister.Samples.Shapes.Learning;

/// <summary>One picture's way through a network and back. Not for two threads at once.</summary>
internal sealed unsafe class Activations
{
    private readonly Network _network;
    private readonly float[] _image, _one, _two, _three, _hidden, _scores;
    private readonly float[] _oneSlope, _twoSlope, _threeSlope, _hiddenSlope, _scoreSlope;
    private readonly byte[] _oneWinners, _twoWinners, _threeWinners;

    public Activations(Network network)
    {
        _network = network;
        _image = new float[ConvolutionLayer.Padded(Canvas.Size, 3)];
        _one = new float[ConvolutionLayer.Padded(network.First.Pooled, network.First.Outputs)];
        _two = new float[ConvolutionLayer.Padded(network.Second.Pooled, network.Second.Outputs)];
        _three = new float[network.Hidden.Inputs];
        _hidden = new float[network.Hidden.Outputs];
        _scores = new float[network.Last.Outputs];
        (_oneSlope, _twoSlope, _threeSlope) = (new float[_one.Length], new float[_two.Length], new float[_three.Length]);
        (_hiddenSlope, _scoreSlope) = (new float[_hidden.Length], new float[_scores.Length]);
        _oneWinners = new byte[network.First.Winners];
        _twoWinners = new byte[network.Second.Winners];
        _threeWinners = new byte[network.Third.Winners];
        Probabilities = new double[_scores.Length];
    }

    /// <summary>What the last pass found, one a label.</summary>
    public double[] Probabilities { get; }

    /// <summary>The label with the largest probability.</summary>
    public int Best => Array.IndexOf(Probabilities, Probabilities.Max());

    /// <summary>Looks at a picture of 32 by 32 pixels.</summary>
    public void Forward(Picture picture)
    {
        for (int y = 0; y < Canvas.Size; y++)
            for (int i = 0; i < 3 * Canvas.Size; i++)
                _image[((y + 1) * (Canvas.Size + 2) + 1) * 3 + i] = picture.Rgb[y * 3 * Canvas.Size + i] / 255f;
        fixed (float* parameters = _network.Parameters, image = _image, one = _one, two = _two, three = _three, hidden = _hidden, scores = _scores)
        fixed (byte* oneWinners = _oneWinners, twoWinners = _twoWinners, threeWinners = _threeWinners)
        {
            _network.First.Forward(parameters, image, one, 1, oneWinners);
            _network.Second.Forward(parameters, one, two, 1, twoWinners);
            _network.Third.Forward(parameters, two, three, 0, threeWinners);
            _network.Hidden.Forward(parameters, three, hidden);
            _network.Last.Forward(parameters, hidden, scores);
        }

        Softmax();
    }

    /// <summary>Adds the gradient of the cross entropy against the right label.</summary>
    public void Backward(int label, float[] gradient)
    {
        for (int i = 0; i < _scoreSlope.Length; i++)
            _scoreSlope[i] = (float)Probabilities[i] - (i == label ? 1 : 0);
        foreach (float[] slopes in (float[][])[_oneSlope, _twoSlope, _threeSlope, _hiddenSlope])
            Array.Clear(slopes);
        fixed (float* parameters = _network.Parameters, into = gradient)
        fixed (float* image = _image, one = _one, two = _two, three = _three, hidden = _hidden, scores = _scores)
        fixed (float* oneSlope = _oneSlope, twoSlope = _twoSlope, threeSlope = _threeSlope, hiddenSlope = _hiddenSlope, scoreSlope = _scoreSlope)
        fixed (byte* oneWinners = _oneWinners, twoWinners = _twoWinners, threeWinners = _threeWinners)
        {
            _network.Last.Backward(parameters, into, hidden, scores, scoreSlope, hiddenSlope);
            _network.Hidden.Backward(parameters, into, three, hidden, hiddenSlope, threeSlope);
            _network.Third.Backward(parameters, into, two, threeWinners, threeSlope, 0, twoSlope);
            _network.Second.Backward(parameters, into, one, twoWinners, twoSlope, 1, oneSlope);
            _network.First.Backward(parameters, into, image, oneWinners, oneSlope, 1, null);
        }
    }

    private void Softmax()
    {
        double most = _scores.Max(), sum = 0;
        for (int i = 0; i < _scores.Length; i++)
            sum += Probabilities[i] = ExactMath.Exp(_scores[i] - most);
        for (int i = 0; i < _scores.Length; i++)
            Probabilities[i] /= sum;
    }
}
