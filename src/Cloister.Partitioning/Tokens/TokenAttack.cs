using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Tokens;

/// <summary>
/// Recovers a text from the tensors of a cut of a text model: a linear decoder to the token embeddings, then the nearest token. Where the
/// cut's tensors have no place for each token any more, the tokens that occur are searched for.
/// </summary>
public static class TokenAttack
{
    private const int KeptTexts = 3;

    // Tokens that a guess does not name: of fewer no share can be told, and texts of one token would hide every leak.
    private const int LeastUnguessed = 20;

    /// <summary>Attacks one cut.</summary>
    /// <param name="settings">How.</param>
    /// <param name="model">The whole model; its one input takes token ids, [texts, tokens].</param>
    /// <param name="cut">Where somebody outside looks.</param>
    /// <param name="texts">Texts of token ids, all of the model's length; null to draw them, each token as likely. Every fifth is tested.</param>
    /// <param name="progress">From 0 to 1.</param>
    /// <param name="cancellation">Stops the attack.</param>
    /// <exception cref="ArgumentException">A text is of another length, or has a token that the table has not; or a setting is below its least.</exception>
    /// <exception cref="PartitioningException">
    /// <see cref="PartitioningError.TooFewSamples"/>, <see cref="PartitioningError.SamplesOverlap"/>, <see cref="PartitioningError.FeaturesRefused"/>,
    /// <see cref="PartitioningError.CutRefused"/>, <see cref="PartitioningError.ModelRefused"/>.
    /// </exception>
    /// <exception cref="OnnxRuntimeException">The model does not run, or there is no such tensor.</exception>
    public static TokenScore Run(
        TokenSettings settings, ModelProto model, Cut cut, IReadOnlyList<int[]>? texts = null, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        settings.Demand();
        cancellation.ThrowIfCancellationRequested();
        using CutSource source = CutSource.Open(model, cut.Tensors, settings);
        return Run(settings, TokenTable.Of(model, Input(model), settings), source, texts, progress, cancellation);
    }

    /// <summary>Attacks the tokens' own embeddings, and noise: an attack that fails here says nothing anywhere.</summary>
    /// <param name="settings">How.</param>
    /// <param name="model">The whole model.</param>
    /// <param name="cancellation">Stops the attack.</param>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.CalibrationFailed"/>, and those of an attack.</exception>
    public static TokenCalibration Calibrate(TokenSettings settings, ModelProto model, CancellationToken cancellation = default)
    {
        settings.Demand();
        cancellation.ThrowIfCancellationRequested();
        TokenTable table = TokenTable.Of(model, Input(model), settings);
        using var whole = new ConstructedSource(table, settings.Length, null);
        using var noise = new ConstructedSource(table, settings.Length, settings.Seed);
        var calibration = new TokenCalibration(
            Run(settings, table, whole, null, null, cancellation), Run(settings with { Confidence = TokenCalibration.Confidence }, table, noise, null, null, cancellation));
        return calibration.Failure is { } failure ? throw new PartitioningException(PartitioningError.CalibrationFailed, failure) : calibration;
    }

    internal static TokenScore Run(
        TokenSettings settings, TokenTable table, TokenSource source, IReadOnlyList<int[]>? texts, IProgress<double>? progress, CancellationToken cancellation)
    {
        (int[][] fit, int[][] test) = texts is null ? Draw(settings, table, source.Length) : Split(texts, table, source.Length);
        using var product = new MatrixProduct(settings.Threads);
        var decoder = new TokenDecoder(settings, product, table, source);
        decoder.Fit(fit, progress is null ? null : new Most(progress), cancellation);
        int[] guess = [.. Frequent(fit, table.Tokens, source.Pooled ? source.Length : 1)];
        int found = 0, guessed = 0, tokens = 0;
        var kept = new List<RecoveredText>();
        for (int i = 0; i < test.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            int[] recovered = decoder.Recover(test[i]);
            if (source.Pooled)
            {
                // As many as a text has may be named: the rest by guessing.
                recovered = [.. recovered, .. guess.Except(recovered).Take(source.Length - recovered.Length)];
                int[] different = [.. test[i].Distinct()];
                tokens += different.Length;
                found += different.Intersect(recovered).Count();
                guessed += different.Intersect(guess).Count();
            }
            else
            {
                tokens += test[i].Length;
                found += test[i].Zip(recovered, (own, other) => own == other ? 1 : 0).Sum();
                guessed += test[i].Count(token => token == guess[0]);
            }
            if (kept.Count < KeptTexts)
                kept.Add(new RecoveredText([.. test[i]], [.. recovered]));
            progress?.Report(0.8 + 0.2 * (i + 1) / test.Length);
        }
        if (tokens - guessed < LeastUnguessed)
            throw new PartitioningException(
                PartitioningError.TooFewSamples,
                $"The most frequent tokens are {guessed} of the {tokens} to recover: whoever names them needs to see nothing, and what else is recovered cannot be told from it. Give texts that differ, without padding.");
        return new TokenScore
        {
            Tensors = source.Tensors,
            BagOfWords = source.Pooled,
            Decoder = decoder.Description,
            FitTexts = fit.Length,
            TestTexts = test.Length,
            Length = source.Length,
            Vocabulary = table.Tokens,
            Lambda = decoder.Lambda,
            Tokens = tokens,
            Accuracy = Proportion.Wilson(found, tokens, settings.Confidence),
            Baseline = Proportion.Wilson(guessed, tokens, settings.Confidence),
            Texts = [.. kept],
        };
    }

    private static (int[][] Fit, int[][] Test) Draw(TokenSettings settings, TokenTable table, int length)
    {
        int[] Text(ref SplitMix64 random)
        {
            int[] text = new int[length];
            for (int i = 0; i < length; i++)
                text[i] = random.Below(table.Tokens);
            return text;
        }
        if (settings.FitTexts < TokenSettings.MinimumTexts || settings.TestTexts < 1)
            throw new PartitioningException(PartitioningError.TooFewSamples, $"At least {TokenSettings.MinimumTexts} texts to fit and one to test are needed; {settings.FitTexts} and {settings.TestTexts} are asked for.");
        var random = new SplitMix64(settings.Seed);
        int[][] all = new int[settings.FitTexts + settings.TestTexts][];
        for (int i = 0; i < all.Length; i++)
            all[i] = Text(ref random);
        return (all[..settings.FitTexts], all[settings.FitTexts..]);
    }

    private static (int[][] Fit, int[][] Test) Split(IReadOnlyList<int[]> texts, TokenTable table, int length)
    {
        foreach (int[] text in texts)
            if (text.Length != length || Array.Exists(text, token => token < 0 || token >= table.Tokens))
                throw new ArgumentException($"A text has {length} tokens, each 0 to {table.Tokens - 1}.", nameof(texts));
        if (texts.Count < TokenSettings.MinimumTexts)
            throw new PartitioningException(PartitioningError.TooFewSamples, $"At least {TokenSettings.MinimumTexts} texts are needed; there are {texts.Count}.");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return texts.All(text => seen.Add(string.Join(' ', text)))
            ? ([.. texts.Where((_, i) => i % 5 != 4)], [.. texts.Where((_, i) => i % 5 == 4)])
            : throw new PartitioningException(PartitioningError.SamplesOverlap, "A text stands twice: a test on what was fitted, or on one text again and again, says nothing. Leave repeated texts out.");
    }

    private static IEnumerable<int> Frequent(int[][] texts, int tokens, int count)
    {
        int[] counts = new int[tokens];
        foreach (int[] text in texts)
            foreach (int token in text)
                counts[token]++;
        return Enumerable.Range(0, tokens).OrderByDescending(token => counts[token]).Take(count);
    }

    // Before IR version 4 initialisers are listed as inputs too.
    private static string Input(ModelProto model) =>
        model.Graph.Inputs.Where(input => !model.Graph.Initializers.Any(weight => weight.Name == input.Name)).ToArray() is [{ } input]
            ? input.Name
            : throw new PartitioningException(PartitioningError.ModelRefused, "The model must have one input of token ids.");

    private sealed class Most(IProgress<double> whole) : IProgress<double>
    {
        public void Report(double value) => whole.Report(0.8 * value);
    }
}
