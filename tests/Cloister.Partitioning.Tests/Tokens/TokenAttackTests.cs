using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Statistics;
using Cloister.Partitioning.Tokens;
using Cloister.Tests;
using static Cloister.Partitioning.Tests.Inversion.SyntheticPictures;

namespace Cloister.Partitioning.Tests.Tokens;

public sealed class TokenAttackTests
{
    private static readonly TokenSettings Settings = new() { Threads = 2, FitTexts = 500, TestTexts = 40 };

    [SharedDataFact]
    public void Embeddings_give_every_token_away_and_their_normalised_mean_most_of_them()
    {
        ModelProto model = Read("embedding-wordvec1000");
        TokenScore embedded = TokenAttack.Run(Settings, model, Cut("e")), mean = TokenAttack.Run(Settings with { FitTexts = 2_000 }, model, Cut("embedding"));
        Assert.True(embedded.Leaks && !embedded.BagOfWords);
        Assert.True(embedded.Accuracy.Lower > 0.98, embedded.ToString());
        Assert.True(embedded.Protection < 0.02);
        Assert.Equal((1001, 12, 40), (embedded.Vocabulary, embedded.Length, embedded.TestTexts));
        Assert.Equal(embedded.Texts[0].Original.AsEnumerable(), embedded.Texts[0].Recovered);
        Assert.True(mean.Leaks && mean.BagOfWords);
        Assert.True(mean.Accuracy.Lower > 0.7 && mean.Baseline.Upper < 0.1, mean.ToString());
        Assert.Equal(12, mean.Texts[0].Recovered.Length);
    }

    [SharedDataFact]
    public void A_mean_of_many_short_rows_hides_its_tokens()
    {
        ModelProto model = Read("sentiment-movie-review");
        var reports = new List<double>();
        TokenScore embedded = TokenAttack.Run(Settings with { FitTexts = 100, TestTexts = 10 }, model, Cut("emb"), null, new Reports(reports));
        TokenScore mean = TokenAttack.Run(Settings, model, Cut("avg"));
        Assert.True(embedded.Accuracy.Lower > 0.99, embedded.ToString());
        Assert.Equal((10_003, 256), (embedded.Vocabulary, embedded.Length));
        Assert.Equal(reports.Order(), reports);
        Assert.Equal(1, reports[^1], 1e-9);
        Assert.False(mean.Leaks, mean.ToString());
        Assert.InRange(mean.Accuracy.Estimate, 0.01, 0.05);
    }

    [SharedDataFact]
    public void A_secret_table_hides_nothing_from_whoever_can_run_the_front()
    {
        ModelProto model = Read("embedding-wordvec1000");
        TokenSettings secret = Settings with { TableIsPublic = false, Vocabulary = 300 };
        TokenScore score = TokenAttack.Run(secret, model, Cut("e"));
        Assert.Equal(300, score.Vocabulary);
        Assert.True(score.Accuracy.Lower > 0.95, score.ToString());
        Assert.Equal(PartitioningError.CutRefused, Refusal(() => TokenAttack.Run(secret with { Vocabulary = 0 }, model, Cut("e"))));
    }

    [SharedDataFact]
    public void Recovery_finds_everything_in_the_table_itself_and_nothing_in_noise()
    {
        TokenCalibration calibration = TokenAttack.Calibrate(Settings, Read("embedding-wordvec1000"));
        Assert.True(calibration.Whole.Accuracy.Estimate > 0.99);
        Assert.False(calibration.Noise.Leaks);
        Assert.NotNull(new TokenCalibration(calibration.Noise, calibration.Noise).Failure);
        Assert.NotNull(new TokenCalibration(calibration.Whole, calibration.Whole).Failure);
    }

    [Fact]
    public void A_table_in_which_tokens_are_the_same_is_not_calibrated() =>
        Assert.Equal(PartitioningError.CalibrationFailed, Refusal(() => TokenAttack.Calibrate(Settings, Text([.. Enumerable.Range(0, 60).Select(i => (float)(i / 2 % 7))], 30))));

    [Fact]
    public void A_seed_gives_one_score_and_given_texts_are_used()
    {
        ModelProto model = Text(Table(50, 8), 50);
        TokenScore one = TokenAttack.Run(Settings, model, Cut("rows")), same = TokenAttack.Run(Settings, model, Cut("rows")), other = TokenAttack.Run(Settings with { Seed = 2 }, model, Cut("rows"));
        Assert.Equal((one.Accuracy, one.Baseline, one.Lambda), (same.Accuracy, same.Baseline, same.Lambda));
        Assert.Equal(one.Texts[0].Original.AsEnumerable(), same.Texts[0].Original);
        Assert.NotEqual(one.Texts[0].Original.AsEnumerable(), other.Texts[0].Original);

        // Mostly token 7: guessing it is worth much, and it is said so.
        var random = new SplitMix64(3);
        int[][] texts = [.. Enumerable.Range(0, 100).Select(_ => Enumerable.Range(0, 12).Select(_ => random.Below(2) == 0 ? 7 : random.Below(50)).ToArray())];
        TokenScore given = TokenAttack.Run(Settings, model, Cut("rows"), texts);
        Assert.Equal((80, 20), (given.FitTexts, given.TestTexts));
        Assert.InRange(given.Baseline.Estimate, 0.4, 0.6);
        Assert.Equal(1, given.Accuracy.Estimate);
    }

    [Fact]
    public void Texts_of_one_token_hide_nothing_they_are_refused()
    {
        ModelProto model = Text(Table(50, 8), 50);
        // Every fifth is attacked; all of those are token 7 over and over, which guessing names as well as any attack.
        int[] same = [.. Enumerable.Repeat(7, 12)];
        int[][] Texts(Func<int, int[]> attacked) => [.. Enumerable.Range(0, 100).Select(i => i % 5 == 4 ? attacked(i) : Enumerable.Range(0, 12).Select(k => k == 0 ? i % 50 : k == 1 ? i / 50 : 7).ToArray())];
        Assert.Equal(PartitioningError.SamplesOverlap, Refusal(() => TokenAttack.Run(Settings, model, Cut("rows"), Texts(_ => same))));
        Assert.Equal(PartitioningError.TooFewSamples, Refusal(() => TokenAttack.Run(Settings, model, Cut("rows"), Texts(i => [.. Enumerable.Range(0, 12).Select(k => i > 4 && k == i / 5 % 12 ? 8 + i / 60 : 7)]))));
    }

    [Fact]
    public void A_guess_without_luck_is_no_reason_to_call_one_hit_a_leak()
    {
        var none = new Interval(0, 0, 0.005);
        TokenScore score = TokenAttack.Run(Settings with { FitTexts = 60, TestTexts = 3 }, Text(Table(50, 8), 50), Cut("rows")) with { Vocabulary = 10_000, Tokens = 720, Baseline = none };
        Assert.Equal(1e-4, score.Chance);
        Assert.False((score with { Accuracy = Proportion.Wilson(1, 720) }).Leaks);
        Assert.True((score with { Accuracy = Proportion.Wilson(2, 720) }).Leaks);
        Assert.Equal(0, (score with { Baseline = new Interval(0.9, 1, 1) }).Protection);
    }

    [Fact]
    public void Rows_across_another_axis_are_found_too_and_constant_ones_refused()
    {
        ModelProto model = Text(Table(50, 8), 50,
            Node("Transpose", "turned", ["rows"], AttributeProto.Of("perm", 0L, 2L, 1L)),
            Node("Mul", "constant", ["rows", "zero"]),
            Node("Log", "broken", ["rows"]));
        TokenScore turned = TokenAttack.Run(Settings, model, Cut("turned"));
        Assert.False(turned.BagOfWords);
        Assert.Equal(1, turned.Accuracy.Estimate);
        Assert.True(TokenAttack.Run(Settings with { MaximumFeatures = 12 }, model, Cut("turned", "rows")).Accuracy.Lower > 0.9);
        Assert.Equal(PartitioningError.FeaturesRefused, Refusal(() => TokenAttack.Run(Settings, model, Cut("constant"))));
        Assert.Equal(PartitioningError.FeaturesRefused, Refusal(() => TokenAttack.Run(Settings, model, Cut("broken"))));
    }

    [Fact]
    public void Models_tensors_and_texts_that_do_not_fit_are_refused()
    {
        ModelProto model = Text(Table(50, 8), 50);
        ModelProto picture = Model([Node("Relu", "out", ["input"])]);
        int[][] texts = [.. Enumerable.Range(0, 60).Select(i => Enumerable.Range(0, 12).Select(k => (i * 13 + k) % 50).ToArray())];
        Assert.Equal(PartitioningError.ModelRefused, Refusal(() => TokenAttack.Run(Settings, picture, Cut("out"))));
        Assert.Equal(PartitioningError.CutRefused, Refusal(() => TokenAttack.Run(Settings, model, Cut("token_ids"))));
        Assert.Equal(PartitioningError.TooFewSamples, Refusal(() => TokenAttack.Run(Settings with { FitTexts = 10 }, model, Cut("rows"))));
        Assert.Equal(PartitioningError.TooFewSamples, Refusal(() => TokenAttack.Run(Settings, model, Cut("rows"), texts[..40])));
        Assert.Equal(PartitioningError.SamplesOverlap, Refusal(() => TokenAttack.Run(Settings, model, Cut("rows"), [.. texts, texts[0], texts[1], texts[2], texts[3], texts[3]])));
        Assert.Throws<ArgumentException>(() => TokenAttack.Run(Settings, model, Cut("rows"), [.. texts, new int[11]]));
        Assert.Throws<ArgumentException>(() => TokenAttack.Run(Settings, model, Cut("rows"), [.. texts, [.. Enumerable.Repeat(50, 12)]]));
        Assert.Throws<OnnxRuntimeException>(() => TokenAttack.Run(Settings, model, Cut("nothing")));
        foreach (TokenSettings settings in new[] { Settings with { Threads = 0 }, Settings with { Length = 0 }, Settings with { HoldOutOneIn = 26 } })
            Assert.Throws<ArgumentException>(() => TokenAttack.Run(settings, model, Cut("rows")));
        Assert.ThrowsAny<OperationCanceledException>(() => TokenAttack.Run(Settings, model, Cut("rows"), null, null, new CancellationToken(true)));
    }

    [SharedDataFact]
    public void A_language_model_with_a_memory_is_refused() =>
        Assert.Equal(PartitioningError.ModelRefused, Refusal(() => TokenAttack.Run(Settings, OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/llm/stories260K.onnx"))), Cut("Gather_1"))));

    private static PartitioningError Refusal(Action attack) => Assert.Throws<PartitioningException>(attack).Error;

    private static ModelProto Read(string name) => OnnxModel.Parse(File.ReadAllBytes(TestData.Path($"models/text/{name}.onnx")));

    private static float[] Table(int tokens, int width)
    {
        var random = new SplitMix64(tokens);
        return [.. Enumerable.Range(0, tokens * width).Select(_ => (float)random.Gauss())];
    }

    private static ModelProto Text(float[] table, int tokens, params ReadOnlySpan<NodeProto> more)
    {
        ModelProto model = Model([Node("Gather", "rows", ["table", "token_ids"]), .. more], TensorProto.Of("table", [tokens, table.Length / tokens], table), TensorProto.Of("zero", [1], [0f]));
        return model with { Graph = model.Graph with { Inputs = [ValueInfoProto.Tensor("token_ids", TensorDataType.Int64, "N", "T")] } };
    }

    private sealed class Reports(List<double> values) : IProgress<double>
    {
        public void Report(double value) => values.Add(value);
    }
}
