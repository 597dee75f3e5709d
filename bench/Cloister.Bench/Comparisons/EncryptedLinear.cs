using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Cloister.Homomorphic.Import;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire.Seal;
using Cloister.Onnx.Runtime;

namespace Cloister.Bench;

/// <summary>
/// Logistic regressions of 30 and 57 features on encrypted rows, one thread: the server's time for a ciphertext full of rows, beside the bar of 10 us; for a row
/// beside the same ONNX model in the clear through ONNX Runtime, alone and in batches; and the client's times. node-seal does the product of the
/// same sizes in the run where tests/Cloister.Homomorphic.Tests/node/install has installed it.
/// </summary>
internal sealed class EncryptedLinear : IComparison
{
    private const double MicrosecondsBar = 10, SlowdownBar = 100;
    private const int LargeBatch = 4096, InBatch = 50;

    private static readonly string SealFolder = Path.Combine(BenchContext.Root, "tests", "Cloister.Homomorphic.Tests", "node");

    public string Name => "encrypted-linear";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (string name in (string[])["breast", "spambase"])
        {
            if (BenchContext.SharedModel($"tabular/logreg-{name}.onnx") is not { } path) continue;
            JsonNode expected = JsonNode.Parse(await File.ReadAllTextAsync(Path.ChangeExtension(path, "expected.json"), cancellation))!;
            double[][] rows = [.. expected["X"]!.AsArray().Select(row => row!.AsArray().Select(x => (double)x!).ToArray())];
            var model = (LinearModel)ModelFile.Read(path);
            foreach (Figure figure in Measure(model, path, rows)) yield return figure;
            if (await SealAsync(model, rows, cancellation) is not { } seal) continue;
            foreach (Figure figure in seal) yield return figure;
        }
    }

    private static IEnumerable<Figure> Measure(LinearModel model, string path, double[][] table)
    {
        int features = model.Features.Count;
        using var encrypted = new Asked(model, table, circuitPrivacy: false);
        int rows = encrypted.Compiled.Client.Layout.Rows;
        double server = encrypted.Server(), single = InTheClear(path, table, 1), batch = InTheClear(path, table, rows) / rows, large = InTheClear(path, table, LargeBatch) / LargeBatch;
        string what = $"linear, {features} features";
        yield return new Figure($"{what}: {rows} rows, server", server, MicrosecondsBar, "us/ciphertext", "the bar", 1);
        yield return new Figure($"{what}: a row of a full ciphertext", server / rows, batch, "us/row", $"ONNX Runtime, {rows} rows", SlowdownBar);
        yield return new Figure($"{what}: a row of a full ciphertext", server / rows, large, "us/row", $"ONNX Runtime, {LargeBatch} rows", SlowdownBar);
        yield return new Figure($"{what}: a row of a full ciphertext", server / rows, single, "us/row", "ONNX Runtime, one row", SlowdownBar);
        yield return new Figure($"{what}: a row alone", server, single, "us/row", "ONNX Runtime, one row", double.PositiveInfinity);
        yield return new Figure($"{what}: client encrypts {rows} rows", encrypted.Encrypt(), batch * rows, "us/ciphertext", $"ONNX Runtime, {rows} rows", double.PositiveInfinity);
        yield return new Figure($"{what}: client decrypts {rows} rows", encrypted.Decrypt(), batch * rows, "us/ciphertext", $"ONNX Runtime, {rows} rows", double.PositiveInfinity);
        using var hidden = new Asked(model, table, circuitPrivacy: true);
        int more = hidden.Compiled.Client.Layout.Rows;
        yield return new Figure($"{what}: {more} rows, circuit privacy", hidden.Server() / more, batch, "us/row", $"ONNX Runtime, {rows} rows", double.PositiveInfinity);
    }

    private static async Task<IEnumerable<Figure>?> SealAsync(LinearModel model, double[][] table, CancellationToken cancellation)
    {
        string node = Path.Combine(SealFolder, "node_modules", ".bin", "node");
        if (!File.Exists(node)) return null;
        using var encrypted = new Asked(model, table, circuitPrivacy: false);
        RlweParameters parameters = encrypted.Compiled.Parameters;
        var message = new ulong[parameters.Ring.Degree];
        var factor = new ulong[parameters.Ring.Degree];
        for (int i = 0; i < message.Length; i++) message[i] = (ulong)i;
        for (int i = 0; i < model.Features.Count; i++) factor[i] = (ulong)i + 1;
        JsonNode seal = await BenchContext.RunNodeAsync("seal-linear.mjs", node, cancellation, SealFolder, parameters.Plaintext.Value.ToString(CultureInfo.InvariantCulture), Seal(message, parameters), Seal(factor, parameters), "20");
        string what = $"linear, {model.Features.Count} features";
        return
        [
            new Figure($"{what}: server", encrypted.Server(), (double)seal["prepared"]!, "us/ciphertext", "node-seal, prepared factor, no rescaling", double.PositiveInfinity),
            new Figure($"{what}: server", encrypted.Server(), (double)seal["multiply"]!, "us/ciphertext", "node-seal, multiply_plain", double.PositiveInfinity),
            new Figure($"{what}: client encrypts", encrypted.Encrypt(), (double)seal["encrypt"]!, "us/ciphertext", "node-seal", double.PositiveInfinity),
            new Figure($"{what}: client decrypts", encrypted.Decrypt(), (double)seal["decrypt"]!, "us/ciphertext", "node-seal", double.PositiveInfinity),
        ];
    }

    private static string Seal(ulong[] message, RlweParameters parameters) => Convert.ToBase64String(SealFormat.WritePlaintext(message, parameters, SealVersion.NodeSeal7));

    // Microseconds of a run.
    private static double InTheClear(string path, double[][] table, int rows)
    {
        using OrtSession session = OrtSession.FromMemory(File.ReadAllBytes(path), new OrtSessionOptions { IntraThreads = 1 });
        using OrtTensor input = OrtTensor.Allocate<float>([rows, table[0].Length]);
        Span<float> numbers = input.Span<float>();
        for (int i = 0; i < numbers.Length; i++) numbers[i] = (float)table[i / table[0].Length % table.Length][i % table[0].Length];
        var outputs = new OrtTensor?[session.Outputs.Count];
        double least = ShortBatches.Least(() => session.Run([input], outputs), rows == LargeBatch ? 5 : InBatch);
        foreach (OrtTensor? output in outputs) output?.Dispose();
        return least;
    }

    // A compiled model and a full ciphertext for it.
    private sealed class Asked : IDisposable
    {
        private readonly ModelClient _client;
        private readonly SecretKey _key;
        private readonly PublicKey? _open;
        private readonly double[][] _rows;
        private readonly ClientQuery _query;
        private readonly EncryptedQuery _received;
        private readonly EncryptedAnswer _answer;

        public Asked(LinearModel model, double[][] table, bool circuitPrivacy)
        {
            Compiled = LinearCompiler.Compile(model, table, new LinearOptions { Name = "bench", CircuitPrivacy = circuitPrivacy });
            _client = ModelClients.Create(Compiled.Client);
            _key = SecretKey.Generate(Compiled.Parameters);
            _open = circuitPrivacy ? PublicKey.Of(_key) : null;
            _rows = [.. Enumerable.Range(0, Compiled.Client.Layout.Rows).Select(i => table[i % table.Length])];
            _query = _client.Encrypt(_rows, _key, _open);
            _received = _query.Expand();
            _answer = Compiled.Evaluate(_received, AnswerForm.Compact, CancellationToken.None);
        }

        public CompiledModel Compiled { get; }

        public double Server() => ShortBatches.Least(() => Compiled.Evaluate(_received, AnswerForm.Compact, CancellationToken.None).Dispose(), InBatch);

        public double Encrypt() => ShortBatches.Least(() => _client.Encrypt(_rows, _key, _open).Dispose(), InBatch);

        public double Decrypt() => ShortBatches.Least(() => _client.Decrypt(_answer, _key), InBatch);

        public void Dispose()
        {
            _answer.Dispose();
            _received.Dispose();
            _query.Dispose();
            _open?.Dispose();
            _key.Dispose();
            Compiled.Dispose();
        }
    }
}
