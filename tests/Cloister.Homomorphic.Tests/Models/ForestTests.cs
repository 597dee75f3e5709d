using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using static Cloister.Homomorphic.Tests.Models.Forests;

namespace Cloister.Homomorphic.Tests.Models;

public sealed class ForestTests
{
    public static TheoryData<int> Depths() => [1, 2, 3, 4, 5, 6, 7, 8];

    [Theory, MemberData(nameof(Depths))]
    public void What_is_decrypted_is_what_the_integers_say_at_every_depth(int depth) =>
        Agrees(new Kind(depth, Trees: 4, Depth: depth, Features: 5), new ForestOptions { Name = "deep", Levels = 64 });

    [Fact]
    public void Absent_features_have_their_own_level() => Agrees(new Kind(21, Absent: true, Depth: 4), new ForestOptions { Name = "absent", Levels = 64 });

    [Fact]
    public void Categories_are_sets_of_levels() => Agrees(new Kind(22, Categories: true, Absent: true, Depth: 4, Trees: 8), new ForestOptions { Name = "categories", Levels = 64 });

    [Fact]
    public void Boosted_classes_have_trees_of_their_own() => Agrees(new Kind(23, Trees: 9, Scores: 3), new ForestOptions { Name = "boosted", Levels = 64 });

    [Fact]
    public void Leaves_with_a_number_for_every_class_are_detected_once() => Agrees(new Kind(24, Trees: 6, Scores: 4, Shared: true), new ForestOptions { Name = "shared", Levels = 64 });

    [Fact]
    public void Thresholds_may_be_the_edges_themselves() => Agrees(new Kind(25, Depth: 4), new ForestOptions { Name = "exact", Levels = 64, ExactThresholds = true });

    [Theory, InlineData(16), InlineData(32), InlineData(128), InlineData(256)]
    public void Any_number_of_levels_gives_what_the_integers_say(int levels) => Agrees(new Kind(26, Depth: 4), new ForestOptions { Name = "levels", Levels = levels }, exact: false);

    [Theory, InlineData(SecurityLevel.Bits192), InlineData(SecurityLevel.Bits256)]
    public void Higher_security_takes_a_larger_ring(SecurityLevel level) => Agrees(new Kind(27), new ForestOptions { Name = "secure", Levels = 64, Level = level }, rows: 1);

    // With 40 distinct numbers a feature and 64 levels nothing is lost between the model and its levels, but for the rounding of leaves.
    private static void Agrees(Kind kind, ForestOptions options, bool exact = true, int rows = 3)
    {
        Forest plain = Make(kind);
        double[][] table = Table(kind, 400);
        using var compiled = (CompiledForest)ForestCompiler.Compile(plain, table, options);
        if (exact)
        {
            var scores = new double[plain.Scores];
            foreach (double[] row in table)
            {
                plain.Score(row, scores);
                IReadOnlyList<double> integers = compiled.Predict(row).Scores;
                for (int k = 0; k < scores.Length; k++) Assert.Equal(scores[k], integers[k], compiled.Client.Output.Scales[k] * (plain.Trees.Count + 1) / 2);
            }
        }
        using CompiledModel reread = CompiledModels.Read(compiled.ToBytes());
        Assert.Equal(compiled.Client.Digest, reread.Client.Digest);
        ModelClient client = ModelClients.Create(ClientSpecificationJson.Read(ClientSpecificationJson.Write(compiled.Client)));
        using SecretKey key = SecretKey.Generate(reread.Parameters);
        using PublicKey open = PublicKey.Of(key);
        double[][] asked = table[..rows];
        using ClientQuery query = client.Encrypt(asked, key, open);
        using EncryptedQuery received = query.Expand();
        foreach (AnswerForm form in Enum.GetValues<AnswerForm>())
        {
            using EncryptedAnswer answer = reread.Evaluate(received, form, CancellationToken.None);
            IReadOnlyList<ModelAnswer> answers = client.Decrypt(answer, key);
            for (int row = 0; row < asked.Length; row++)
            {
                ModelAnswer expected = compiled.Predict(asked[row]);
                Assert.Equal(expected.Scores, answers[row].Scores);
                Assert.Equal(expected.Class, answers[row].Class);
            }
        }
    }
}
