using Cloister.Onnx.Model;
using Cloister.Partitioning.Transposed;
using Cloister.Tests;

namespace Cloister.Partitioning.Tests.Transposed;

public sealed class FrontNetGradientTests
{
    [SharedDataTheory]
    [InlineData("vision/cifar10-resnet20.onnx", "layer2.0/add/relu", 3, 32, 1f)]
    [InlineData("vision/cifar10-resnet20.onnx", "probabilities", 3, 32, 1f)]
    [InlineData("vision/squeezenet1.1-224.onnx", "pool3_1", 3, 224, 100f)]
    [InlineData("vision/mobilenetv2-1.0-224.onnx", "MobileNetV2/expanded_conv_5/add/add", 3, 224, 1f)]
    [InlineData("vision/mnist.onnx", "Plus214_Output_0", 1, 28, 255f)]
    public void A_real_FrontNet_has_the_gradient_that_differences_give(string file, string tensor, int channels, int side, float reach)
    {
        float[] x = Noise(channels * side * side, reach);
        using var check = new GradientCheck(Front(file, tensor), x);
        foreach (int i in Enumerable.Range(0, x.Length).OrderByDescending(i => Math.Abs(check.Gradient[i])).Take(4))
        {
            // Among a million kinks one is often near, to one side.
            double[] differences = [.. new[] { 3e-3f, -3e-3f, 1e-3f, -1e-3f, 3e-4f, -3e-4f }.Select(step => check.Step(x, i, step * reach))];
            Assert.Contains(differences, difference => Math.Abs(difference / check.Gradient[i] - 1) < 0.01);
        }
    }

    [SharedDataTheory]
    [InlineData("light/light_inception_v1.onnx", "pool2/3x3_s2_1")]
    [InlineData("light/light_densenet121.onnx", "conv2_1_1")]
    public void Graphs_of_old_operator_sets_are_taken(string file, string tensor)
    {
        ModelProto model = Read(file);
        string name = model.Graph.Nodes.SelectMany(node => node.Outputs).FirstOrDefault(output => output == tensor) ?? model.Graph.Nodes.Last(node => node.OpType is "Concat").Outputs[0];
        float[] x = Noise(3 * 224 * 224, 1);
        using var check = new GradientCheck(FrontGraph.Of(model, [name]), x);
        Assert.Contains(check.Gradient, value => value != 0);
        Assert.All(check.Gradient, value => Assert.True(float.IsFinite(value)));
    }

    [SharedDataTheory]
    [InlineData("vision/squeezenet1.1-224")]
    [InlineData("vision/SqueezeNet_fp16")]
    [InlineData("vision/mobilenetv2-1.0-224")]
    [InlineData("vision/cifar10-resnet20")]
    [InlineData("vision/mnist")]
    [InlineData("light/light_densenet121")]
    [InlineData("light/light_resnet50")]
    [InlineData("light/light_inception_v1")]
    public void Every_network_of_pictures_is_taken_whole(string name)
    {
        ModelProto model = Read(name + ".onnx");
        ModelProto emitted = TransposedGraph.Emit(FrontGraph.Of(model, [.. model.Graph.Outputs.Select(output => output.Name)]));
        Assert.Contains(emitted.Graph.Outputs, output => output.Name.StartsWith(TransposedGraph.Gradient(""), StringComparison.Ordinal));
        Assert.NotEmpty(emitted.ToBytes());
    }

    [SharedDataFact]
    public void Halves_are_widened()
    {
        float[] x = Noise(3 * 224 * 224, 100);
        using var half = new GradientCheck(WideModel.Of(Front("vision/SqueezeNet_fp16.onnx", "fire2/concat_1")), x);
        using var whole = new GradientCheck(Front("vision/squeezenet1.1-224.onnx", "fire2/concat_1"), x);
        Assert.Equal(whole.Gradient, half.Gradient);
        ModelProto emitted = TransposedGraph.Emit(Front("vision/SqueezeNet_fp16.onnx", "fire2/concat_1"));
        Assert.Equal(TensorDataType.Float, emitted.Graph.Inputs[0].Type!.TensorType!.ElementType);
    }

    [SharedDataFact]
    public void The_input_itself_has_the_gradient_it_is_given()
    {
        float[] x = Noise(3 * 32 * 32, 1);
        using var check = new GradientCheck(Front("vision/cifar10-resnet20.onnx", "input"), x);
        Assert.Equal(1, check.Step(x, 17, 0.1f) / check.Gradient[17], 1e-4);
    }

    [SharedDataFact]
    public void A_tensor_that_is_not_there_is_refused() =>
        Assert.Equal(PartitioningError.CutRefused, Assert.Throws<PartitioningException>(() => Front("vision/mnist.onnx", "nothing")).Error);

    private static ModelProto Read(string file) => OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/" + file)));

    private static ModelProto Front(string file, string tensor) => FrontGraph.Of(Read(file), [tensor]);

    private static float[] Noise(int count, float reach)
    {
        var random = new Random(5);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 2 - 1) * reach)];
    }
}
