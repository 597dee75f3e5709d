using System.Reflection;
using System.Reflection.Emit;
using System.Text;
using Cloister.Serving.Partitioned;
using Cloister.Serving.Repository;

namespace Cloister.Serving.Tests.Partitioned;

/// <summary>Selection and lookup against a plain sort, and their code against a look at every instruction.</summary>
public sealed class ObliviousTopKTests
{
    private static readonly float[] s_special =
        [0, -0f, 1, -1, float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon, -float.Epsilon, float.MaxValue, float.MinValue, 0.5f, 0.5f, BitConverter.UInt32BitsToSingle(0x7F80_0001), BitConverter.UInt32BitsToSingle(0xFFFF_FFFF)];

    [Fact]
    public void It_equals_a_sort()
    {
        for (int seed = 1; seed <= 3000; seed++)
        {
            var random = new Random(seed);
            float Draw() => random.Next(4) switch
            {
                0 => s_special[random.Next(s_special.Length)],
                1 => random.Next(3),
                2 => random.NextSingle() - 0.5f,
                _ => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)),
            };
            float[] scores = [.. Enumerable.Range(0, random.Next(1, 60)).Select(_ => Draw())];
            long[] best = new long[random.Next(0, scores.Length + 1)];
            ObliviousTopK.Select(scores, best);
            int[] expected = [.. Enumerable.Range(0, scores.Length)
                .OrderBy(index => float.IsNaN(scores[index])).ThenByDescending(index => float.IsNaN(scores[index]) ? 0 : scores[index] + 0f).ThenBy(index => index).Take(best.Length)];
            Assert.Equal(expected, best.Select(ObliviousTopK.IndexOf));
            for (int i = 0; i < best.Length; i++) Assert.Equal(scores[expected[i]], ObliviousTopK.ScoreOf(best[i]));
        }
    }

    [Fact]
    public void More_than_there_are_cannot_be_asked_for() => Assert.Throws<ArgumentException>(() => ObliviousTopK.Select([1f], new long[2]));

    [Fact]
    public void Every_label_comes_back_in_one_length()
    {
        var labels = new ObliviousLabels(ModelLabels.Read("cat\n\njack-o'-lantern (a pumpkin, carved)\ndog"u8), 4);
        Assert.Equal(35, labels.Length);
        string[] names = ["cat", "1", "jack-o'-lantern (a pumpkin, carved)", "dog"];
        for (int i = 0; i < names.Length; i++)
        {
            string read = labels.Read(i);
            Assert.Equal((labels.Length, names[i]), (read.Length, read.TrimEnd()));
        }
    }

    [Theory]
    [InlineData("a\nb", 3, "it has 2 lines, and the model 3 classes")]
    [InlineData("a\nb \"c\"", 2, "line 2 has the character U+0022")]
    [InlineData("a\\", 1, "U+005C")]
    [InlineData("Straße", 1, "U+00DF")]
    [InlineData("a\tb", 1, "U+0009")]
    public void A_label_whose_bytes_would_tell_which_it_is_is_refused(string text, int classes, string reason)
    {
        ServingException refusal = Assert.Throws<ServingException>(() => new ObliviousLabels(ModelLabels.Read(Encoding.UTF8.GetBytes(text)), classes));
        Assert.Equal(ServingError.LabelsRefused, refusal.Error);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_label_of_excessive_length_is_refused()
    {
        byte[] text = Encoding.ASCII.GetBytes(new string('x', 1025));
        Assert.Contains("more than 1024", Assert.Throws<ServingException>(() => ObliviousLabels.Demand(ModelLabels.Read(text))).Message, StringComparison.Ordinal);
        ObliviousLabels.Demand(ModelLabels.Read(text.AsSpan(1)));
    }

    [Theory]
    [InlineData(typeof(ObliviousTopK), "Key")]
    [InlineData(typeof(ObliviousTopK), "CompareExchange")]
    [InlineData(typeof(ObliviousTopK), "IndexOf")]
    [InlineData(typeof(ObliviousTopK), "ScoreOf")]
    [InlineData(typeof(ObliviousLabels), "MaskOf")]
    public void What_touches_a_class_has_no_condition(Type type, string method) => Assert.Empty(Conditions(type, method, allowed: 0));

    // The one condition of a loop is its end, which is how many scores, places, labels or words there are.
    [Theory]
    [InlineData(typeof(ObliviousLabels), "Accumulate", 1)]
    public void A_loop_ends_by_a_count_alone(Type type, string method, int loops) => Assert.Empty(Conditions(type, method, allowed: loops));

    private static List<string> Conditions(Type type, string name, int allowed)
    {
        MethodInfo method = type.GetMethod(name, BindingFlags.Static | BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)!;
        var codes = typeof(OpCodes).GetFields(BindingFlags.Static | BindingFlags.Public).Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);
        byte[] il = method.GetMethodBody()!.GetILAsByteArray()!;
        var found = new List<string>();
        for (int at = 0; at < il.Length;)
        {
            OpCode code = il[at] == 0xFE ? codes[(short)(0xFE00 | il[at + 1])] : codes[il[at]];
            at += code.Size + code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => throw new InvalidOperationException("A switch."),
                _ => 4,
            };
            // Comparisons, and what throws by a comparison: a compiler may make a jump of them.
            if (code.FlowControl == FlowControl.Cond_Branch || code.Name!.StartsWith('c') && code.Name is "ceq" or "cgt" or "cgt.un" or "clt" or "clt.un" || code.Name!.Contains(".ovf", StringComparison.Ordinal) || code.Name is "div" or "rem" or "div.un" or "rem.un")
                found.Add(code.Name!);
        }
        // Compiled without optimisation a loop compares (clt) and then jumps (brtrue); with it, blt.
        int jumps = found.Count(condition => condition.StartsWith('b'));
        return jumps <= allowed && found.Count(condition => condition.StartsWith('c')) <= allowed && found.All(condition => condition[0] is 'b' or 'c') ? [] : found;
    }
}
