using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Tests.Models;

public sealed class LinearTests
{
    public static TheoryData<int, int, bool> Shapes()
    {
        var shapes = new TheoryData<int, int, bool>();
        foreach ((int features, int scores) in ((int, int)[])[(1, 1), (1, 5), (2, 3), (30, 1), (57, 1), (57, 3), (33, 6), (784, 10), (2048, 1), (2049, 1), (3, 683)])
        {
            shapes.Add(features, scores, false);
            if (features < 784 && scores < 10) shapes.Add(features, scores, true);
        }
        return shapes;
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Decrypted_sums_are_the_integers_that_plain_arithmetic_gives(int features, int scores, bool circuitPrivacy)
    {
        LinearModel model = LinearModels.Random(features, scores, features + scores);
        double[][] table = LinearModels.Table(features, 60, scores);
        using CompiledModel compiled = LinearCompiler.Compile(model, table, new LinearOptions { Name = "exact", CircuitPrivacy = circuitPrivacy });
        ModelClient client = ModelClients.Create(compiled.Client);
        using SecretKey key = SecretKey.Generate(compiled.Parameters);
        using PublicKey? open = circuitPrivacy ? PublicKey.Of(key) : null;
        using LinearWeights weights = LinearModels.WeightsOf(compiled);
        double scale = compiled.Client.Output.Scales[0];
        // One row; a full row set; one more than that.
        foreach (int count in (int[])[1, Math.Min(50, compiled.Client.Layout.Rows), Math.Min(51, compiled.Client.Layout.Rows + 1)])
        {
            double[][] rows = LinearModels.Extremes(model, table, count);
            using ClientQuery query = client.Encrypt(rows, key, open);
            using EncryptedQuery received = query.Expand();
            foreach (AnswerForm form in Enum.GetValues<AnswerForm>())
            {
                using EncryptedAnswer answer = compiled.Evaluate(received, form, CancellationToken.None);
                IReadOnlyList<ModelAnswer> answers = client.Decrypt(answer, key);
                Assert.Equal(count, answers.Count);
                for (int r = 0; r < count; r++) Assert.Equal(LinearModels.Sums(compiled.Client, weights, rows[r]).Select(sum => sum * scale), answers[r].Scores);
            }
        }
    }

    [Theory]
    [InlineData(30, 1, LinkFunction.Logistic, 2)]
    [InlineData(57, 1, LinkFunction.Logistic, 2)]
    [InlineData(20, 4, LinkFunction.Softmax, 4)]
    [InlineData(12, 1, LinkFunction.Exponential, 0)]
    [InlineData(25, 1, LinkFunction.Identity, 0)]
    [InlineData(25, 1, LinkFunction.Identity, 2)]
    [InlineData(25, 3, LinkFunction.Identity, 3)]
    public void Predictions_are_the_models_own(int features, int scores, LinkFunction link, int classes)
    {
        double[][] table = LinearModels.Table(features, 400, 3);
        // Standardised by the table, as a training would: scores of a few units.
        LinearModel raw = LinearModels.Random(features, scores, 4, link, [.. Enumerable.Range(0, classes).Select(c => $"class {c}")]);
        double[] means = [.. Enumerable.Range(0, features).Select(i => table.Average(row => row[i]))], deviations = [.. Enumerable.Range(0, features).Select(i => Math.Sqrt(table.Average(row => Math.Pow(row[i] - means[i], 2))))];
        LinearModel model = raw with
        {
            Weights = [.. raw.Weights.Select(weights => weights.Select((w, i) => w / 50 / deviations[i]).ToArray())],
            Intercepts = [.. raw.Weights.Select(weights => -weights.Select((w, i) => w / 50 / deviations[i] * means[i]).Sum())],
        };
        using CompiledModel compiled = LinearCompiler.Compile(model, table[..300], new LinearOptions { Name = "near" });
        ModelClient client = ModelClients.Create(ClientSpecificationJson.Read(ClientSpecificationJson.Write(compiled.Client)));
        using SecretKey key = SecretKey.Generate(client.Parameters);
        double[][] rows = table[300..];
        using ClientQuery query = client.Encrypt(rows, key, null);
        using EncryptedQuery received = query.Expand();
        using EncryptedAnswer answer = compiled.Evaluate(received, AnswerForm.Compact, CancellationToken.None);
        IReadOnlyList<ModelAnswer> answers = client.Decrypt(answer, key);
        var plain = new double[scores];
        for (int r = 0; r < rows.Length; r++)
        {
            model.Score(rows[r], plain);
            ModelAnswer expected = ModelAnswer.Of(plain, link, model.Classes, model.Threshold);
            for (int k = 0; k < scores; k++) Assert.Equal(expected.Values[k], answers[r].Values[k], 0.01 * Math.Max(1, Math.Abs(expected.Values[k])));
            double margin = scores == 1 ? Math.Abs(plain[0]) : plain.Order().ElementAt(scores - 1) - plain.Order().ElementAt(scores - 2);
            if (margin > 0.05) Assert.Equal(expected.Class, answers[r].Class);
        }
    }

    [Fact]
    public void Answers_carry_sums_and_nothing_else()
    {
        LinearModel model = LinearModels.Random(30, 1, 5);
        double[][] table = LinearModels.Table(30, 40, 6);
        using CompiledModel compiled = LinearCompiler.Compile(model, table, new LinearOptions { Name = "mask" });
        ModelClient client = ModelClients.Create(compiled.Client);
        using SecretKey key = SecretKey.Generate(compiled.Parameters);
        using ClientQuery query = client.Encrypt(table[..7], key, null);
        using EncryptedQuery received = query.Expand();
        using EncryptedAnswer compact = compiled.Evaluate(received, AnswerForm.Compact, CancellationToken.None);
        Assert.Equal(7, Assert.Single(compact.Compact).CarriedC0.Count);

        using EncryptedAnswer one = compiled.Evaluate(received, AnswerForm.Whole, CancellationToken.None), two = compiled.Evaluate(received, AnswerForm.Whole, CancellationToken.None);
        using RnsPolynomial first = Coefficients(one.Whole[0].C0), second = Coefficients(two.Whole[0].C0);
        double q = compiled.Parameters.Basis.Moduli[0].Value;
        int same = 0;
        double mean = 0;
        for (int i = 0; i < first.Basis.Degree; i++)
        {
            bool carried = i % 30 == 29 && i / 30 < 7;
            if (first.Limb(0)[i] == second.Limb(0)[i]) same++;
            else mean += Math.Abs(first.Limb(0)[i]) / q / first.Basis.Degree;
            if (carried) Assert.Equal(first.Limb(0)[i], second.Limb(0)[i]);
        }
        Assert.Equal(7, same);
        Assert.InRange(mean, 0.23, 0.27); // uniform in (-q/2, q/2)
    }

    [Fact]
    public void With_circuit_privacy_every_answer_is_drawn_anew()
    {
        LinearModel model = LinearModels.Random(10, 2, 7);
        double[][] table = LinearModels.Table(10, 40, 8);
        using CompiledModel compiled = LinearCompiler.Compile(model, table, new LinearOptions { Name = "hidden", CircuitPrivacy = true });
        ModelClient client = ModelClients.Create(compiled.Client);
        using SecretKey key = SecretKey.Generate(compiled.Parameters);
        using PublicKey open = PublicKey.Of(key);
        using ClientQuery query = client.Encrypt(table[..3], key, open);
        using EncryptedQuery received = query.Expand();
        using EncryptedAnswer one = compiled.Evaluate(received, AnswerForm.Compact, CancellationToken.None), two = compiled.Evaluate(received, AnswerForm.Compact, CancellationToken.None);
        Assert.True(one.Compact[0].C1.Zip(two.Compact[0].C1).Count(pair => pair.First == pair.Second) < 10);
        Assert.Equal(client.Decrypt(one, key).SelectMany(answer => answer.Scores), client.Decrypt(two, key).SelectMany(answer => answer.Scores));
        Assert.Equal(HomomorphicError.QueryPublicKey, Assert.Throws<HomomorphicException>(() => client.Encrypt(table[..1], key, null)).Error);
        using var keyless = new EncryptedQuery(3, [.. query.Ciphertexts.Select(c => c.Expand())], null);
        Assert.Equal(HomomorphicError.QueryPublicKey, Assert.Throws<HomomorphicException>(() => compiled.Evaluate(keyless, AnswerForm.Compact, CancellationToken.None)).Error);
    }

    [Theory]
    [InlineData(SecurityLevel.Bits192, false)]
    [InlineData(SecurityLevel.Bits256, false)]
    [InlineData(SecurityLevel.Bits192, true)]
    [InlineData(SecurityLevel.Bits256, true)]
    public void Higher_security_takes_a_larger_ring_and_the_same_answers(SecurityLevel level, bool circuitPrivacy)
    {
        LinearModel model = LinearModels.Random(30, 2, 19);
        double[][] table = LinearModels.Table(30, 40, 20);
        using CompiledModel compiled = LinearCompiler.Compile(model, table, new LinearOptions { Name = "level", Level = level, CircuitPrivacy = circuitPrivacy });
        Assert.Equal((level, circuitPrivacy ? 8192 : 4096), (compiled.Parameters.Ring.Level, compiled.Parameters.Ring.Degree));
        ModelClient client = ModelClients.Create(compiled.Client);
        using SecretKey key = SecretKey.Generate(client.Parameters);
        using PublicKey? open = circuitPrivacy ? PublicKey.Of(key) : null;
        using LinearWeights weights = LinearModels.WeightsOf(compiled);
        double[][] rows = LinearModels.Extremes(model, table, 20);
        using ClientQuery query = client.Encrypt(rows, key, open);
        using EncryptedQuery received = query.Expand();
        using EncryptedAnswer answer = compiled.Evaluate(received, AnswerForm.Compact, CancellationToken.None);
        Assert.Equal(rows.SelectMany(row => LinearModels.Sums(compiled.Client, weights, row)).Select(sum => sum * compiled.Client.Output.Scales[0]), client.Decrypt(answer, key).SelectMany(a => a.Scores));
    }

    [Fact]
    public void A_server_allocates_its_answer_and_no_more()
    {
        double[][] table = LinearModels.Table(30, 68, 21);
        using CompiledModel compiled = LinearCompiler.Compile(LinearModels.Random(30, 1, 22), table, new LinearOptions { Name = "memory" });
        using SecretKey key = SecretKey.Generate(compiled.Parameters);
        using ClientQuery query = ModelClients.Create(compiled.Client).Encrypt(table, key, null);
        using EncryptedQuery received = query.Expand();
        for (int i = 0; i < 3; i++) compiled.Evaluate(received, AnswerForm.Compact, CancellationToken.None).Dispose();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++) compiled.Evaluate(received, AnswerForm.Compact, CancellationToken.None).Dispose();
        long each = (GC.GetAllocatedBytesForCurrentThread() - before) / 10;
        Assert.InRange(each, 68 * sizeof(ulong), (2048 + 68) * sizeof(ulong) + 1024);
    }

    [Fact]
    public void An_answer_that_was_disposed_of_is_empty_and_was_given_back_once()
    {
        double[][] table = LinearModels.Table(30, 20, 23);
        using CompiledModel compiled = LinearCompiler.Compile(LinearModels.Random(30, 1, 24), table, new LinearOptions { Name = "pool" });
        ModelClient client = ModelClients.Create(compiled.Client);
        using SecretKey key = SecretKey.Generate(compiled.Parameters);
        using ClientQuery query = client.Encrypt(table, key, null);
        using EncryptedQuery received = query.Expand();
        EncryptedAnswer answer = compiled.Evaluate(received, AnswerForm.Compact, CancellationToken.None);
        answer.Dispose();
        answer.Dispose();
        using EncryptedAnswer one = compiled.Evaluate(received, AnswerForm.Compact, CancellationToken.None), two = compiled.Evaluate(received, AnswerForm.Compact, CancellationToken.None);
        Assert.NotSame(one.Compact[0].C1, two.Compact[0].C1);
        Assert.Empty(answer.Compact[0].C1);
        Assert.Equal(HomomorphicError.AnswerLayout, Assert.Throws<HomomorphicException>(() => client.Decrypt(answer, key)).Error);
    }

    [Fact]
    public void The_flood_is_at_least_forty_bits_above_what_it_hides()
    {
        foreach (long weights in (long[])[1, 1000, 1 << 20, 1L << 32])
        {
            var noise = LinearBudget.Noise(weights);
            Assert.True(System.Numerics.BigInteger.One << LinearBudget.FloodBits(noise, 4096) >= (noise + 2 * 4096 * 21) << 40);
        }
    }

    [Fact]
    public void Another_key_reads_noise_and_other_answers_are_refused()
    {
        LinearModel model = LinearModels.Random(30, 1, 9, LinkFunction.Exponential);
        double[][] table = LinearModels.Table(30, 100, 10);
        using CompiledModel compiled = LinearCompiler.Compile(model, table, new LinearOptions { Name = "keys" });
        ModelClient client = ModelClients.Create(compiled.Client);
        using SecretKey key = SecretKey.Generate(compiled.Parameters), stranger = SecretKey.Generate(compiled.Parameters);
        using ClientQuery query = client.Encrypt(table, key, null);
        using EncryptedQuery received = query.Expand();
        using EncryptedAnswer answer = compiled.Evaluate(received, AnswerForm.Compact, CancellationToken.None);
        double[] right = [.. client.Decrypt(answer, key).Select(a => a.Scores[0])], wrong = [.. client.Decrypt(answer, stranger).Select(a => a.Scores[0])];
        Assert.True(right.Zip(wrong).Count(pair => pair.First == pair.Second) < 3);

        CompactCiphertext whole = answer.Compact[0];
        foreach ((int rows, CompactCiphertext[] compact) in ((int, CompactCiphertext[])[])
            [(0, [whole]), (-1, [whole]), (100, [whole]), (int.MaxValue, [whole]), (67, [whole]), (68, []), (68, [whole, whole]),
             (68, [new(whole.Bits - 1, whole.First, whole.Step, [.. whole.C0.Select(c => c >> 1)], [.. whole.C1.Select(c => c >> 1)])]),
             (68, [new(whole.Bits, whole.First - 1, whole.Step, whole.C0, whole.C1)]),
             (68, [new(whole.Bits, whole.First, whole.Step - 1, whole.C0, whole.C1)]),
             (68, [new(whole.Bits, whole.First, whole.Step, whole.C0, [.. whole.C1, .. whole.C1])])])
        {
            var forged = new EncryptedAnswer(rows, compact); // not disposed of: it is not its ciphertexts' owner
            Assert.Equal(HomomorphicError.AnswerLayout, Assert.Throws<HomomorphicException>(() => client.Decrypt(forged, key)).Error);
        }
    }

    [Fact]
    public void Malformed_queries_are_refused()
    {
        LinearModel model = LinearModels.Random(30, 1, 11);
        double[][] table = LinearModels.Table(30, 100, 12);
        using CompiledModel compiled = LinearCompiler.Compile(model, table, new LinearOptions { Name = "queries" });
        ModelClient client = ModelClients.Create(compiled.Client);
        using SecretKey key = SecretKey.Generate(compiled.Parameters);
        using PublicKey open = PublicKey.Of(key);
        using ClientQuery query = client.Encrypt(table, key, null);
        Assert.Equal(2, query.Ciphertexts.Count);
        foreach (int rows in (int[])[0, -1, int.MinValue, 68, 137, 68 * LinearLayout.MaximumRowSets + 1, int.MaxValue]) Refused(HomomorphicError.QueryLayout, new EncryptedQuery(rows, Expanded(), null));
        Refused(HomomorphicError.QueryLayout, new EncryptedQuery(100, [], null));
        Refused(HomomorphicError.QueryPublicKey, new EncryptedQuery(100, Expanded(), open));
        Ciphertext[] transparent = Expanded();
        transparent[1].C1.Limb(0).Clear();
        Refused(HomomorphicError.Transparent, new EncryptedQuery(100, transparent, null));
        RlweParameters other = RlweParameters.Create(compiled.Parameters.Ring, compiled.Parameters.Plaintext.Value / 2);
        using SecretKey foreign = SecretKey.Generate(other);
        using SeededCiphertext seeded = Encryption.Encrypt(new ulong[2048], foreign);
        Refused(HomomorphicError.QueryLayout, new EncryptedQuery(1, [seeded.Expand()], null));

        using EncryptedQuery good = query.Expand();
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => compiled.Evaluate(good, AnswerForm.Whole, cancelled.Token));

        Ciphertext[] Expanded() => [.. query.Ciphertexts.Select(c => c.Expand())];

        void Refused(HomomorphicError error, EncryptedQuery bad)
        {
            using (bad) Assert.Equal(error, Assert.Throws<HomomorphicException>(() => compiled.Evaluate(bad, AnswerForm.Compact, CancellationToken.None)).Error);
        }
    }

    [Fact]
    public void A_ciphertext_of_a_lower_level_is_refused()
    {
        LinearModel model = LinearModels.Random(4, 1, 13);
        double[][] table = LinearModels.Table(4, 20, 14);
        using CompiledModel compiled = LinearCompiler.Compile(model, table, new LinearOptions { Name = "levels", CircuitPrivacy = true });
        using SecretKey key = SecretKey.Generate(compiled.Parameters);
        using PublicKey open = PublicKey.Of(key);
        using SeededCiphertext seeded = Encryption.Encrypt(new ulong[4096], key);
        using Ciphertext fresh = seeded.Expand();
        using var query = new EncryptedQuery(1, [fresh.DropModulus()], open);
        Assert.Equal(HomomorphicError.QueryLayout, Assert.Throws<HomomorphicException>(() => compiled.Evaluate(query, AnswerForm.Compact, CancellationToken.None)).Error);
    }

    [Fact]
    public void Rows_are_checked_before_they_are_encrypted_and_ends_are_held()
    {
        double[][] table = LinearModels.Table(3, 50, 15);
        using CompiledModel compiled = LinearCompiler.Compile(LinearModels.Random(3, 1, 16), table, new LinearOptions { Name = "rows" });
        ModelClient client = ModelClients.Create(compiled.Client);
        using SecretKey key = SecretKey.Generate(compiled.Parameters);
        HomomorphicException absent = Assert.Throws<HomomorphicException>(() => client.Encrypt([table[0], [1, double.NaN, 3]], key, null));
        Assert.Equal(HomomorphicError.FeatureNotFinite, absent.Error);
        Assert.Contains("Row 1", absent.Message, StringComparison.Ordinal);
        Assert.Contains("feature 1", absent.Message, StringComparison.Ordinal);
        Assert.Equal(HomomorphicError.FeatureNotFinite, Assert.Throws<HomomorphicException>(() => client.Encrypt([[1, 2, double.NegativeInfinity]], key, null)).Error);
        Assert.Equal(HomomorphicError.FeatureCount, Assert.Throws<HomomorphicException>(() => client.Encrypt([[1, 2]], key, null)).Error);
        Assert.Throws<ArgumentException>(() => client.Encrypt([], key, null));
        using ClientQuery inside = client.Encrypt(table, key, null), outside = client.Encrypt([[1e300, -1e300, table[0][2]], [double.MaxValue, table[0][1], table[0][2]]], key, null);
        Assert.Equal(0, inside.Clamped);
        Assert.Equal(3, outside.Clamped);
    }

    [Fact]
    public async Task Many_may_ask_at_once()
    {
        LinearModel model = LinearModels.Random(57, 2, 17);
        double[][] table = LinearModels.Table(57, 60, 18);
        using CompiledModel compiled = LinearCompiler.Compile(model, table, new LinearOptions { Name = "many" });
        ModelClient client = ModelClients.Create(compiled.Client);
        using SecretKey key = SecretKey.Generate(compiled.Parameters);
        using LinearWeights weights = LinearModels.WeightsOf(compiled);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(() =>
        {
            for (int i = 0; i < 10; i++)
            {
                double[] row = table[(worker * 10 + i) % table.Length];
                using ClientQuery query = client.Encrypt([row], key, null);
                using EncryptedQuery received = query.Expand();
                using EncryptedAnswer answer = compiled.Evaluate(received, AnswerForm.Compact, CancellationToken.None);
                Assert.Equal(LinearModels.Sums(compiled.Client, weights, row).Select(sum => sum * compiled.Client.Output.Scales[0]), client.Decrypt(answer, key)[0].Scores);
            }
        })));
    }

    private static RnsPolynomial Coefficients(RnsPolynomial values)
    {
        var coefficients = new RnsPolynomial(values.Basis);
        coefficients.CopyFrom(values);
        coefficients.ToCoefficients();
        return coefficients;
    }
}
