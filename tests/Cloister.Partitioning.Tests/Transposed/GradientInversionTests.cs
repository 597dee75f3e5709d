using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Inversion;
using Cloister.Partitioning.Pictures;
using Cloister.Partitioning.Transposed;
using Cloister.Tests;

namespace Cloister.Partitioning.Tests.Transposed;

public sealed class GradientInversionTests
{
    private static readonly PictureSize Size = new(3, 32, 32);
    private static readonly GradientInversionSettings Cheap = new() { Iterations = 60, StepLength = 0.1, MaximumPictures = 4, KeptPictures = 1, Threads = 2, Decoder = null };

    [SharedDataFact]
    public void Pictures_behind_an_early_cut_are_rebuilt_the_same_on_any_number_of_threads()
    {
        var heard = new Heard();
        GradientScore score = Run(Cheap, "layer1.0/add/relu", heard);
        Assert.Equal(1, score.ReIdentification.Estimate);
        Assert.True(score.Leaks);
        Assert.Equal(0, score.Protection, 1e-9);
        Assert.True(score.PsnrGain.Lower > 6, $"{score.PsnrGain}");
        Assert.True(score.Ssim.Lower > 0.8, $"{score.Ssim}");
        Assert.True(score.DistanceLeft.Upper < 0.05, $"{score.DistanceLeft}");
        Assert.Equal((4, 20, 1.0 / 20), (score.Pictures, score.Candidates, score.Chance));
        Assert.Equal(32, PngReader.Read(Assert.Single(score.Shown).Reconstruction).Width);
        Assert.Equal(1, heard.Last);

        GradientScore again = Run(Cheap with { Threads = 1, KeptPictures = 0 }, "layer1.0/add/relu");
        Assert.Equal(score.Psnr, again.Psnr);
        Assert.Equal(score.DistanceLeft, again.DistanceLeft);
    }

    [SharedDataFact]
    public void Behind_a_late_cut_the_picture_is_still_known_again_although_it_is_not_alike()
    {
        GradientScore score = Run(Cheap with { MaximumPictures = 3, StepLength = 0.05 }, "layer2.2/add/relu");
        Assert.True(score.ReIdentification.Estimate > 0.6, $"{score.ReIdentification}");
        Assert.True(score.DistanceLeft.Estimate < 0.5, $"{score.DistanceLeft}");
    }

    [SharedDataFact]
    public void A_search_that_begins_at_the_linear_decoders_picture_finds_more_than_either()
    {
        GradientInversionSettings settings = Cheap with { MaximumPictures = 3, StepLength = 0.02 };
        PictureSet set = Pictures();
        ModelProto model = OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/vision/cifar10-resnet20.onnx")));
        var decoder = new InversionSettings { MaximumRows = 6_000, Threads = 2, KeptPictures = 0 };
        GradientScore both = GradientInversion.Run(settings with { Decoder = decoder }, set.Fit, set.Test, Size, model, Cut("layer2.0/add/relu"));
        GradientScore alone = GradientInversion.Run(settings, set.Fit, set.Test, Size, model, Cut("layer2.0/add/relu"));
        float[][] linear = InversionAttack.Rebuild(decoder, set.Fit, set.Test[..3], Size, model, Cut("layer2.0/add/relu"), null, default);
        double decoded = linear.Select((picture, i) => PictureFidelity.Psnr(picture, set.Test[i].Pixels)).Average();
        Assert.True(both.Psnr.Estimate > decoded + 1 && both.Psnr.Estimate > alone.Psnr.Estimate + 1, $"{both.Psnr} {decoded} {alone.Psnr}");
    }

    [SharedDataFact]
    public void Two_tensors_say_more_than_the_worse_of_them()
    {
        GradientInversionSettings settings = Cheap with { Iterations = 30, MaximumPictures = 2 };
        GradientScore both = Run(settings, null, "layer3.2/add/relu", "layer1.0/add/relu"), late = Run(settings, "layer3.2/add/relu");
        Assert.True(both.Psnr.Estimate > late.Psnr.Estimate, $"{both.Psnr} {late.Psnr}");
    }

    [SharedDataFact]
    public void Restarts_keep_the_nearest_features()
    {
        GradientInversionSettings settings = Cheap with { Iterations = 15, MaximumPictures = 2 };
        Assert.True(Run(settings with { Restarts = 3 }, "layer2.2/add/relu").DistanceLeft.Estimate <= Run(settings, "layer2.2/add/relu").DistanceLeft.Estimate);
    }

    [SharedDataFact]
    public void Where_the_features_say_nothing_nothing_is_found()
    {
        ModelProto blind = new SmallGraph().Then("Mul", ["x", "w0"]).Build([1, 3, 32, 32]);
        blind = blind with { Graph = blind.Graph with { Initializers = [TensorProto.Of("w0", [], [0f])] } };
        PictureSet set = Pictures();
        GradientScore score = GradientInversion.Run(Cheap with { Decoder = new InversionSettings() }, set.Fit, set.Test, Size, blind, Cut("v0"));
        Assert.Equal(score.BaselinePsnr, score.Psnr);
        Assert.Equal(0, score.ReIdentification.Estimate);
        Assert.False(score.Leaks);
    }

    [SharedDataFact]
    public void What_cannot_be_searched_is_refused()
    {
        PictureSet set = Pictures();
        ModelProto rounded = new SmallGraph().Then("Round").Build([1, 3, 32, 32]), endless = new SmallGraph().Then("Exp").Then("Exp").Then("Exp").Then("Exp").Build([1, 3, 32, 32]);
        Assert.Equal(PartitioningError.GradientRefused, Refused(() => GradientInversion.Run(Cheap, set.Fit, set.Test, Size, rounded, Cut("v0"))));
        Assert.Equal(PartitioningError.FeaturesRefused, Refused(() => GradientInversion.Run(Cheap, set.Fit, set.Test, Size, endless, Cut("v3"))));
        Assert.Equal(PartitioningError.CutRefused, Refused(() => GradientInversion.Run(Cheap, set.Fit, set.Test, Size, rounded, Cut("v7"))));
        Assert.Equal(PartitioningError.TooFewSamples, Refused(() => GradientInversion.Run(Cheap, set.Fit[..5], set.Test, Size, rounded, Cut("v0"))));
        Assert.Throws<ArgumentOutOfRangeException>(() => GradientInversion.Run(Cheap with { Iterations = 0 }, set.Fit, set.Test, Size, rounded, Cut("v0")));
        Assert.Throws<OperationCanceledException>(() => Run(Cheap, "layer1.0/add/relu", cancellation: new CancellationToken(canceled: true)));
    }

    [SharedDataTheory]
    [InlineData("unit")]
    [InlineData("signed-unit")]
    [InlineData("imagenet")]
    [InlineData("bgr-mean")]
    [InlineData("raw")]
    [InlineData("grey-unit")]
    public void How_an_input_comes_from_a_picture_is_found(string preprocessing)
    {
        PictureSize size = preprocessing == "grey-unit" ? Size with { Channels = 1 } : Size;
        PictureSet set = Pictures(preprocessing, size);
        PixelMap map = PixelMap.Of([.. set.Fit.Take(3)], size);
        float[] input = new float[size.Elements], gradient = new float[size.Elements];
        map.ToInput(set.Test[0].Pixels, input);
        for (int i = 0; i < input.Length; i++)
            Assert.Equal(set.Test[0].Input[i], input[i], 1e-3f * Math.Max(1, Math.Abs(input[i])));
        // The gradient of the sum of squares of the input is twice the input, by the picture.
        map.ToPixels(input, gradient);
        float[] moved = [.. set.Test[0].Pixels], after = new float[size.Elements];
        moved[100] += 1e-2f;
        map.ToInput(moved, after);
        double expected = after.Zip(input, (one, other) => ((double)one * one - (double)other * other) / 2 / 1e-2).Sum();
        Assert.Equal(expected, gradient[100], Math.Abs(expected) * 0.2 + Math.Abs(map.Scale.Max() * map.Scale.Max()) * 2e-2);
    }

    [SharedDataFact]
    public void An_input_that_is_no_scaled_picture_is_refused()
    {
        AssessedPicture[] pictures = [.. Pictures().Fit.Take(2).Select(picture => picture with { Input = [.. picture.Input.Select(value => value * value)] })];
        Assert.Equal(PartitioningError.ModelRefused, Refused(() => PixelMap.Of(pictures, Size)));
        Assert.Equal(PartitioningError.ModelRefused, Refused(() => PixelMap.Of([new AssessedPicture("grey", new float[Size.Elements], new float[Size.Elements])], Size)));
    }

    [Fact]
    public void Roughness_has_the_gradient_that_differences_give()
    {
        var random = new Random(3);
        var size = new PictureSize(2, 4, 5);
        float[] pixels = [.. Enumerable.Range(0, size.Elements).Select(_ => (float)random.NextDouble())], gradient = new float[size.Elements], unused = new float[size.Elements];
        double here = TotalVariation.Add(pixels, size, 3, gradient);
        Assert.InRange(here, 0.1, 3);
        for (int i = 0; i < pixels.Length; i++)
        {
            float[] above = [.. pixels], below = [.. pixels];
            above[i] += 1e-3f;
            below[i] -= 1e-3f;
            Assert.Equal((TotalVariation.Add(above, size, 3, unused) - TotalVariation.Add(below, size, 3, unused)) / 2e-3, gradient[i], 2e-3);
        }
    }

    private static PartitioningError Refused(Action action) => Assert.Throws<PartitioningException>(action).Error;

    private static GradientScore Run(GradientInversionSettings settings, string tensor, IProgress<double>? progress = null, CancellationToken cancellation = default) =>
        Run(settings, progress, cancellation, tensor);

    private static GradientScore Run(GradientInversionSettings settings, IProgress<double>? progress, params string[] tensors) => Run(settings, progress, default, tensors);

    private static GradientScore Run(GradientInversionSettings settings, IProgress<double>? progress, CancellationToken cancellation, params string[] tensors)
    {
        PictureSet set = Pictures();
        ModelProto model = OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/vision/cifar10-resnet20.onnx")));
        return GradientInversion.Run(settings, set.Fit, set.Test, Size, model, Cut(tensors), progress, cancellation);
    }

    private static PictureSet Pictures(string preprocessing = "imagenet", PictureSize? size = null) => PictureSource.Read(
        new PictureRequest { Paths = [TestData.Path("inputs/cifar10")], Fit = 60, Test = 20, Size = size ?? Size, Preprocessing = Preprocessing.Parse(preprocessing) });

    private static Cut Cut(params string[] tensors) => new()
    {
        Tensors = [.. tensors], Shapes = [], NodesBefore = 0, MacsBefore = 0, MacsWhole = 0, WeightBytesBefore = 0, WeightBytesAfter = 0, BoundaryBytes = 0, KeepsBits = true,
    };

    private sealed class Heard : IProgress<double>
    {
        public double Last { get; private set; }

        public void Report(double value)
        {
            lock (this)
                Last = Math.Max(Last, value);
        }
    }
}
