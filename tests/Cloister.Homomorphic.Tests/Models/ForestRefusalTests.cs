using System.Security.Cryptography;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Tests.Wire;
using static Cloister.Homomorphic.Tests.Models.Forests;

namespace Cloister.Homomorphic.Tests.Models;

public sealed class ForestRefusalTests
{
    private static readonly Kind Small = new(41, Trees: 3, Depth: 3);

    [Fact]
    public void The_layout_is_frozen()
    {
        using CompiledModel model = Compile(Make(Small));
        Assert.Equal("287d56187ec4a49c4578765a5e3b80301715d990da981e1d254bf8b06c77b2cc", Convert.ToHexStringLower(SHA256.HashData(model.ToBytes())));
    }

    [Fact]
    public void Files_are_read_as_they_are_written_or_refused()
    {
        using CompiledModel model = Compile(Make(Small));
        byte[] file = model.ToBytes();
        using (CompiledModel read = CompiledModels.Read(file)) Assert.Equal(file, read.ToBytes());
        for (int length = file.Length - 60; length < file.Length; length++) Assert.Throws<HomomorphicException>(() => CompiledModels.Read(file.AsSpan(0, length)));
        Assert.Throws<HomomorphicException>(() => CompiledModels.Read([.. file, 0]));
        Mutation.Drive(file, CompiledModels.Fuzz, rounds: 300);
    }

    [Fact]
    public void Queries_that_the_model_cannot_answer_are_refused()
    {
        double[][] table = Table(Small, 100);
        using CompiledModel model = Compile(Make(Small)), twin = Compile(Make(Small));
        ModelClient client = ModelClients.Create(model.Client);
        using SecretKey key = SecretKey.Generate(model.Parameters), otherKey = SecretKey.Generate(twin.Parameters);
        using PublicKey open = PublicKey.Of(key), otherOpen = PublicKey.Of(otherKey);
        using ClientQuery query = client.Encrypt(table[..1], key, open), foreign = client.Encrypt(table[..1], otherKey, otherOpen);
        using EncryptedQuery received = query.Expand(), elsewhere = foreign.Expand();
        Refused(HomomorphicError.QueryPublicKey, () => model.Evaluate(new EncryptedQuery(1, received.Ciphertexts, null), AnswerForm.Compact, default));
        Refused(HomomorphicError.QueryPublicKey, () => model.Evaluate(new EncryptedQuery(1, received.Ciphertexts, otherOpen), AnswerForm.Compact, default));
        Refused(HomomorphicError.QueryLayout, () => model.Evaluate(new EncryptedQuery(2, received.Ciphertexts, open), AnswerForm.Compact, default));
        Refused(HomomorphicError.QueryLayout, () => model.Evaluate(new EncryptedQuery(0, [], open), AnswerForm.Compact, default));
        Refused(HomomorphicError.QueryLayout, () => model.Evaluate(new EncryptedQuery(1, [.. received.Ciphertexts.Skip(1)], open), AnswerForm.Compact, default));
        Refused(HomomorphicError.QueryLayout, () => model.Evaluate(elsewhere, AnswerForm.Compact, default));
        using var readable = new Ciphertext(model.Parameters, model.Parameters.Basis);
        Refused(HomomorphicError.Transparent, () => model.Evaluate(new EncryptedQuery(1, [.. received.Ciphertexts.Skip(1), readable], open), AnswerForm.Compact, default));
        Assert.Throws<OperationCanceledException>(() => model.Evaluate(received, AnswerForm.Compact, new CancellationToken(true)));
    }

    [Fact]
    public void Rows_that_have_no_levels_are_refused()
    {
        double[][] table = Table(Small, 100);
        using CompiledModel model = Compile(Make(Small));
        ModelClient client = ModelClients.Create(model.Client);
        using SecretKey key = SecretKey.Generate(client.Parameters);
        using PublicKey open = PublicKey.Of(key);
        foreach (double outside in (double[])[double.NaN, double.PositiveInfinity, double.NegativeInfinity])
            Refused(HomomorphicError.FeatureNotFinite, () => client.Encrypt([[1, outside, 2, 3]], key, open));
        Refused(HomomorphicError.FeatureCount, () => client.Encrypt([[1, 2, 3]], key, open));
        Refused(HomomorphicError.FeatureCount, () => model.Predict([1, 2, 3]));
        Refused(HomomorphicError.QueryPublicKey, () => client.Encrypt(table[..1], key, null));
        Assert.Throws<ArgumentException>(() => client.Encrypt([], key, open));
    }

    [Fact]
    public void Answers_for_others_or_changed_ones_give_no_prediction()
    {
        double[][] table = Table(Small, 100);
        using CompiledModel model = Compile(Make(Small));
        ModelClient client = ModelClients.Create(model.Client);
        using SecretKey key = SecretKey.Generate(client.Parameters), stranger = SecretKey.Generate(client.Parameters), serverKey = SecretKey.Generate(model.Parameters);
        using PublicKey open = PublicKey.Of(serverKey);
        using ClientQuery query = client.Encrypt(table[..1], serverKey, open);
        using EncryptedQuery received = query.Expand();
        using EncryptedAnswer answer = model.Evaluate(received, AnswerForm.Compact, default);
        Assert.Equal(model.Predict(table[0]).Scores, client.Decrypt(answer, serverKey)[0].Scores);
        Refused(HomomorphicError.NoPrediction, () => client.Decrypt(answer, stranger));
        Refused(HomomorphicError.AnswerLayout, () => client.Decrypt(new EncryptedAnswer(2, answer.Compact), serverKey));
        Refused(HomomorphicError.AnswerLayout, () => client.Decrypt(new EncryptedAnswer(1, [.. answer.Compact.Skip(1)]), serverKey));
        CompactCiphertext first = answer.Compact[0];
        ulong half = 1UL << (first.Bits - 1), mask = (1UL << first.Bits) - 1;
        // Everything that detects, moved by half the modulus: no leaf is reached any more.
        var moved = new CompactCiphertext(first.Bits, first.First, first.Step, [.. first.CarriedC0.Select(c => (c + half) & mask)], first.C1);
        Refused(HomomorphicError.NoPrediction, () => client.Decrypt(new EncryptedAnswer(1, [moved, .. answer.Compact.Skip(1)]), serverKey));
        var shorter = new CompactCiphertext(first.Bits, first.First, first.Step, [.. first.CarriedC0.Skip(1)], first.C1);
        Refused(HomomorphicError.AnswerLayout, () => client.Decrypt(new EncryptedAnswer(1, [shorter, .. answer.Compact.Skip(1)]), serverKey));
    }

    [Fact]
    public void Models_beyond_the_design_are_refused_by_number()
    {
        Forest good = Make(Small);
        double[][] table = Table(Small, 100);
        Refused(HomomorphicError.ModelShape, () => Compile(good with { Trees = [] }));
        Refused(HomomorphicError.ModelShape, () => Compile(good with { BaseScores = [double.NaN] }));
        Refused(HomomorphicError.ModelShape, () => Compile(good with { Classes = ["one", "two", "three"] }));
        Refused(HomomorphicError.ModelShape, () => Compile(good with { Trees = [new DecisionTree([new TreeNode { Feature = 4, Yes = 1, No = 2 }, Leaf(1), Leaf(2)])] }));
        Refused(HomomorphicError.ModelShape, () => Compile(good with { Trees = [new DecisionTree([new TreeNode { Yes = 1, No = 1 }, Leaf(1)])] }));
        Refused(HomomorphicError.ModelShape, () => Compile(good with { Trees = [new DecisionTree([new TreeNode { Yes = 0, No = 1 }, Leaf(1)])] }));
        Refused(HomomorphicError.ModelShape, () => Compile(good with { Trees = [new DecisionTree([Leaf(1), Leaf(2)])] }));
        Refused(HomomorphicError.ModelShape, () => Compile(good with { Trees = [new DecisionTree([new TreeNode { Values = [1, 2] }])] }));
        Refused(HomomorphicError.ModelSize, () => Compile(good with { Features = [] }));
        Refused(HomomorphicError.ForestScores, () => Compile(good with { Trees = [new DecisionTree([Leaf(1e300)])] }));
        Refused(HomomorphicError.Calibration, () => ForestCompiler.Compile(good, [], new ForestOptions { Name = "x" }));
        Refused(HomomorphicError.Calibration, () => ForestCompiler.Compile(good, [[1, 2, 3]], new ForestOptions { Name = "x" }));
        Refused(HomomorphicError.Calibration, () => ForestCompiler.Compile(good, [[1, 2, 3, double.PositiveInfinity]], new ForestOptions { Name = "x" }));
        Refused(HomomorphicError.ForestDepth, () => Compile(good with { Trees = [Chain(16)] }));
        using (CompiledModel deepest = Compile(good with { Trees = [Chain(15)] })) Assert.Single(deepest.Client.Layout.Trees);
        Refused(HomomorphicError.ForestLevels, () => ForestCompiler.Compile(good with { Trees = [.. Enumerable.Range(0, 300).Select(i => Stump(i / 7.0))] }, table, new ForestOptions { Name = "x", ExactThresholds = true }));
        Assert.Throws<ArgumentOutOfRangeException>(() => ForestCompiler.Compile(good, table, new ForestOptions { Name = "x", Levels = 48 }));
    }

    [Fact]
    public void Levels_are_as_few_as_agree_with_the_model()
    {
        Kind kind = new(42, Trees: 6, Depth: 4);
        Forest plain = Make(kind);
        double[][] table = Table(kind, 500);
        using CompiledModel chosen = ForestCompiler.Compile(plain, table, new ForestOptions { Name = "chosen" });
        // Forty distinct numbers: 16 levels lose what 64 hold.
        Assert.Equal(64, chosen.Client.Layout.Levels);
    }

    private static TreeNode Leaf(double value) => new() { Values = [value] };

    private static DecisionTree Stump(double threshold) => new([new TreeNode { Threshold = threshold, Yes = 1, No = 2 }, Leaf(1), Leaf(2)]);

    // One question after another about the first feature, each of which the table can tell from the one before.
    private static DecisionTree Chain(int questions)
    {
        var nodes = new List<TreeNode>();
        for (int i = 0; i < questions; i++)
        {
            nodes.Add(new TreeNode { Threshold = 0.1 + i / 2.0, Yes = 2 * i + 1, No = 2 * i + 2 });
            nodes.Add(Leaf(i));
        }
        nodes.Add(Leaf(-1));
        return new DecisionTree(nodes);
    }

    private static CompiledModel Compile(Forest model) => ForestCompiler.Compile(model, Table(Small, 100), new ForestOptions { Name = "refused", Levels = 64 });

    private static void Refused(HomomorphicError error, Action action) => Assert.Equal(error, Assert.Throws<HomomorphicException>(action).Error);
}
