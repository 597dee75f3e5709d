using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Features;
using Cloister.Tests;

namespace Cloister.Partitioning.Tests;

public sealed class TapSessionTests
{
    [SharedDataFact]
    public void The_input_and_the_output_of_a_model_can_be_looked_at()
    {
        ModelProto model = OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/vision/cifar10-resnet20.onnx")));
        using TapSession session = TapSession.Open(model, ["input", "probabilities"], new PictureSize(3, 32, 32));
        float[] input = [.. Enumerable.Range(0, 3 * 32 * 32).Select(i => i % 7 / 7f)];
        OrtTensor[] seen = session.Run(input);
        Assert.Equal(input, seen[0].Span<float>().ToArray());
        Assert.Equal(1f, seen[1].Span<float>().ToArray().Sum(), 1e-5);
        foreach (OrtTensor tensor in seen) tensor.Dispose();
    }
}
