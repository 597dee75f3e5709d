using System.Diagnostics;
using System.Text.Json;
using Cloister.Samples.Spam;
using Cloister.Tests;

namespace Cloister.Samples.Tests;

/// <summary>The features of e-mails, and that the page computes the same ones.</summary>
public sealed class SpamFeaturesTests
{
    [Fact]
    public void Words_characters_and_runs_of_capitals_are_counted_as_the_data_set_says()
    {
        double[] features = SpamFeatures.Of("Make MONEY! Money, makes (money) re:re AB");
        double Of(string name) => features[SpamFeatures.Names.ToList().IndexOf(name)];
        Assert.Equal(57, features.Length);
        Assert.Equal(100.0 / 8, Of("word_freq_make"));
        Assert.Equal(300.0 / 8, Of("word_freq_money"));
        Assert.Equal(200.0 / 8, Of("word_freq_re"));
        Assert.Equal(0, Of("word_freq_george"));
        Assert.Equal(100.0 / 41, Of("char_freq_!"));
        Assert.Equal(100.0 / 41, Of("char_freq_("));
        Assert.Equal(0, Of("char_freq_$"));
        Assert.Equal(9.0 / 4, Of("capital_run_length_average"));
        Assert.Equal(5, Of("capital_run_length_longest"));
        Assert.Equal(9, Of("capital_run_length_total"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("no capitals at all")]
    [InlineData("äöü €")]
    public void A_text_without_words_or_capitals_has_zeros(string mail) => Assert.All(SpamFeatures.Of(mail), feature => Assert.True(double.IsFinite(feature)));

    [Fact]
    public async Task The_page_computes_the_same_numbers_to_the_last_bit()
    {
        string[] mails = [.. SpamFolder.Mails.Select(mail => mail.Text), "", "RE: re; [HPL] $5,000 George's 3D-table #1!!!", "Ünïcode ABC äÖ \U0001F600 free FREE", "A1b2 C3\r\nx"];
        using JsonDocument answer = await NodeAsync(
            "features.mjs", "featuresOf, names", "let text = ''; for await (const part of process.stdin) text += part; console.log(JSON.stringify({ names, rows: JSON.parse(text).map(featuresOf) }));", JsonSerializer.Serialize(mails));
        Assert.Equal(SpamFeatures.Names, answer.RootElement.GetProperty("names").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal(mails.Select(SpamFeatures.Of), answer.RootElement.GetProperty("rows").EnumerateArray().Select(row => row.EnumerateArray().Select(value => value.GetDouble()).ToArray()));
    }

    [Fact]
    public async Task The_page_begins_with_the_same_mails()
    {
        using JsonDocument answer = await NodeAsync("mails.mjs", "mails", "console.log(JSON.stringify(mails));", "");
        Assert.Equal(SpamFolder.Mails, answer.RootElement.EnumerateArray().Select(mail => (mail.GetProperty("name").GetString()!, mail.GetProperty("text").GetString()!)).OrderBy(mail => mail.Item1, StringComparer.Ordinal));
    }

    private static async Task<JsonDocument> NodeAsync(string module, string names, string program, string input)
    {
        var start = new ProcessStartInfo("node") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("--input-type=module");
        start.ArgumentList.Add("--eval");
        start.ArgumentList.Add($"import {{ {names} }} from {JsonSerializer.Serialize(new Uri(Path.Combine(TestData.RepositoryRoot, "samples", "EncryptedPage", module)))}; {program}");
        using Process node = Process.Start(start)!;
        await node.StandardInput.WriteAsync(input);
        node.StandardInput.Close();
        JsonDocument answer = JsonDocument.Parse(await node.StandardOutput.ReadToEndAsync());
        await node.WaitForExitAsync();
        return answer;
    }
}
