using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Pictures;
using Cloister.Partitioning.Statistics;
using Cloister.Partitioning.Weights;
using Cloister.Tests;

namespace Cloister.Partitioning.Tests.Weights;

public sealed class WeightAttackTests
{
    private const string Boundary = "layer2.0/add/relu";

    private static readonly PictureSize Size = new(3, 32, 32);
    private static readonly WeightSettings Settings = new() { Queries = 50, Threads = 2, MaximumRows = 8_000 };

    [SharedDataFact]
    public void A_model_that_is_the_public_one_has_no_secret()
    {
        WeightScore score = Run(Known(), Known(), Boundary);
        Assert.All(score.Weights, weight => Assert.Equal((WeightOrigin.Public, 0.0), (weight.Origin, weight.RelativeDistance)));
        Assert.Null(score.NotCompared);
        Assert.True(score.InsideIsPublic);
        Assert.Equal((1.0, 1.0, 1.0), (score.PublicFidelity!.Value.Estimate, score.SurrogateFidelity!.Value.Estimate, score.RefitFidelity!.Value.Estimate));
        Assert.Equal(0, score.Protection!.Value, 1e-9);
        Assert.InRange(score.Parameters, 260_000, 280_000);
        Assert.InRange(score.ShareOutside, 0.85, 0.95);
    }

    [SharedDataFact]
    public void Where_all_weights_were_tuned_the_weights_outside_bring_the_surrogate_nearer()
    {
        WeightScore score = Run(Victim.Perturbed(Known(), 0.3, seed: 1), Known(), Boundary);
        Assert.All(score.Weights, weight => Assert.Equal(WeightOrigin.Tuned, weight.Origin));
        Assert.All(score.Weights.Where(weight => weight.Parameters > 500), weight => Assert.InRange(weight.RelativeDistance, 0.25, 0.35));
        Assert.True(score.SurrogateFidelity!.Value.Estimate > score.PublicFidelity!.Value.Estimate + 0.1, $"{score.SurrogateFidelity} {score.PublicFidelity}");
        Assert.True(score.RefitFidelity!.Value.Estimate > score.SurrogateFidelity.Value.Estimate, $"{score.RefitFidelity}");
        Assert.True(score.Leaks);
        Assert.InRange(score.Protection!.Value, 0.05, 0.6);
        Assert.False(score.InsideIsPublic);
    }

    [SharedDataFact]
    public void Where_only_FrontNet_was_tuned_what_crosses_gives_it_away()
    {
        HashSet<string> front = Victim.Front(Known(), Boundary);
        WeightScore score = Run(Victim.Perturbed(Known(), 0.5, seed: 1, front.Contains), Known(), Boundary);
        Assert.All(score.Weights, weight => Assert.Equal((front.Contains(weight.Name), weight.Outside ? WeightOrigin.Public : WeightOrigin.Tuned), (!weight.Outside, weight.Origin)));
        Assert.Equal(score.PublicFidelity, score.SurrogateFidelity);
        Assert.True(score.RefitFidelity!.Value.Estimate > score.SurrogateFidelity!.Value.Estimate + 0.1, $"{score.RefitFidelity} {score.SurrogateFidelity}");
        Assert.InRange(score.RefitExplains!.Value, 0.4, 0.9);

        WeightScore blind = Run(Victim.Perturbed(Known(), 0.5, seed: 1, front.Contains), Known(), Boundary, settings: Settings with { Queries = 3 });
        Assert.Null(blind.RefitFidelity);
        Assert.NotNull(blind.NotRefit);
        Assert.Equal(score.SurrogateFidelity, blind.SurrogateFidelity);
    }

    [SharedDataFact]
    public void A_new_last_layer_outside_is_found_whole_and_inside_not_at_all()
    {
        ModelProto victim = Victim.WithOtherHead(Known(), seed: 1);
        WeightScore outside = Run(victim, Known(), Boundary);
        Assert.Equal(1, outside.SurrogateFidelity!.Value.Estimate);
        Assert.True(outside.PublicFidelity!.Value.Upper < 0.2);
        Assert.Equal(0, outside.Protection!.Value, 1e-9);
        Assert.True(outside.Leaks);
        Assert.Equal("Gemm", outside.Weights.Single(weight => weight.Origin != WeightOrigin.Public && weight.Parameters > 10).Operator);

        WeightScore inside = Run(victim, Known(), Boundary, tail: "flat");
        Assert.Equal(inside.PublicFidelity, inside.SurrogateFidelity);
        // Answers teach a tail: any caller one on the public model's layers, and whoever runs the part outside none that is better.
        Assert.True(inside.TaughtTailFidelity!.Value.Lower > inside.ConstantFidelity.Upper, $"{inside.TaughtTailFidelity}");
        Assert.Equal(inside.PublicTaughtTailFidelity, inside.TaughtTailFidelity);
        Assert.False(inside.Leaks);
        Assert.Equal(0, inside.Resolved!.Value.Estimate);
        Assert.True(inside.Protection > 0.4, $"{inside.Protection}");
        Assert.Null(outside.TaughtTailFidelity);
        Assert.Contains(inside.Weights, weight => weight is { Operator: "Gemm", Outside: false });
        Assert.Equal("flat", Assert.Single(inside.TailTensors));
    }

    [SharedDataFact]
    public void Of_weights_made_apart_nothing_is_found_beyond_chance()
    {
        ModelProto victim = Levelled(Victim.Random(Known(), seed: 4));
        WeightScore score = Run(victim, Known(), Boundary, settings: Settings with { Queries = 0 });
        Assert.True(score.ConstantFidelity.Estimate < 0.6, $"{score.ConstantFidelity}");
        Assert.All(score.Weights, weight => Assert.Equal(WeightOrigin.Own, weight.Origin));
        Assert.All(score.Weights.Where(weight => weight.Parameters > 1_000), weight => Assert.InRange(weight.RelativeDistance, 1.3, 1.5));
        Assert.All(score.Weights.Where(weight => weight.Parameters > 1_000), weight => Assert.InRange(weight.Cosine, -0.1, 0.1));
        Assert.False(score.Leaks);
        Assert.True(score.Protection > 0.5, $"{score.Protection}");
        Assert.False(score.InsideIsPublic);
    }

    [SharedDataFact]
    public void Halves_are_compared_and_run()
    {
        WeightScore score = Run(Victim.InHalves(Known()), Known(), Boundary);
        Assert.All(score.Weights, weight => Assert.Equal(WeightOrigin.Public, weight.Origin));
        Assert.Contains(score.Weights, weight => weight.RelativeDistance > 0);
        Assert.InRange(score.SurrogateFidelity!.Value.Estimate, 0.95, 1);
    }

    [SharedDataFact]
    public void Where_nothing_can_be_compared_only_shares_are_told_and_never_safety()
    {
        WeightScore alone = Run(Known(), null, Boundary), other = Run(Known(), OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/vision/mnist.onnx"))), Boundary);
        foreach (WeightScore score in (WeightScore[])[alone, other])
        {
            Assert.NotNull(score.NotCompared);
            Assert.Null(score.Protection);
            Assert.Null(score.Leaks);
            Assert.Null(score.BestFidelity);
            Assert.Null(score.InsideIsPublic);
            Assert.Empty(score.Weights);
            Assert.InRange(score.ShareOutside, 0.85, 0.95);
        }
        Assert.Contains("another", other.NotCompared!, StringComparison.Ordinal);
    }

    [SharedDataFact]
    public void A_public_backbone_of_other_classes_still_stands_in_for_FrontNet()
    {
        NodeProto gemm = Known().Graph.Nodes.Last(node => node.OpType == "Gemm");
        ModelProto known = Known() with
        {
            Graph = Known().Graph with
            {
                Outputs = [new ValueInfoProto { Name = "probabilities" }],
                Initializers = [.. Known().Graph.Initializers.Select(tensor => !gemm.Inputs.Contains(tensor.Name) ? tensor
                    : TensorProto.Of(tensor.Name, [.. tensor.Dims.Select(side => side == 10 ? 12 : side)], new float[tensor.ElementCount() / 10 * 12]))],
            },
        };
        WeightScore outside = Run(Known(), known, Boundary), inside = Run(Known(), known, Boundary, tail: "flat");
        Assert.Null(outside.PublicFidelity);
        Assert.Equal(1, outside.SurrogateFidelity!.Value.Estimate);
        Assert.Equal(outside.ConstantFidelity, outside.Baseline);
        Assert.NotNull(outside.NotCompared);
        // A tail of another shape is taught by answers, as far as on the public layers alone.
        Assert.Null(inside.SurrogateFidelity);
        Assert.Equal(inside.PublicTaughtTailFidelity, inside.BestFidelity);
        Assert.False(inside.Leaks);
        Assert.InRange(inside.Protection!.Value, 0.3, 0.99);
        WeightScore untaught = Run(Known(), known, Boundary, tail: "flat", settings: Settings with { Queries = 5 });
        Assert.Equal((null, null), (untaught.BestFidelity, untaught.Protection));
        // The tail inside has no counterpart: that it is public is not known, whatever FrontNet is.
        Assert.True(outside.InsideIsPublic);
        Assert.Null(inside.InsideIsPublic);
    }

    [SharedDataFact]
    public void The_score_is_the_same_on_any_number_of_threads()
    {
        ModelProto victim = Victim.Perturbed(Known(), 0.3, seed: 2);
        WeightScore one = Run(victim, Known(), Boundary, settings: Settings with { Threads = 1 }), two = Run(victim, Known(), Boundary, settings: Settings with { Threads = 3 });
        Assert.Equal(one with { Weights = [], Tensors = [], TailTensors = [] }, two with { Weights = [], Tensors = [], TailTensors = [] });
    }

    [SharedDataFact]
    public void What_cannot_be_attacked_is_refused()
    {
        PictureSet set = Pictures();
        ModelProto far = Known() with { Graph = Known().Graph with { Initializers = [Known().Graph.Initializers[0] with { DataLocation = 1, RawData = null, ExternalData = [new StringStringEntryProto { Key = "location", Value = "w" }] }, .. Known().Graph.Initializers[1..]] } };
        ModelProto missing = Known() with { Graph = Known().Graph with { Initializers = Known().Graph.Initializers[1..] } };
        Assert.Equal(PartitioningError.WeightsRefused, Assert.Throws<PartitioningException>(() => Run(far, Known(), Boundary)).Error);
        Assert.Equal(PartitioningError.WeightsRefused, Assert.Throws<PartitioningException>(() => Run(Known(), far, Boundary)).Error);
        Assert.Equal(PartitioningError.WeightsRefused, Assert.Throws<PartitioningException>(() => WeightAttack.Run(Settings, null, [], set.Test, Size with { Width = 31 }, Known(), Cut(Boundary))).Error);
        Assert.Equal(PartitioningError.TooFewSamples, Assert.Throws<PartitioningException>(() => WeightAttack.Run(Settings, null, set.Fit, [], Size, Known(), Cut(Boundary))).Error);
        Assert.Throws<GraphException>(() => Run(missing, null, Boundary));
        Assert.Equal(GraphError.LeaksInput, Assert.Throws<GraphException>(() => Run(Known(), null, "input")).Error);
        Assert.Equal(GraphError.NotACut, Assert.Throws<GraphException>(() => Run(Known(), null, "layer2.0.conv1")).Error);
        Assert.Throws<OperationCanceledException>(() => WeightAttack.Run(Settings, null, set.Fit, set.Test, Size, Known(), Cut(Boundary), cancellation: new CancellationToken(canceled: true)));
    }

    [SharedDataFact]
    public void Layers_that_are_secret_and_outside_make_a_taught_tail_better_than_any_callers()
    {
        HashSet<string> front = Victim.Front(Known(), Boundary);
        ModelProto victim = Victim.WithOtherHead(Victim.Perturbed(Known(), 0.6, seed: 3, name => !front.Contains(name)), seed: 1);
        WeightScore score = Run(victim, Known(), Boundary, tail: "flat");
        Assert.True(score.TaughtTailFidelity!.Value.Estimate > score.PublicTaughtTailFidelity!.Value.Estimate, $"{score.TaughtTailFidelity} {score.PublicTaughtTailFidelity}");
        Assert.True(score.TaughtTailFidelity.Value.Estimate > score.SurrogateFidelity!.Value.Estimate);
        Assert.Equal(score.TaughtTailFidelity, score.BestFidelity);
        Assert.True(score.Leaks, $"{score.Beyond}");
    }

    [SharedDataFact]
    public void A_malformed_public_model_and_pictures_that_are_there_twice_are_refused()
    {
        PictureSet set = Pictures();
        ModelProto twice = Known() with { Graph = Known().Graph with { Initializers = [.. Known().Graph.Initializers, Known().Graph.Initializers[0]] } };
        Assert.Equal(PartitioningError.WeightsRefused, Assert.Throws<PartitioningException>(() => Run(Known(), twice, Boundary)).Error);
        Assert.Equal(PartitioningError.SamplesOverlap,
            Assert.Throws<PartitioningException>(() => WeightAttack.Run(Settings, Known(), [.. set.Fit, set.Test[0]], set.Test, Size, Known(), Cut(Boundary))).Error);
    }

    [SharedDataFact]
    public void A_public_model_reads_pictures_by_its_own_preprocessing()
    {
        PictureSet set = Pictures();
        WeightScore With(string name) => WeightAttack.Run(Settings with { Queries = 0 }, Known(), set.Fit, set.Test, Size, Known(), Cut(Boundary), publicPreprocessing: Preprocessing.Parse(name));
        WeightScore same = With("imagenet"), other = With("bgr-mean");
        Assert.Equal((1.0, 1.0), (same.PublicFidelity!.Value.Estimate, same.SurrogateFidelity!.Value.Estimate));
        Assert.True(other.PublicFidelity!.Value.Upper < 0.7, $"{other.PublicFidelity}");
        Assert.True(other.SurrogateFidelity!.Value.Upper < 0.7, $"{other.SurrogateFidelity}");
        Assert.Equal(PartitioningError.ModelRefused, Assert.Throws<PartitioningException>(() => With("grey-unit")).Error);
    }

    [SharedDataFact]
    public void A_public_FrontNet_that_says_nothing_is_not_fitted_and_spoils_nothing_else()
    {
        ModelProto blind = Victim.Changed(Known(), Victim.Front(Known(), Boundary).Contains, (values, _) => new float[values.Length], 0);
        WeightScore score = Run(Known(), blind, Boundary);
        Assert.Null(score.RefitFidelity);
        Assert.Contains("constant", score.NotRefit!, StringComparison.Ordinal);
        Assert.NotNull(score.SurrogateFidelity);
        Assert.NotNull(score.Protection);
    }

    [SharedDataFact]
    public void What_a_surrogate_reaches_is_compared_on_the_same_pictures()
    {
        WeightScore score = Run(Victim.WithOtherHead(Known(), seed: 1), Known(), Boundary, settings: Settings with { Queries = 0 });
        // The public model is right on none that the surrogate is wrong on: of those on which they differ, all are the surrogate's.
        Assert.Equal((1, 1), (score.Beyond!.Value.Estimate, score.Beyond.Value.Upper));
        Assert.True(score.Leaks);
        // Their intervals overlap, yet one is right on twelve of the fourteen pictures on which they differ.
        WeightScore near = score with { PublicFidelity = Proportion.Wilson(24, 60), SurrogateFidelity = Proportion.Wilson(34, 60), Beyond = Proportion.Wilson(12, 14) };
        Assert.True(near.SurrogateFidelity!.Value.Lower < near.Baseline.Upper);
        Assert.True(near.Leaks);
        Assert.False((near with { Beyond = Proportion.Wilson(8, 14) }).Leaks);
        Assert.False((near with { Beyond = null }).Leaks);
        WeightScore itself = Run(Known(), Known(), Boundary, settings: Settings with { Queries = 0 });
        Assert.Equal((null, false), (itself.Beyond, itself.Leaks));
    }

    private static WeightScore Run(ModelProto model, ModelProto? known, string cut, string? tail = null, WeightSettings? settings = null)
    {
        PictureSet set = Pictures();
        return WeightAttack.Run(settings ?? Settings, known, set.Fit, set.Test, Size, model, Cut(cut), tail is null ? null : Cut(tail));
    }

    // The last biases take the mean answer away, so that a network that nobody trained answers more than one class.
    private static ModelProto Levelled(ModelProto model)
    {
        NodeProto gemm = model.Graph.Nodes.Last(node => node.OpType == "Gemm");
        double[] mean = new double[10];
        using (TapSession tap = TapSession.Open(model, [gemm.Outputs[0]], Size))
            foreach (AssessedPicture picture in Pictures().Fit)
                foreach ((float value, int i) in tap.Run(picture.Input)[0].Span<float>().ToArray().Select((value, i) => (value, i)))
                    mean[i] += value / 60;
        return Victim.Changed(model, name => name == gemm.Inputs[2], (values, _) => [.. values.Select((value, i) => (float)(value - mean[i]))], 0);
    }

    private static ModelProto Known() => OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/vision/cifar10-resnet20.onnx")));

    private static PictureSet Pictures() => PictureSource.Read(
        new PictureRequest { Paths = [TestData.Path("inputs/cifar10")], Fit = 60, Test = 60, Size = Size, Preprocessing = Preprocessing.Parse("imagenet") });

    private static Cut Cut(params string[] tensors) => new()
    {
        Tensors = [.. tensors], Shapes = [], KeepsBits = true, NodesBefore = 0, MacsBefore = 0, MacsWhole = 0, WeightBytesBefore = 0, WeightBytesAfter = 0, BoundaryBytes = 0,
    };
}
