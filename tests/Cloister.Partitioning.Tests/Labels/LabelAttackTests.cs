using System.Collections.Immutable;
using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Heuristic;
using Cloister.Partitioning.Labels;
using Cloister.Partitioning.Tests.Heuristic;
using Cloister.Tests;

namespace Cloister.Partitioning.Tests.Labels;

public sealed class LabelAttackTests
{
    private static readonly LabelSettings Settings = new() { Threads = 2 };

    [SharedDataFact]
    public void A_public_model_that_is_a_little_other_gives_the_order_away_and_so_do_the_last_layers()
    {
        ModelProto model = ExposureData.Model();
        using Oracle other = Oracle.Open(Disturbed(model, 0.15f), Preprocessing.Parse("imagenet"), ExposureData.Size);
        ImmutableArray<string> names = [.. File.ReadAllLines(TestData.Path("inputs/labels/cifar10.txt"))];
        AssessedPicture[] pictures = ExposureData.Pictures(400);
        string last = BeforeSoftmax(model);
        LabelScore score = LabelAttack.Run(
            Settings, [new PublicModel("disturbed", other, names)], names, pictures[..300], pictures[300..], ExposureData.Size, model,
            [ExposureData.Named(FirstConvolution(model)), ExposureData.Named(last)]);
        Assert.Equal((400, 10, 10), (score.Pictures, score.Classes, score.ActiveClasses));
        Assert.Equal(1, score.ByCorrelation!.Recovered.Estimate);
        Assert.True(score.ByFirstAnswer!.Recovered.Estimate >= 0.7, $"{score.ByFirstAnswer}");
        Assert.True(score.OutputFound);
        string[] ways = ["ridge on scores", "ridge", "greatest column", "ridge", "greatest column", "assignment"];
        string[] teachers = ["the model's own answers", "the model's own answers", "the model's own answers", "disturbed", "disturbed", "disturbed"];
        foreach (LabelExposure columns in new[] { score.Output, score.Tails[1] })
        {
            Assert.Equal(ways.Zip(teachers), columns.Probes.Select(probe => (probe.Method, probe.Teacher)));
            Assert.All(columns.Probes, probe => Assert.True(probe.Found, $"{probe}"));
            // Who saw the model answer a picture of each class knows every column, and every answer.
            Assert.Equal(1, columns.Probes[2].Agreement.Estimate);
            Assert.Equal(1, columns.Probes[5].Agreement.Estimate);
        }
        Assert.Equal(["ridge on scores", "ridge", "ridge"], score.Tails[0].Probes.Select(probe => probe.Method));
        Assert.True(score.Tails[0].Probes[0].Agreement.Estimate < score.Tails[1].Probes[0].Agreement.Estimate);
        Assert.Equal(0, score.Protection());
        Assert.Equal(0, score.Protection([last]));
        Assert.Throws<ArgumentException>(() => score.Protection(["elsewhere"]));
        Assert.DoesNotContain(last, score.RecommendedTail);
    }

    [SharedDataFact]
    public void Tensors_of_other_pictures_tell_nothing_and_are_recommended()
    {
        ModelProto model = ExposureData.Model();
        AssessedPicture[] pictures = ExposureData.Pictures(300);
        // What crosses at the noise cut is the same for every picture.
        ModelProto withNoise = WithConstant(model, "nothing");
        LabelScore score = LabelAttack.Run(Settings, [], [], pictures[..200], pictures[200..], ExposureData.Size, withNoise, [ExposureData.Named("nothing")]);
        Assert.Null(score.ByCorrelation);
        Assert.Null(score.ByFirstAnswer);
        Assert.Equal(["ridge on scores", "ridge", "greatest column"], score.Tails[0].Probes.Select(probe => probe.Method));
        Assert.All(score.Tails[0].Probes, probe => Assert.False(probe.Found, $"{probe}"));
        Assert.Equal(0, score.Tails[0].Probes[0].Features);
        Assert.Equal(["nothing"], score.RecommendedTail.AsEnumerable());
        Assert.True(score.Tails[0].Protection > 0.85, $"{score.Tails[0].Protection}");
        Assert.True(score.Output.Found && score.Output.Protection < 0.3, $"{score.Output}");
    }

    [SharedDataFact]
    public void A_public_model_without_names_has_the_same_classes_in_the_same_order()
    {
        ModelProto model = ExposureData.Model();
        using Oracle itself = Oracle.Open(model, Preprocessing.Parse("imagenet"), ExposureData.Size);
        AssessedPicture[] pictures = ExposureData.Pictures(150);
        LabelScore score = LabelAttack.Run(Settings, [new PublicModel("itself", itself, [])], [], pictures[..100], pictures[100..], ExposureData.Size, model, []);
        Assert.Equal(1, score.ByCorrelation!.Recovered.Estimate);
        Assert.Equal(1, score.ByFirstAnswer!.Recovered.Estimate);
        Assert.Equal(0.1, score.ByCorrelation.Chance, 1e-12);
    }

    [SharedDataFact]
    public void The_score_does_not_depend_on_threads_and_progress_reaches_the_end()
    {
        ModelProto model = ExposureData.Model();
        AssessedPicture[] pictures = ExposureData.Pictures(60);
        var heard = new Heard();
        LabelScore one = LabelAttack.Run(Settings with { Threads = 1 }, [], [], pictures[..40], pictures[40..], ExposureData.Size, model, [], heard);
        LabelScore two = LabelAttack.Run(Settings with { Threads = 2 }, [], [], pictures[..40], pictures[40..], ExposureData.Size, model, []);
        Assert.Equal(one.Output.Probes.AsEnumerable(), two.Output.Probes);
        Assert.Equal(1, heard.Last);
    }

    [SharedDataFact]
    public void Too_few_pictures_and_classes_that_do_not_fit_are_refused()
    {
        ModelProto model = ExposureData.Model();
        AssessedPicture[] pictures = ExposureData.Pictures(8);
        PartitioningError Refusal(Action run) => Assert.Throws<PartitioningException>(run).Error;
        Assert.Equal(PartitioningError.TooFewSamples, Refusal(() => LabelAttack.Run(Settings, [], [], pictures[..4], pictures[4..], ExposureData.Size, model, [])));
        Assert.Equal(PartitioningError.TooFewSamples, Refusal(() => LabelAttack.Run(Settings, [], [], pictures, [], ExposureData.Size, model, [])));
        using Oracle itself = Oracle.Open(model, Preprocessing.Parse("imagenet"), ExposureData.Size);
        ImmutableArray<string> others = [.. Enumerable.Range(0, 10).Select(i => $"other {i}")], cifar = [.. Enumerable.Range(0, 10).Select(i => $"class {i}")];
        Assert.Equal(PartitioningError.LabelsRefused, Refusal(() => LabelAttack.Run(Settings, [new PublicModel("p", itself, others)], cifar, pictures[..6], pictures[6..], ExposureData.Size, model, [])));
        Assert.Equal(PartitioningError.LabelsRefused, Refusal(() => LabelAttack.Run(Settings, [new PublicModel("p", itself, ["a"])], cifar, pictures[..6], pictures[6..], ExposureData.Size, model, [])));
        ModelProto broken = WithConstant(model, "nothing", float.NaN);
        broken = broken with { Graph = broken.Graph with { Outputs = [new ValueInfoProto { Name = "nothing" }] } };
        Assert.Equal(PartitioningError.ModelRefused, Refusal(() => LabelAttack.Run(Settings, [], [], pictures[..6], pictures[6..], ExposureData.Size, broken, [])));
        Assert.Equal(PartitioningError.FeaturesRefused, Refusal(() => LabelAttack.Run(
            Settings, [], [], pictures[..6], pictures[6..], ExposureData.Size, WithConstant(model, "nothing", float.NaN), [ExposureData.Named("nothing")])));
        Assert.Equal(PartitioningError.LabelsRefused, Refusal(() => LabelAttack.Run(Settings, [], ["cat"], pictures[..6], pictures[6..], ExposureData.Size, model, [])));
    }

    [SharedDataFact]
    public void It_stops_when_it_is_asked_to()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        AssessedPicture[] pictures = ExposureData.Pictures(8);
        Assert.ThrowsAny<OperationCanceledException>(() => LabelAttack.Run(
            Settings, [], [], pictures[..6], pictures[6..], ExposureData.Size, ExposureData.Model(), [], cancellation: stop.Token));
    }

    private static string BeforeSoftmax(ModelProto model) => model.Graph.Nodes.Single(node => node.OpType == "Softmax").Inputs[0];

    private static string FirstConvolution(ModelProto model) => model.Graph.Nodes.First(node => node.OpType == "Conv").Outputs[0];

    // Every weight moved by a share of itself: another network that learned the same.
    private static ModelProto Disturbed(ModelProto model, float share)
    {
        var random = new Random(3);
        return model with
        {
            Graph = model.Graph with
            {
                Initializers = [.. model.Graph.Initializers.Select(weights => weights.DataType != TensorDataType.Float || weights.Dims.Length < 2 ? weights :
                    TensorProto.Of(weights.Name, weights.Dims.AsSpan(), weights.ToFloats().Select(value => value * (1 + share * (2 * random.NextSingle() - 1))).ToArray()))],
            },
        };
    }

    private static ModelProto WithConstant(ModelProto model, string name, float factor = 0) => model with
    {
        Graph = model.Graph with
        {
            Nodes = model.Graph.Nodes.Add(new NodeProto { OpType = "Mul", Inputs = [BeforeSoftmax(model), "factor"], Outputs = [name] }),
            Initializers = model.Graph.Initializers.Add(TensorProto.Of("factor", [1], [factor])),
        },
    };

    private sealed class Heard : IProgress<double>
    {
        public double Last { get; private set; }

        public void Report(double value) => Last = value;
    }
}
