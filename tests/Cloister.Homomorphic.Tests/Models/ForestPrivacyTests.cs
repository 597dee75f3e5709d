using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;
using static Cloister.Homomorphic.Tests.Models.Forests;

namespace Cloister.Homomorphic.Tests.Models;

/// <summary>What clients can and cannot read in answers, honest or not. Statistics have bounds that chance exceeds less than once in a million runs.</summary>
public sealed class ForestPrivacyTests
{
    private const int T = 65537;

    [Fact]
    public void A_trees_value_is_uniform_and_only_the_sum_is_right()
    {
        Kind kind = new(31, Trees: 3, Depth: 2);
        double[][] table = Table(kind, 200);
        using CompiledModel model = ForestCompiler.Compile(Make(kind), table, new ForestOptions { Name = "uniform", Levels = 16 });
        using var probe = new ForestProbe(model);
        using EncryptedQuery query = probe.Encrypt(probe.Messages(table[0]));
        double expected = model.Predict(table[0]).Scores[0] / model.Client.Output.Scales[0];
        var reachedValues = new List<ulong>();
        var places = new List<int>();
        var otherCosts = new List<ulong>();
        var otherValues = new List<ulong>();
        for (int round = 0; round < 400; round++)
        {
            (ulong Cost, ulong Value)[] leaves = probe.Ask(query);
            int[] reached = [.. Enumerable.Range(0, leaves.Length).Where(e => leaves[e].Cost == 0)];
            Assert.Equal(3, reached.Length);
            long sum = reached.Sum(e => (long)leaves[e].Value) % T;
            Assert.Equal(expected, sum > T / 2 ? sum - T : sum);
            // Of three trees two are drawn freely.
            reachedValues.AddRange(reached.Take(2).Select(e => leaves[e].Value));
            places.AddRange(reached);
            otherCosts.AddRange(leaves.Where(leaf => leaf.Cost != 0).Take(8).Select(leaf => leaf.Cost));
            otherValues.AddRange(leaves.Where(leaf => leaf.Cost != 0).Take(8).Select(leaf => leaf.Value));
        }
        AssertUniform(reachedValues, T);
        AssertUniform(otherCosts, T);
        AssertUniform(otherValues, T);
        AssertUniform(places.Select(place => (ulong)place), (ulong)(model.Client.Layout.Stride / model.Client.Layout.FeaturesPerCiphertext));
    }

    [Fact]
    public void A_query_of_nothing_opens_one_leaf_a_tree() => Opens(feature => level => 0, exactly: true);

    [Fact]
    public void A_query_of_all_levels_opens_no_second_leaf() => Opens(feature => level => 1, exactly: false);

    [Fact]
    public void A_query_of_halves_opens_nothing() => Opens(feature => level => (T + 1) / 2, exactly: false);

    [Fact]
    public void A_query_of_large_numbers_opens_no_second_leaf() => Opens(feature => level => (ulong)((feature * 7919 + level * 104729 + 13) % T), exactly: false);

    [Fact]
    public void What_stands_out_of_place_opens_no_second_leaf()
    {
        using ForestProbe probe = OneTree(out double[] row);
        for (int shift = 1; shift <= 3; shift++)
        {
            ulong[][] messages = probe.Messages(row);
            foreach (ulong[] message in messages)
                for (int i = probe.Degree - 1; i >= shift; i--) message[i] |= message[i - shift]; // a second one-hot row, beside the first
            Count(probe, messages, rounds: 60, exactly: false);
        }
    }

    [Fact]
    public void Every_answer_is_another_and_of_the_same_shape()
    {
        Kind kind = new(33, Trees: 6, Depth: 4);
        double[][] table = Table(kind, 100);
        using CompiledModel model = ForestCompiler.Compile(Make(kind), table, new ForestOptions { Name = "shape", Levels = 64 });
        using var probe = new ForestProbe(model);
        using EncryptedQuery query = probe.Encrypt(probe.Messages(table[0])), other = probe.Encrypt(probe.Messages(table[1]));
        using EncryptedAnswer one = model.Evaluate(query, AnswerForm.Compact, CancellationToken.None), two = model.Evaluate(query, AnswerForm.Compact, CancellationToken.None), third = model.Evaluate(other, AnswerForm.Compact, CancellationToken.None);
        Assert.Equal(model.Client.Layout.AnswerCiphertexts, one.Compact.Count);
        Assert.Equal(one.Compact.Select(c => (c.Bits, c.First, c.Step, c.C0.Length, c.C1.Length)), third.Compact.Select(c => (c.Bits, c.First, c.Step, c.C0.Length, c.C1.Length)));
        foreach ((CompactCiphertext a, CompactCiphertext b) in one.Compact.Zip(two.Compact)) Assert.True(a.C1.Zip(b.C1).Count(pair => pair.First == pair.Second) < 8);
    }

    [Fact]
    public void Noise_is_the_floods()
    {
        Kind kind = new(34, Trees: 40, Depth: 5, Full: true);
        double[][] table = Table(kind, 200);
        using CompiledModel model = ForestCompiler.Compile(Make(kind), table, new ForestOptions { Name = "noise", Levels = 64 });
        using var probe = new ForestProbe(model);
        using EncryptedQuery query = probe.Encrypt(probe.Messages(table[0]));
        using EncryptedAnswer answer = model.Evaluate(query, AnswerForm.Whole, CancellationToken.None);
        int step = model.Client.Layout.FeaturesPerCiphertext;
        double flood = Math.ScaleB(1, ForestParameters.FloodBits), squares = 0, largest = 0;
        int count = 0;
        foreach (Ciphertext ciphertext in answer.Whole)
        {
            double[] noise = Rlwe.NoiseMeter.Noises(ciphertext, Encryption.Decrypt(ciphertext, probe.Key), probe.Key);
            for (int place = 0; place < model.Client.Layout.Stride; place += step, count++)
            {
                squares += noise[place] * noise[place];
                largest = Math.Max(largest, Math.Abs(noise[place]));
            }
        }
        // A uniform number's square is a third on average, 0.3 / sqrt(count) off; and nothing reaches beyond the flood but by what it hides.
        Assert.InRange(squares / count / flood / flood, 1.0 / 3 - 1.6 / Math.Sqrt(count), 1.0 / 3 + 1.6 / Math.Sqrt(count));
        Assert.InRange(largest, 0.98 * flood, flood * (1 + 1e-9));
    }

    // One tree's mask is nothing but its score's offset: an open leaf shows its very value.
    private static ForestProbe OneTree(out double[] row)
    {
        Kind kind = new(32, Trees: 1, Depth: 4, Features: 6, Full: true);
        double[][] table = Table(kind, 200);
        row = table[0];
        return new ForestProbe(ForestCompiler.Compile(Make(kind), table, new ForestOptions { Name = "one", Levels = 64 }));
    }

    private static void Opens(Func<int, Func<int, ulong>> content, bool exactly)
    {
        using ForestProbe probe = OneTree(out double[] row);
        ulong[][] messages = probe.Messages(row);
        foreach (ulong[] message in messages) Array.Clear(message);
        int per = probe.Model.Client.Layout.FeaturesPerCiphertext;
        for (int f = 0; f < row.Length; f++)
            for (int level = 0; level < probe.Model.Client.Layout.Levels; level++) messages[f / per][probe.Place(f, level)] = content(f)(level);
        Count(probe, messages, rounds: 150, exactly);
    }

    private static void Count(ForestProbe probe, ulong[][] messages, int rounds, bool exactly)
    {
        HashSet<ulong> values = [.. LeafValues(probe.Model)];
        using EncryptedQuery query = probe.Encrypt(messages);
        int opened = 0, zeros = 0, second = 0;
        for (int round = 0; round < rounds; round++)
        {
            (ulong Cost, ulong Value)[] leaves = probe.Ask(query);
            int open = leaves.Count(leaf => leaf.Cost == 0 && values.Contains(leaf.Value));
            zeros += leaves.Count(leaf => leaf.Cost == 0);
            opened += open;
            second += open > 1 ? 1 : 0;
        }
        // A cost of several wrong steps is zero by chance once in 2^12 at most, with a value that says nothing.
        Assert.Equal(0, second);
        Assert.InRange(zeros - opened, 0, 2 + rounds * values.Count / 400);
        if (exactly) Assert.Equal(rounds, opened);
        else Assert.True(opened <= rounds);
    }

    private static IEnumerable<ulong> LeafValues(CompiledModel model)
    {
        Forest plain = Make(new Kind(32, Trees: 1, Depth: 4, Features: 6, Full: true));
        double scale = model.Client.Output.Scales[0];
        int offset = (int)LeafScales.Round(plain.BaseScores[0], scale);
        return plain.Trees[0].Nodes.Where(node => node.IsLeaf).Select(node => (ulong)(((int)LeafScales.Round(node.Values![0], scale) + offset + T) % T));
    }

    // Pearson's statistic over 16 bins; 15 degrees of freedom exceed 60 once in four million.
    private static void AssertUniform(IEnumerable<ulong> samples, ulong below)
    {
        var bins = new int[16];
        int count = 0;
        foreach (ulong sample in samples)
        {
            bins[sample * 16 / below]++;
            count++;
        }
        double mean = count / 16.0;
        Assert.InRange(bins.Sum(bin => (bin - mean) * (bin - mean) / mean), 0, 60);
    }
}
