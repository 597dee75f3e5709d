using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Membership;
using Cloister.Partitioning.Pictures;
using Cloister.Partitioning.Transposed;
using Cloister.Partitioning.Weights;
using Cloister.Tests;

namespace Cloister.Partitioning.Tests.Weights;

public sealed class ReadmeTests
{
    [SharedDataFact]
    public void The_readmes_lines_on_known_parts_run_as_they_stand()
    {
        ModelProto model = OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/vision/cifar10-resnet20.onnx"))), publicModel = model;
        PictureSet pictures = PictureSource.Read(new PictureRequest
        {
            Paths = [TestData.Path("inputs/cifar10")], Fit = 20, Test = 10, Size = new PictureSize(3, 32, 32), Preprocessing = Preprocessing.Parse("imagenet"),
        });
        ModelGraph graph = ModelGraph.Read(model);
        Cut cut = graph.Cut(["layer1.0/add/relu"]), tail = graph.Cut(["flat"]);
        PartitionedModel parts = GraphCutter.Split(graph, cut.Tensors);

        GradientScore white = GradientInversion.Run(
            new GradientInversionSettings { Threads = 4, Iterations = 10, MaximumPictures = 2 }, pictures.Fit, pictures.Test, pictures.Size, model, cut);
        Assert.Equal((2, 0.1), (white.Pictures, white.Chance));

        ModelProto gradient = TransposedGraph.Emit(parts.Front);
        Assert.Equal(["input", TransposedGraph.Upstream("layer1.0/add/relu")], gradient.Graph.Inputs.Select(input => input.Name));
        Assert.Equal(["layer1.0/add/relu", TransposedGraph.Gradient("input")], gradient.Graph.Outputs.Select(output => output.Name));

        WeightScore weights = WeightAttack.Run(
            new WeightSettings { Threads = 4 }, publicModel, pictures.Fit, pictures.Test, pictures.Size, model, cut, tail);
        Assert.Null(weights.NotCompared);
        Assert.Equal(1, weights.BestFidelity!.Value.Estimate);

        PictureSet more = PictureSource.Read(new PictureRequest { Paths = [TestData.Path("inputs/cifar10")], Fit = 30, Test = 30, Size = pictures.Size, Preprocessing = Preprocessing.Parse("imagenet"), Seed = 2 });
        IReadOnlyList<AssessedPicture> members = more.Fit, others = more.Test;
        MembershipScore trained = MembershipAttack.Run(new MembershipSettings { Threads = 4 }, members, others, pictures.Size, model, cut, tail);
        Assert.Equal((15, 15), (trained.Members, trained.Others));
    }
}
