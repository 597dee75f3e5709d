using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Heuristic;
using Cloister.Tests;

namespace Cloister.Partitioning.Tests.Heuristic;

public sealed class HeuristicAttackTests
{
    private static readonly HeuristicSettings Settings = new() { MaximumPictures = 12, MaximumMaps = 8, Threads = 2 };

    [SharedDataFact]
    public void The_first_layer_shows_the_picture_and_the_last_shows_no_more_than_chance()
    {
        ModelProto model = ExposureData.Model();
        using Oracle oracle = Oracle.Open(model, Preprocessing.Parse("imagenet"), ExposureData.Size);
        AssessedPicture[] pictures = ExposureData.Pictures(12);
        HeuristicScore input = HeuristicAttack.Run(Settings, oracle, pictures, ExposureData.Size, model, ExposureData.Named("input"));
        HeuristicScore output = HeuristicAttack.Run(Settings, oracle, pictures, ExposureData.Size, model, ExposureData.Named("probabilities"));
        Assert.True(input.OwnFirst.Estimate > 5 * input.OwnFirstChance, $"{input.OwnFirst}");
        Assert.True(input.Delta.Median < input.Null.Median, $"{input.Delta} {input.Null}");
        Assert.Equal(3, input.Maps);
        Assert.Equal(1, output.MapsUsed);
        Assert.True(output.OwnFirst.Lower <= 0.5, $"{output.OwnFirst}");
        Assert.True(input.Protection < output.Protection);
        Assert.InRange(input.OwnFirstChance, 1 / 12.0, 1 / 11.0 + 1e-9);
    }

    [SharedDataFact]
    public void Maps_of_other_pictures_are_ranked_as_chance()
    {
        ModelProto model = ExposureData.Model();
        using Oracle oracle = Oracle.Open(model, Preprocessing.Parse("imagenet"), ExposureData.Size);
        AssessedPicture[] real = ExposureData.Pictures(40);
        // The oracle sees one picture, the model another: nothing is left to find.
        AssessedPicture[] shuffled = [.. real.Select((picture, i) => picture with { Input = real[(i + 7) % real.Length].Input })];
        HeuristicSettings settings = Settings with { MaximumPictures = 40, MaximumMaps = 3 };
        HeuristicScore chance = HeuristicAttack.Run(settings, oracle, shuffled, ExposureData.Size, model, ExposureData.Named("input"));
        HeuristicScore own = HeuristicAttack.Run(settings, oracle, real, ExposureData.Size, model, ExposureData.Named("input"));
        Assert.True(chance.OwnFirst.Contains(chance.OwnFirstChance), $"{chance.OwnFirst}");
        Assert.False(own.OwnFirst.Contains(own.OwnFirstChance), $"{own.OwnFirst}");
        Assert.True(chance.Protection > 0.7 && own.Protection < 0.7, $"{chance.Protection} {own.Protection}");
    }

    [SharedDataFact]
    public void The_score_does_not_depend_on_threads_and_progress_reaches_the_end()
    {
        ModelProto model = ExposureData.Model();
        using Oracle oracle = Oracle.Open(model, Preprocessing.Parse("imagenet"), ExposureData.Size);
        AssessedPicture[] pictures = ExposureData.Pictures(5);
        var heard = new Heard();
        HeuristicScore one = HeuristicAttack.Run(Settings with { Threads = 1 }, oracle, pictures, ExposureData.Size, model, ExposureData.Named("input"), heard);
        HeuristicScore three = HeuristicAttack.Run(Settings with { Threads = 3 }, oracle, pictures, ExposureData.Size, model, ExposureData.Named("input"));
        Assert.Equal(one.Pictures.AsEnumerable(), three.Pictures);
        Assert.Equal((one.Delta, one.Null, one.OwnFirst), (three.Delta, three.Null, three.OwnFirst));
        Assert.Equal(1, heard.Last);
    }

    [SharedDataFact]
    public void A_picture_that_the_second_classifier_cannot_tell_from_a_guess_is_left_out_and_counted()
    {
        using Oracle oracle = Oracle.Open(Linear(), Preprocessing.Parse("raw"));
        AssessedPicture[] pictures = ExposureData.Pictures(4);
        pictures[2] = pictures[2] with { Pixels = new float[3072] };
        HeuristicScore score = HeuristicAttack.Run(Settings, oracle, pictures, ExposureData.Size, ExposureData.Model(), ExposureData.Named("input"));
        Assert.Equal(1, score.LeftOut);
        Assert.Equal(["cifar-0", "cifar-1", "cifar-3"], score.Pictures.Select(picture => picture.Name));
        Assert.Equal(PartitioningError.PicturesRefused, Assert.Throws<PartitioningException>(() => HeuristicAttack.Run(
            Settings, oracle, pictures[1..3], ExposureData.Size, ExposureData.Model(), ExposureData.Named("input"))).Error);
    }

    [SharedDataFact]
    public void A_map_that_is_not_finite_is_refused()
    {
        ModelProto model = ExposureData.Model();
        using Oracle oracle = Oracle.Open(model, Preprocessing.Parse("imagenet"), ExposureData.Size);
        AssessedPicture[] pictures = [.. ExposureData.Pictures(3)];
        pictures[1].Input[5] = float.NaN;
        Assert.Equal(PartitioningError.FeaturesRefused, Assert.Throws<PartitioningException>(() => HeuristicAttack.Run(
            Settings, oracle, pictures, ExposureData.Size, model, ExposureData.Named("input"))).Error);
    }

    [SharedDataFact]
    public void It_stops_when_it_is_asked_to()
    {
        ModelProto model = ExposureData.Model();
        using Oracle oracle = Oracle.Open(model, Preprocessing.Parse("imagenet"), ExposureData.Size);
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => HeuristicAttack.Run(
            Settings, oracle, ExposureData.Pictures(3), ExposureData.Size, model, ExposureData.Named("input"), cancellation: stop.Token));
    }

    // Softmax of sums over the picture: a black one is every class alike.
    private static ModelProto Linear() => new()
    {
        IrVersion = 8,
        OpsetImport = [new OperatorSetIdProto { Version = 13 }],
        Graph = new GraphProto
        {
            Name = "linear",
            Nodes =
            [
                new NodeProto { OpType = "Flatten", Inputs = ["pixels"], Outputs = ["flat"] },
                new NodeProto { OpType = "MatMul", Inputs = ["flat", "weights"], Outputs = ["sums"] },
                new NodeProto { OpType = "Softmax", Inputs = ["sums"], Outputs = ["answer"] },
            ],
            Initializers = [TensorProto.Of("weights", [3072, 4], [.. Enumerable.Range(0, 3072 * 4).Select(i => i % 7 * 1e-6f)])],
            Inputs = [ValueInfoProto.Tensor("pixels", TensorDataType.Float, [1, 3, 32, 32])],
            Outputs = [ValueInfoProto.Tensor("answer", TensorDataType.Float, [1, 4])],
        },
    };

    private sealed class Heard : IProgress<double>
    {
        public double Last { get; private set; }

        public void Report(double value) => Last = value;
    }
}
