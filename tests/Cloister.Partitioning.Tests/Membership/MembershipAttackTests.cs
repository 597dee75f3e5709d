using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Membership;
using Cloister.Partitioning.Pictures;
using Cloister.Partitioning.Statistics;
using Cloister.Tests;

namespace Cloister.Partitioning.Tests.Membership;

public sealed class MembershipAttackTests
{
    private static readonly PictureSize Size = new(3, 32, 32);
    private static readonly MembershipSettings Settings = new() { Threads = 2 };

    [SharedDataFact]
    public void What_was_learned_by_heart_is_told_by_answers_and_partitioning_adds_nothing()
    {
        (AssessedPicture[] members, AssessedPicture[] others) = Pictures();
        MembershipScore score = Run(OverfittedNet.Fitted(members), members, others);
        Assert.Equal((50, 50, 60, 60), (score.KnownMembers, score.Members, score.KnownOthers, score.Others));
        Assert.True(score.Leaks);
        Assert.True(score.Answers.Lower > 0.8, $"{score.Answers}");
        Assert.True(score.Confidence.Lower > 0.7, $"{score.Confidence}");
        Assert.False(score.Adds, $"{score.Added}");
        Assert.InRange(score.Protection!.Value, 0, 0.3);
        Assert.Equal(OverfittedNet.Logits, Assert.Single(score.Watched));
    }

    [SharedDataFact]
    public void Where_answers_hide_it_the_part_outside_tells_unless_a_tail_keeps_it_inside()
    {
        (AssessedPicture[] members, AssessedPicture[] others) = Pictures();
        ModelProto model = OverfittedNet.Fitted(members, "Hardmax");
        MembershipScore outside = Run(model, members, others), inside = Run(model, members, others, OverfittedNet.Flat);
        Assert.Equal(new Interval(0.5, 0.5, 0.5).Estimate, outside.Answers.Estimate);
        Assert.True(outside.Outside.Lower > 0.8, $"{outside.Outside}");
        Assert.True(outside.Adds, $"{outside.Added}");
        Assert.True(outside.Added.Estimate > 0.35, $"{outside.Added}");
        Assert.InRange(outside.Protection!.Value, 0, 0.3);

        Assert.Equal(OverfittedNet.Flat, Assert.Single(inside.TailTensors));
        Assert.Equal(outside.Answers, inside.Answers);
        Assert.False(inside.Adds, $"{inside.Added}");
        Assert.False(inside.Leaks, $"{inside}");
        Assert.True(inside.Protection > 0.4, $"{inside.Protection}");
    }

    [SharedDataFact]
    public void Of_a_model_that_learned_none_of_them_nothing_is_told()
    {
        (AssessedPicture[] members, AssessedPicture[] others) = Pictures();
        foreach (ModelProto model in (ModelProto[])[OverfittedNet.Fitted([]), OverfittedNet.Fitted(others[..30]), Resnet()])
        {
            // Pictures that a model of the others was fitted to are on neither side.
            MembershipScore score = MembershipAttack.Run(Settings with { Confidence = 0.999 }, members, others[30..], Size, model, Cut(model.Graph.Nodes.Length > 10 ? "layer2.0/add/relu" : OverfittedNet.Features));
            Assert.False(score.Leaks, $"{score}");
            Assert.False(score.Adds, $"{score}");
            Assert.InRange(score.Outside.Estimate, 0.3, 0.7);
        }
    }

    [SharedDataFact]
    public void Members_that_differ_by_themselves_prove_nothing_of_the_model()
    {
        (AssessedPicture[] members, AssessedPicture[] others) = Pictures();
        AssessedPicture[] darker = [.. members.Select(picture => picture with { Input = [.. picture.Input.Select(value => value - 1)], Pixels = [.. picture.Pixels.Select(value => value * 0.5f)] })];
        MembershipScore score = Run(OverfittedNet.Fitted(members), darker, others);
        Assert.True(score.Confounded, $"{score.Pictures}");
        Assert.Equal((null, null, null), (score.Leaks, score.Adds, score.Protection));
    }

    [SharedDataFact]
    public void The_score_is_the_same_on_any_number_of_threads()
    {
        (AssessedPicture[] members, AssessedPicture[] others) = Pictures();
        ModelProto model = OverfittedNet.Fitted(members[..60]);
        MembershipScore one = MembershipAttack.Run(Settings with { Threads = 1 }, members, others, Size, model, Cut(OverfittedNet.Features));
        MembershipScore three = MembershipAttack.Run(Settings with { Threads = 3 }, members, others, Size, model, Cut(OverfittedNet.Features));
        Assert.Equal(one with { Tensors = [], TailTensors = [], Watched = [] }, three with { Tensors = [], TailTensors = [], Watched = [] });
    }

    [SharedDataFact]
    public void What_cannot_be_attacked_is_refused()
    {
        (AssessedPicture[] members, AssessedPicture[] others) = Pictures();
        ModelProto model = OverfittedNet.Fitted([]);
        Assert.Equal(PartitioningError.TooFewSamples, Refusal(() => Run(model, members[..19], others)));
        Assert.Equal(PartitioningError.TooFewSamples, Refusal(() => Run(model, members, others[..19])));
        Assert.Equal(PartitioningError.SamplesOverlap, Refusal(() => Run(model, members, [.. others, members[3]])));
        Assert.Equal(PartitioningError.PicturesRefused, Refusal(() => Run(model, [.. members, members[0] with { Input = new float[3] }], others)));
        Assert.Equal(PartitioningError.FeaturesRefused, Refusal(() => Run(model, [.. members[1..], members[0] with { Input = [.. Enumerable.Repeat(float.NaN, Size.Elements)] }], others)));
        Assert.Throws<OperationCanceledException>(() => MembershipAttack.Run(Settings, members, others, Size, model, Cut(OverfittedNet.Features), cancellation: new CancellationToken(canceled: true)));
    }

    [Fact]
    public void The_end_of_a_network_is_before_what_only_gives_the_answer_its_form()
    {
        Assert.Equal(OverfittedNet.Logits, AnswerEnd.Of(OverfittedNet.Fitted([]).Graph));
        ModelProto plain = OverfittedNet.Fitted([]);
        Assert.Equal(OverfittedNet.Logits, AnswerEnd.Of((plain with { Graph = plain.Graph with { Outputs = [new ValueInfoProto { Name = OverfittedNet.Logits }] } }).Graph));
        // Nodes in a circle never ran; the search ends.
        Assert.NotEmpty(AnswerEnd.Of(new GraphProto { Outputs = [new ValueInfoProto { Name = "a" }], Nodes = [new NodeProto { OpType = "Identity", Inputs = ["b"], Outputs = ["a"] }, new NodeProto { OpType = "Identity", Inputs = ["a"], Outputs = ["b"] }] }));
    }

    private static MembershipScore Run(ModelProto model, AssessedPicture[] members, AssessedPicture[] others, string? tail = null) =>
        MembershipAttack.Run(Settings, members, others, Size, model, Cut(OverfittedNet.Features), tail is null ? null : Cut(tail));

    private static PartitioningError Refusal(Action run) => Assert.Throws<PartitioningException>(run).Error;

    // No training pictures are at hand: these are all the same kind, and which of them are members is what a network is fitted to.
    private static (AssessedPicture[] Members, AssessedPicture[] Others) Pictures()
    {
        PictureSet set = PictureSource.Read(new PictureRequest { Paths = [TestData.Path("inputs/cifar10")], Fit = 120, Test = 100, Size = Size, Preprocessing = Preprocessing.Parse("unit") });
        return ([.. set.Test], [.. set.Fit]);
    }

    private static ModelProto Resnet() => OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/vision/cifar10-resnet20.onnx")));

    private static Cut Cut(params string[] tensors) => new()
    {
        Tensors = [.. tensors], Shapes = [], KeepsBits = true, NodesBefore = 0, MacsBefore = 0, MacsWhole = 0, WeightBytesBefore = 0, WeightBytesAfter = 0, BoundaryBytes = 0,
    };
}
