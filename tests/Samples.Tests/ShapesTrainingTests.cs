using Cloister.Onnx.Runtime;
using Cloister.Samples.Shapes;
using Cloister.Samples.Shapes.Drawing;
using Cloister.Samples.Shapes.Learning;

namespace Cloister.Samples.Tests;

/// <summary>Trains once (under a minute of one core) and compares what came out with the repository and with ONNX Runtime.</summary>
public sealed class ShapesTrainingTests : IClassFixture<ShapesTrainingTests.Training>
{
    private readonly Network _network;

    public ShapesTrainingTests(Training training) => _network = training.Network;

    [Fact]
    public void TheCommittedModelIsReproducedBitForBit() =>
        Assert.Empty(Artefacts.Differences(Artefacts.Make(_network), ShapesFolder.Path));

    [Fact]
    public void TheNetworkNamesHeldOutDrawingsRightly() => Assert.Equal(1981, Trainer.CountCorrect(_network));

    [Fact]
    public void OnnxRuntimeFindsTheSameProbabilities()
    {
        using var session = OrtSession.FromMemory(ShapesFolder.Read(Artefacts.Model));
        using var image = OrtTensor.Allocate<float>([1, 3, Canvas.Size, Canvas.Size]);
        using var output = OrtTensor.Allocate<float>([1, Outlines.Labels.Count]);
        var activations = new Activations(_network);
        for (int index = 0; index < 200; index++)
        {
            ShapeTensor.Fill(ShapeDrawing.Draw(Trainer.HeldOutSeed, index), image.Span<float>());
            session.Run([image], [output]);
            activations.Forward(ShapeDrawing.Draw(Trainer.HeldOutSeed, index));
            Span<float> probabilities = output.Span<float>();
            for (int label = 0; label < probabilities.Length; label++)
                Assert.Equal(activations.Probabilities[label], probabilities[label], 1e-5);
        }
    }

    public sealed class Training
    {
        internal Network Network { get; } = Trainer.Train(null, CancellationToken.None);
    }
}
