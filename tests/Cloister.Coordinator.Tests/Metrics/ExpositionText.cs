using System.Globalization;
using System.Text;

namespace Cloister.Coordinator.Tests.Metrics;

/// <summary>
/// A strict reader of Prometheus' text format 0.0.4: every line is a HELP, a TYPE or a sample; HELP and TYPE stand once and before their samples,
/// samples of a family together, labels once each and in order, and a histogram's buckets grow up to its count.
/// </summary>
internal sealed class ExpositionText
{
    public Dictionary<string, string> Types { get; } = new(StringComparer.Ordinal);

    /// <summary>By name and labels as they are written, such as <c>a_total{code="200"}</c>.</summary>
    public Dictionary<string, double> Samples { get; } = new(StringComparer.Ordinal);

    public static ExpositionText Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var read = new ExpositionText();
        string help = "", family = "";
        var finished = new HashSet<string>(StringComparer.Ordinal);
        foreach (string line in text[..^1].Split('\n'))
        {
            string[] words = line.Split(' ', 4);
            if (words is ["#", "HELP", { } helped, { Length: > 0 }])
            {
                if (family.Length > 0)
                    Assert.True(finished.Add(family), family);
                (help, family) = (Name(helped), "");
            }
            else if (words is ["#", "TYPE", { } typed, "counter" or "gauge" or "histogram"])
            {
                Assert.Equal(help, typed);
                Assert.DoesNotContain(typed, finished);
                read.Types.Add(family = typed, words[3]);
            }
            else
            {
                read.Sample(line, family);
            }
        }
        read.CheckHistograms();
        return read;
    }

    public double Value(string sample) => Samples.TryGetValue(sample, out double value) ? value : throw new KeyNotFoundException($"{sample} is not among:\n{string.Join('\n', Samples.Keys)}");

    private void Sample(string line, string family)
    {
        int at = 0;
        while (at < line.Length && (char.IsAsciiLetterOrDigit(line[at]) || line[at] is '_' or ':'))
            at++;
        string name = Name(line[..at]);
        string type = Types[family];
        Assert.True(name == family || (type == "histogram" && (name == family + "_bucket" || name == family + "_sum" || name == family + "_count")), line);
        if (line[at] == '{')
            at = Labels(line, at + 1);
        Assert.Equal(' ', line[at]);
        double value = double.Parse(line.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture);
        Assert.True(type == "gauge" || value >= 0, line);
        Samples.Add(line[..at], value);
    }

    private static int Labels(string line, int at)
    {
        string before = "";
        while (true)
        {
            int equals = line.IndexOf('=', at);
            string name = Name(line[at..equals]);
            // "le" comes last, as Prometheus' own writers have it.
            Assert.True(name == "le" || string.CompareOrdinal(before, name) < 0, line);
            before = name;
            Assert.Equal('"', line[equals + 1]);
            at = equals + 2;
            while (line[at] != '"')
            {
                if (line[at] == '\\')
                    Assert.Contains(line[++at], "\\n\"");
                at++;
            }
            at++;
            if (line[at] == '}')
                return at + 1;
            Assert.Equal(',', line[at++]);
        }
    }

    private void CheckHistograms()
    {
        foreach (string family in Types.Where(type => type.Value == "histogram").Select(type => type.Key))
        {
            foreach (string count in Samples.Keys.Where(sample => sample == family + "_count" || sample.StartsWith(family + "_count{", StringComparison.Ordinal)))
            {
                string labels = count[(family + "_count").Length..].Trim('{', '}');
                Assert.True(Samples.ContainsKey(family + "_sum" + count[(family + "_count").Length..]));
                string prefix = new StringBuilder(family).Append("_bucket{").Append(labels).Append(labels.Length == 0 ? "" : ",").Append("le=").ToString();
                double[] buckets = [.. Samples.Where(sample => sample.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(sample => sample.Value)];
                Assert.Equal(buckets.Order(), buckets);
                Assert.Equal(Samples[count], Samples[prefix + "\"+Inf\"}"]);
                Assert.Equal(Samples[count], buckets[^1]);
            }
        }
    }

    private static string Name(string name)
    {
        Assert.Matches("^[a-zA-Z_:][a-zA-Z0-9_:]*$", name);
        return name;
    }
}
