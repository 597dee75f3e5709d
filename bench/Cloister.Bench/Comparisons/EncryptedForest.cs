using System.Globalization;
using System.Runtime.CompilerServices;
using Cloister.Homomorphic.Import;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire;
using Cloister.Onnx.Runtime;

namespace Cloister.Bench;

/// <summary>
/// Random forests of 50 trees and depth 4 to 6 over spambase's 57 features, trained here, on an encrypted row, one thread, with circuit privacy: the server's time for a
/// row that arrives seeded, beside the bars and beside the same forest in the clear through ONNX Runtime; sizes; how often a decision is right. Levels are
/// chosen by the compiler, and 64 of them measured besides.
/// </summary>
internal sealed class EncryptedForest : IComparison
{
    private const double SlowdownBar = 100;
    private const int Trees = 50, Batch = 4096, Part = 5;

    // The same data set: 50 trees of depth 3, XGBoost, concrete-ml's notebook (its hardware is not named).
    private const double ConcreteMilliseconds = 1010;

    public string Name => "encrypted-forest";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (BenchContext.SharedModel("../inputs/tabular/spambase.csv") is not { } path) yield break;
        CsvTable table = CsvTable.Read(path);
        bool[] labels = [.. table.Rows.Select(row => row[^1] != 0)];
        double[][] rows = [.. table.Rows.Select(row => row[..^1])];
        int[] train = [.. Enumerable.Range(0, rows.Length).Where(i => i % Part != 0)], test = [.. Enumerable.Range(0, rows.Length).Where(i => i % Part == 0)];
        double[][] calibration = [.. train.Select(i => rows[i])];
        foreach ((int depth, double bar) in ((int, double)[])[(4, 15), (5, double.PositiveInfinity), (6, 60)])
        {
            Forest forest = GreedyForest.Train(calibration, [.. train.Select(i => labels[i])], Trees, depth, seed: depth);
            byte[] onnx = GreedyForest.ToOnnx(forest);
            double single = InTheClear(onnx, rows, 1), batched = InTheClear(onnx, rows, Batch) / Batch;
            int chosen = 0;
            foreach (int? levels in (int?[])[null, 64])
            {
                cancellation.ThrowIfCancellationRequested();
                using CompiledModel model = ForestCompiler.Compile(forest, calibration, new ForestOptions { Name = "bench", Levels = levels });
                LayoutSpecification layout = model.Client.Layout;
                if (chosen == layout.Levels) continue;
                chosen = layout.Levels;
                string what = string.Create(CultureInfo.InvariantCulture, $"forest, depth {depth}, {layout.Levels} levels");
                Asked asked = Ask(model, rows[0]);
                if (double.IsFinite(bar)) yield return new Figure($"{what}: server, a row", asked.Server, bar, "ms", "the bar", levels is null ? 1 : double.PositiveInfinity);
                yield return new Figure($"{what}: server, a row", asked.Server, ConcreteMilliseconds, "ms", "concrete-ml, 50 trees depth 3, recorded", double.PositiveInfinity,
                    $"{forest.Trees.Sum(tree => tree.Nodes.Count(node => node.IsLeaf))} leaves, {layout.QueryCiphertexts} ciphertexts in, {layout.AnswerCiphertexts} out");
                yield return new Figure($"{what}: server, a row", 1000 * asked.Server, single, "us/row", "ONNX Runtime, one row", SlowdownBar);
                yield return new Figure($"{what}: server, a row", 1000 * asked.Server, batched, "us/row", $"ONNX Runtime, {Batch} rows", SlowdownBar);
                yield return new Figure($"{what}: query and answer", asked.Query, asked.Answer, "KiB", "the answer", double.PositiveInfinity);
                yield return new Figure($"{what}: client", asked.Encrypt, asked.Decrypt, "ms", "encrypts; decrypts", double.PositiveInfinity);
                yield return new Figure($"{what}: wrong decisions", Wrong(row => model.Predict(row).Class), Wrong(row => Class(forest, row)), "%", "the forest in the clear", double.PositiveInfinity);
            }

            double Wrong(Func<double[], string?> decide) => 100.0 * test.Count(i => decide(rows[i]) != (labels[i] ? "1" : "0")) / test.Length;
        }
        await Task.CompletedTask;
    }

    private static string? Class(Forest forest, double[] row)
    {
        var scores = new double[1];
        forest.Score(row, scores);
        return ModelAnswer.Of(scores, forest.Link, forest.Classes, forest.Threshold).Class;
    }

    private static Asked Ask(CompiledModel model, double[] row)
    {
        ModelClient client = ModelClients.Create(model.Client);
        using SecretKey key = SecretKey.Generate(model.Parameters);
        using PublicKey open = PublicKey.Of(key);
        using ClientQuery query = client.Encrypt([row], key, open);
        using EncryptedQuery received = query.Expand();
        using EncryptedAnswer answer = model.Evaluate(received, AnswerForm.Compact, CancellationToken.None);
        double server = ShortBatches.Least(() =>
        {
            using EncryptedQuery arrived = query.Expand();
            model.Evaluate(arrived, AnswerForm.Compact, CancellationToken.None).Dispose();
        }, 1);
        return new Asked(
            server / 1000, ShortBatches.Least(() => client.Encrypt([row], key, open).Dispose(), 1) / 1000, ShortBatches.Least(() => client.Decrypt(answer, key), 1) / 1000,
            QueryFormat.Write(query, model.Client).Length / 1024.0, AnswerFormat.Write(answer, model.Parameters, model.Client).Length / 1024.0);
    }

    // Microseconds of a run.
    private static double InTheClear(byte[] onnx, double[][] table, int rows)
    {
        using OrtSession session = OrtSession.FromMemory(onnx, new OrtSessionOptions { IntraThreads = 1 });
        using OrtTensor input = OrtTensor.Allocate<float>([rows, table[0].Length]);
        Span<float> numbers = input.Span<float>();
        for (int i = 0; i < numbers.Length; i++) numbers[i] = (float)table[i / table[0].Length % table.Length][i % table[0].Length];
        var outputs = new OrtTensor?[session.Outputs.Count];
        double least = ShortBatches.Least(() => session.Run([input], outputs), rows == 1 ? 50 : 1);
        foreach (OrtTensor? output in outputs) output?.Dispose();
        return least;
    }

    // Milliseconds and KiB.
    private sealed record Asked(double Server, double Encrypt, double Decrypt, double Query, double Answer);
}
