using System.Text;
using Cloister.Onnx.Runtime;
using Cloister.Samples.Spam;
using Cloister.Tests;

namespace Cloister.Samples.Tests;

/// <summary>The committed classifier of e-mails.</summary>
public sealed class SpamModelTests
{
    private static readonly string[] SpamMails = ["account", "lottery", "pills", "work-from-home"];

    [Fact]
    public void Every_sample_mail_is_judged_rightly_and_clearly()
    {
        using var session = OrtSession.FromMemory(SpamFolder.Read(Artefacts.Model));
        using var row = OrtTensor.Allocate<float>([1, SpamFeatures.Names.Count]);
        Assert.Equal("features: Float[-1,57]", Assert.Single(session.Inputs).ToString());
        foreach ((string name, string text) in SpamFolder.Mails)
        {
            double[] features = SpamFeatures.Of(text);
            for (int i = 0; i < features.Length; i++) row.Span<float>()[i] = (float)features[i];
            OrtTensor?[] outputs = new OrtTensor?[2];
            session.Run([row], outputs);
            using OrtTensor label = outputs[0]!, probabilities = outputs[1]!;
            float spam = probabilities.Span<float>()[1];
            Assert.True(SpamMails.Contains(name) ? spam > 0.8 : spam < 0.2, $"{name}: {spam}");
        }
    }

    [SharedDataFact]
    public void Training_again_gives_the_committed_files_byte_for_byte()
    {
        SpamTable training = SpamTable.Read(TestData.Path("inputs/tabular/spambase.csv")).Part(heldOut: false);
        Assert.Empty(Artefacts.Differences(Artefacts.Make(LogisticRegression.Train(training), training), SpamFolder.Path));
    }

    [SharedDataFact]
    public void Nine_of_ten_held_out_mails_are_judged_rightly()
    {
        SpamTable table = SpamTable.Read(TestData.Path("inputs/tabular/spambase.csv")), heldOut = table.Part(heldOut: true);
        Assert.InRange(LogisticRegression.Train(table.Part(heldOut: false)).CountCorrect(heldOut), heldOut.Rows.Length * 9 / 10, heldOut.Rows.Length);
    }

    [SharedDataFact]
    public void No_line_of_the_table_lies_in_the_repository()
    {
        // The ranges hold, of every feature by itself, sorted values: no line of them is a row, but for the rows of mails without any of the words.
        HashSet<string> rows = [.. SpamTable.Read(TestData.Path("inputs/tabular/spambase.csv")).Rows.Where(row => row.AsSpan(0, SpamFeatures.Words.Count).ContainsAnyExcept(0.0)).Select(row => string.Join(',', row))];
        string[] lines = Encoding.UTF8.GetString(SpamFolder.Read(Artefacts.Calibration)).TrimEnd('\n').Split('\n');
        Assert.Equal(Artefacts.Quantiles + 3, lines.Length);
        Assert.DoesNotContain(lines, rows.Contains);
    }

    [Theory]
    [InlineData]
    [InlineData("train", "--data", "x")]
    [InlineData("features")]
    public void Wrong_use_is_answered_with_the_usage_and_two(params string[] arguments) => Assert.Equal(2, Program.Main(arguments));
}
