using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Inversion;
using Cloister.Tests;
using static Cloister.Partitioning.Tests.Inversion.SyntheticPictures;

namespace Cloister.Partitioning.Tests.Inversion;

public sealed class InversionAttackTests
{
    private static readonly InversionSettings Settings = new() { Threads = 2, MaximumRows = 10_000, KeptPictures = 1 };

    [SharedDataFact]
    public void An_early_cut_gives_everything_away_and_a_late_one_less()
    {
        ModelProto model = Resnet();
        AssessedPicture[] fit = CifarPictures.Read(0, 120), test = CifarPictures.Read(120, 40);
        InversionScore Attack(string tensor) => InversionAttack.Run(Settings, fit, test, CifarPictures.Size, model, Cut(tensor));
        InversionScore early = Attack("conv1/relu"), late = Attack("layer3.2/add/relu"), last = Attack("probabilities");
        Assert.True(early.Leaks);
        Assert.Equal(1, early.ReIdentification.Estimate);
        Assert.True(early.Psnr.Lower > 25 && early.Ssim.Lower > 0.9, early.ToString());
        Assert.Equal(0, early.Protection, 1e-9);
        // The last feature map is still a picture to whoever knows the network.
        Assert.True(late.Leaks);
        Assert.True(late.Psnr.Estimate < early.Psnr.Estimate - 8 && late.PsnrGain.Lower > 0, late.ToString());
        // Ten probabilities are none, whatever else they say.
        Assert.True(last.ReIdentification.Estimate < 0.3 && last.Psnr.Estimate < late.Psnr.Estimate, last.ToString());
        Assert.True(last.Protection > late.Protection);
        Assert.All([early, late, last], score => Assert.Equal((0, 1 / 40.0), (score.BaselineReIdentification.Estimate, score.Chance)));
        Assert.Equal((160 - 40, 40), (early.FitPictures, early.TestPictures));
        Assert.StartsWith("conv1/relu (3x3 cells, 144 numbers) to 1x1 pixels", early.Decoder, StringComparison.Ordinal);
        ReconstructedPicture kept = Assert.Single(early.Pictures);
        Assert.Equal("cifar 120", kept.Name);
        Assert.NotEqual(kept.Original, kept.Reconstruction);
    }

    [SharedDataFact]
    public void A_seed_gives_one_score_whatever_the_threads()
    {
        ModelProto model = Resnet();
        AssessedPicture[] fit = CifarPictures.Read(0, 60), test = CifarPictures.Read(60, 20);
        var reports = new List<double>();
        InversionScore Attack(int threads, int seed, IProgress<double>? progress = null) =>
            InversionAttack.Run(Settings with { Threads = threads, Seed = seed, MaximumRows = 2_000 }, fit, test, CifarPictures.Size, model, Cut("layer2.2/add/relu"), progress);
        InversionScore one = Attack(2, 1, new Reports(reports)), same = Attack(2, 1), single = Attack(1, 1), other = Attack(2, 2);
        Assert.Equal((one.Psnr, one.Ssim, one.ReIdentification, one.PsnrGain), (same.Psnr, same.Ssim, same.ReIdentification, same.PsnrGain));
        Assert.Equal(one.Pictures[0].Reconstruction, same.Pictures[0].Reconstruction);
        Assert.Equal(one.Psnr.Estimate, single.Psnr.Estimate, 1e-3);
        Assert.NotEqual(one.Psnr, other.Psnr);
        Assert.Equal(1, reports[^1], 1e-9);
        Assert.Equal(reports.Order(), reports);
    }

    [SharedDataFact]
    public void Several_tensors_are_used_together_where_that_is_better()
    {
        ModelProto model = Resnet();
        AssessedPicture[] fit = CifarPictures.Read(0, 60), test = CifarPictures.Read(60, 20);
        InversionScore Attack(params ReadOnlySpan<string> tensors) =>
            InversionAttack.Run(Settings with { MaximumRows = 4_000 }, fit, test, CifarPictures.Size, model, Cut(tensors));
        InversionScore coarse = Attack("layer3.0.conv2"), both = Attack("layer3.0.conv2", "layer2.2/add/relu");
        Assert.True(both.Psnr.Estimate > coarse.Psnr.Estimate + 1, both.Decoder);
        Assert.Contains("layer2.2/add/relu", both.Decoder, StringComparison.Ordinal);
        Assert.Equal(["layer3.0.conv2", "layer2.2/add/relu"], both.Tensors.AsEnumerable());
    }

    [SharedDataFact]
    public void The_attack_finds_everything_in_the_input_and_nothing_in_noise()
    {
        InversionCalibration calibration = InversionAttack.Calibrate(Settings, CifarPictures.Read(0, 100), CifarPictures.Read(100, 40), CifarPictures.Size, Resnet());
        Assert.Equal(1, calibration.Whole.ReIdentification.Estimate);
        Assert.True(calibration.Whole.Psnr.Lower > 60);
        Assert.True(calibration.Noise.ReIdentification.Contains(calibration.Noise.Chance));
        Assert.False(calibration.Noise.Leaks);
        Assert.InRange(calibration.Noise.PsnrGain.Estimate, -0.5, 0.5);
        Assert.NotNull(new InversionCalibration(calibration.Noise, calibration.Noise).Failure);
        Assert.NotNull(new InversionCalibration(calibration.Whole, calibration.Whole).Failure);
    }

    [Fact]
    public void An_attack_that_does_not_find_everything_in_the_input_is_void()
    {
        // Pixels of other pictures than the inputs are of: whatever the attack says of these is nonsense.
        AssessedPicture[] pictures = Make(60, 1);
        AssessedPicture[] mixed = [.. pictures.Select((picture, i) => picture with { Pixels = pictures[(i + 7) % 60].Pixels })];
        ModelProto model = Model([Node("Relu", "out", ["input"])]);
        Assert.Equal(PartitioningError.CalibrationFailed, Refusal(() => InversionAttack.Calibrate(Settings, mixed[..40], mixed[40..], Size, model)));
    }

    [Fact]
    public void Flat_tensors_and_sides_that_do_not_divide_are_decoded_too()
    {
        ModelProto model = Model(
            [
                Node("AveragePool", "pooled", ["input"], AttributeProto.Of("kernel_shape", 3L, 3L), AttributeProto.Of("strides", 2L, 2L)),
                Node("Flatten", "flat", ["pooled"]),
            ]);
        AssessedPicture[] fit = Make(80, 1), test = Make(20, 2);
        InversionScore map = InversionAttack.Run(Settings, fit, test, Size, model, Cut("pooled")), flat = InversionAttack.Run(Settings with { MaximumFeatures = 64 }, fit, test, Size, model, Cut("flat"));
        Assert.True(map.Leaks && map.Psnr.Lower > 20, map.ToString());
        Assert.True(flat.Leaks && flat.Psnr.Lower > 20, flat.ToString());
        Assert.Equal("flat (1x1 cells, 105 numbers hashed to 64) to 12x16 pixels", flat.Decoder);
    }

    [Fact]
    public void Neither_a_scale_nor_low_bits_nor_loud_neighbours_hide_a_picture()
    {
        // The last: 576 numbers of a picture among 1,000 loud ones that say little of it, all of them hashed to 200.
        float[] loud = new float[Size.Elements * 1_000];
        for (int i = 0; i < loud.Length; i++) loud[i] = 1e6f * (1 + i % 7);
        ModelProto model = Model(
            [
                Node("Mul", "tiny", ["input", "small"]),
                Node("Add", "low", ["input", "great"]),
                Node("Flatten", "flat", ["input"]),
                Node("MatMul", "noise", ["flat", "loud"]),
                Node("Concat", "among", ["flat", "noise"], AttributeProto.Of("axis", 1L)),
                Node("Mul", "below", ["flat", "depth"]),
                Node("Softmax", "softmax", ["below"]),
            ], TensorProto.Of("small", [1], [1e-20f]), TensorProto.Of("great", [1], [1e4f]), TensorProto.Of("loud", [Size.Elements, 1_000], loud), TensorProto.Of("depth", [1], [30f]));
        AssessedPicture[] fit = Make(80, 1), test = Make(20, 2);
        foreach (string tensor in new[] { "tiny", "low", "among", "softmax" })
        {
            InversionScore score = InversionAttack.Run(Settings with { MaximumFeatures = 200 }, fit, test, Size, model, Cut(tensor));
            Assert.True(score.Leaks && score.ReIdentification.Estimate > 0.9, $"{tensor}: {score}");
        }
    }

    [SharedDataFact]
    public void Shuffled_places_hide_no_picture()
    {
        int cells = CifarPictures.Size.Height * CifarPictures.Size.Width;
        long[] places = [.. Enumerable.Range(0, cells).Select(i => (long)i)];
        var random = new Random(1);
        random.Shuffle(places);
        ModelProto model = Resnet();
        model = model with
        {
            Graph = model.Graph with
            {
                Initializers = [.. model.Graph.Initializers, TensorProto.Of("rows", [3], (long[])[1, 16, cells]), TensorProto.Of("places", [cells], places), TensorProto.Of("map", [4], (long[])[1, 16, CifarPictures.Size.Height, CifarPictures.Size.Width])],
                Nodes =
                [
                    .. model.Graph.Nodes,
                    Node("Reshape", "laid", ["conv1/relu", "rows"]), Node("Gather", "moved", ["laid", "places"], AttributeProto.Of("axis", 2L)), Node("Reshape", "shuffled", ["moved", "map"]),
                ],
            },
        };
        InversionScore score = InversionAttack.Run(Settings, CifarPictures.Read(0, 120), CifarPictures.Read(120, 40), CifarPictures.Size, model, Cut("shuffled"));
        Assert.True(score.ReIdentification.Lower > 0.8, score.ToString());
        Assert.Equal("shuffled (16384 numbers) to the whole picture, as 32x32 pixels", score.Decoder);
    }

    [Fact]
    public void One_number_is_measured_as_well()
    {
        ModelProto model = Model([Node("ReduceMean", "one", ["input"], AttributeProto.Of("axes", 1L, 2L, 3L))]);
        InversionScore score = InversionAttack.Run(Settings, Make(60, 1), Make(20, 2), Size, model, Cut("one"));
        Assert.Equal("one (1x1 cells, 1 numbers) to 12x16 pixels", score.Decoder);
        Assert.True(score.ReIdentification.Estimate < 0.5, score.ToString());
    }

    [Fact]
    public void Near_copies_of_a_picture_are_refused()
    {
        ModelProto model = Model([Node("Relu", "out", ["input"])]);
        AssessedPicture[] fit = Make(30, 1), test = Make(12, 2);
        AssessedPicture copy = test[4] with { Name = "another", Pixels = [.. test[4].Pixels.Select((pixel, i) => Math.Clamp(pixel + 0.01f * (i % 3), 0, 1))] };
        Assert.Equal(PartitioningError.SamplesOverlap, Refusal(() => InversionAttack.Run(Settings, fit, [.. test, copy], Size, model, Cut("out"))));
    }

    [Fact]
    public void What_looks_like_probabilities_for_one_picture_alone_is_refused()
    {
        // The first picture is black, and what is added to it sums to one.
        float[] share = [.. Enumerable.Repeat(1f / Size.Elements, Size.Elements)];
        ModelProto model = Model([Node("Flatten", "flat", ["input"]), Node("Add", "sum", ["flat", "share"])], TensorProto.Of("share", [1, Size.Elements], share));
        AssessedPicture[] fit = Make(30, 1), test = Make(10, 2);
        fit[0] = fit[0] with { Input = new float[Size.Elements] };
        Assert.Equal(PartitioningError.CutRefused, Refusal(() => InversionAttack.Run(Settings, fit, test, Size, model, Cut("sum"))));
    }

    [Fact]
    public void Constant_and_broken_features_are_refused_and_one_constant_tensor_among_others_is_not()
    {
        ModelProto model = Model(
            [
                Node("Mul", "constant", ["input", "zero"]),
                Node("Log", "broken", ["input"]),
                Node("Relu", "good", ["input"]),
            ], TensorProto.Of("zero", [1], [0f]));
        AssessedPicture[] fit = Make(30, 1), test = Make(10, 2);
        Assert.Equal(PartitioningError.FeaturesRefused, Refusal(() => InversionAttack.Run(Settings, fit, test, Size, model, Cut("constant"))));
        Assert.Equal(PartitioningError.FeaturesRefused, Refusal(() => InversionAttack.Run(Settings, fit, test, Size, model, Cut("broken"))));
        Assert.True(InversionAttack.Run(Settings, fit, test, Size, model, Cut("constant", "good")).Leaks);
        // One broken test picture, met by a worker thread.
        test[3].Input[5] = float.NaN;
        Assert.Equal(PartitioningError.FeaturesRefused, Refusal(() => InversionAttack.Run(Settings, fit, test, Size, model, Cut("input"))));
    }

    [Fact]
    public void Tensors_that_say_nothing_of_one_picture_are_refused()
    {
        ModelProto model = Model(
            [
                Node("Shape", "shape", ["input"]),
                Node("NonZero", "places", ["relu"]),
                Node("Relu", "relu", ["input"]),
                Node("Concat", "twice", ["input", "input"], AttributeProto.Of("axis", 0L)),
            ]);
        AssessedPicture[] fit = Make(30, 1), test = Make(10, 2);
        Assert.Equal(PartitioningError.ModelRefused, Refusal(() => InversionAttack.Run(Settings, fit, test, Size, model, Cut("shape"))));
        Assert.Equal(PartitioningError.CutRefused, Refusal(() => InversionAttack.Run(Settings, fit, test, Size, model, Cut("twice"))));
        Assert.Throws<OnnxRuntimeException>(() => InversionAttack.Run(Settings, fit, test, Size, model, Cut("nothing")));
    }

    [Fact]
    public void Too_few_pictures_twins_and_mistakes_are_refused()
    {
        ModelProto model = Model([Node("Relu", "out", ["input"])]);
        AssessedPicture[] fit = Make(30, 1), test = Make(12, 2);
        void Run(AssessedPicture[] fits, AssessedPicture[] tests) => InversionAttack.Run(Settings, fits, tests, Size, model, Cut("out"));
        Assert.Equal(PartitioningError.TooFewSamples, Refusal(() => Run(fit[..19], test)));
        Assert.Equal(PartitioningError.TooFewSamples, Refusal(() => Run(fit, test[..9])));
        Assert.Equal(PartitioningError.SamplesOverlap, Refusal(() => Run([.. fit, test[4] with { Name = "another" }], test)));
        Assert.Equal(PartitioningError.SamplesOverlap, Refusal(() => Run(fit, [.. test, test[4]])));
        Assert.Throws<ArgumentException>(() => Run(fit, [.. test, new AssessedPicture("short", new float[3], new float[3])]));
        Assert.Throws<ArgumentException>(() => Run(fit, [.. test, test[0] with { Pixels = [.. test[0].Pixels.Select(_ => 2f)] }]));
    }

    [Fact]
    public void Settings_with_which_nothing_could_be_measured_are_the_callers_mistake()
    {
        ModelProto model = Model([Node("Relu", "out", ["input"])]);
        AssessedPicture[] fit = Make(30, 1), test = Make(12, 2);
        foreach (InversionSettings settings in new[] { Settings with { Threads = 0 }, Settings with { HoldOutOneIn = 1 }, Settings with { HoldOutOneIn = 21 }, Settings with { MaximumFeatures = 0 }, Settings with { MaximumRows = 0 } })
            Assert.Throws<ArgumentException>(() => InversionAttack.Run(settings, fit, test, Size, model, Cut("out")));
    }

    [Fact]
    public void A_cancelled_attack_stops()
    {
        ModelProto model = Model([Node("Relu", "out", ["input"])]);
        AssessedPicture[] fit = Make(30, 1), test = Make(12, 2);
        Assert.ThrowsAny<OperationCanceledException>(() => InversionAttack.Run(Settings, fit, test, Size, model, Cut("out"), null, new CancellationToken(true)));
        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => InversionAttack.Run(Settings, fit, test, Size, model, Cut("out"), new Canceller(source), source.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => InversionAttack.Calibrate(Settings, fit, test, Size, model, new CancellationToken(true)));
    }

    private static PartitioningError Refusal(Action attack) => Assert.Throws<PartitioningException>(attack).Error;

    private static ModelProto Resnet() => OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/vision/cifar10-resnet20.onnx")));

    private sealed class Reports(List<double> values) : IProgress<double>
    {
        public void Report(double value) => values.Add(value);
    }

    private sealed class Canceller(CancellationTokenSource source) : IProgress<double>
    {
        public void Report(double value) => source.Cancel();
    }
}
