using System.Collections.Immutable;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Assessment;
using Cloister.Partitioning.Reports;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Tests.Reports;

public sealed class AssessmentReportTests
{
    private const string Hostile = "</style></title><script>alert(1)</script>\"'&<img src=http://example.com/x onerror=alert(1)>\u202Egnp.\u0007\uD800]]>";

    [Fact]
    public void What_is_written_is_read_but_for_the_pictures()
    {
        AssessmentReport report = Sample("relu");
        AssessmentReport read = AssessmentReport.Read(report.ToBytes());
        Assert.Equal(report.ToBytes(), read.ToBytes());
        Assert.Equal(report.Cuts[0].Findings[0].Measures.AsEnumerable(), read.Cuts[0].Findings[0].Measures);
        Assert.Empty(read.Cuts[0].Findings[0].Pictures);
        Assert.Equal(CutVerdict.Leaks, read.Cuts[0].Verdict);
    }

    [Theory]
    [InlineData("\"version\": 1", "\"version\": 2")]
    [InlineData("\"version\": 1,", "")]
    [InlineData("\"version\": 1,", "\"version\": 1, \"more\": 0,")]
    [InlineData("\"valid\": true", "\"valid\": true, \"valid\": true")]
    [InlineData("\"verdict\": \"Leaks\"", "\"verdict\": 7")]
    [InlineData("\"verdict\": \"Leaks\"", "\"verdict\": \"Safe\"")]
    [InlineData("\"macShareInside\": 0.25", "\"macShareInside\": 1.25")]
    [InlineData("\"pictures\": 0.125", "\"pictures\": 2")]
    [InlineData("\"pictures\": 0.125", "\"beauty\": 0.5")]
    [InlineData("\"tails\": [", "\"tails\": [null,")]
    [InlineData("\"findings\": [", "\"findings\": [null,")]
    [InlineData("\"measures\": [", "\"measures\": [null,")]
    [InlineData("\"tensors\": [", "\"tensors\": [null,")]
    [InlineData("\"members\": {", "\"membres\": {")]
    [InlineData("\"fit\": 20", "\"fit\": -1")]
    public void A_report_that_is_none_is_refused(string from, string to)
    {
        string json = Encoding.UTF8.GetString(Sample("relu").ToBytes());
        Assert.Contains(from, json, StringComparison.Ordinal);
        Assert.Equal(PartitioningError.ReportRefused, Assert.Throws<PartitioningException>(() => AssessmentReport.Read(Encoding.UTF8.GetBytes(json.Replace(from, to, StringComparison.Ordinal)))).Error);
    }

    [Fact]
    public void Hostile_bytes_give_nothing_but_the_refusal()
    {
        byte[] valid = Sample("relu").ToBytes();
        var random = new Random(7);
        for (int i = 0; i < 1_500; i++)
        {
            byte[] bytes = (byte[])valid.Clone();
            for (int change = random.Next(1, 4); change > 0; change--) bytes[random.Next(bytes.Length)] = (byte)"0\"{}[],:nul-e."[random.Next(14)];
            AssessmentReport.Fuzz(bytes.AsSpan(0, random.Next(5) == 0 ? random.Next(bytes.Length) : bytes.Length));
        }
    }

    [Fact]
    public void The_page_needs_nothing_from_elsewhere_and_is_well_formed()
    {
        string html = Encoding.UTF8.GetString(AssessmentPage.Write(Sample("relu")));
        XElement page = Parse(html);
        Assert.DoesNotContain("http:", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("https:", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("url(", html, StringComparison.OrdinalIgnoreCase);
        Assert.All(page.Descendants("img"), image => Assert.StartsWith("data:image/png;base64,", image.Attribute("src")!.Value, StringComparison.Ordinal));
        Assert.Equal(3, page.Descendants("img").Count());
        Assert.NotEmpty(page.Descendants("svg"));
        // The recommendation stands before everything but the title.
        string text = page.Element("body")!.Value;
        Assert.True(text.IndexOf("Do not partition", StringComparison.Ordinal) < 400, text[..400]);
        Assert.All(AssessmentRun.Notices, notice => Assert.Contains(notice, text, StringComparison.Ordinal));
    }

    [Fact]
    public void Hostile_names_are_shown_and_never_obeyed()
    {
        string html = Encoding.UTF8.GetString(AssessmentPage.Write(Sample(Hostile)));
        XElement page = Parse(html);
        Assert.Empty(page.Descendants("script"));
        Assert.DoesNotContain(page.Descendants("img"), image => image.Attribute("onerror") is not null || !image.Attribute("src")!.Value.StartsWith("data:", StringComparison.Ordinal));
        Assert.Single(page.Descendants("style"));
        Assert.DoesNotContain("\u202E", html, StringComparison.Ordinal);
        Assert.DoesNotContain("\u0007", html, StringComparison.Ordinal);
        Assert.Contains("</style></title><script>alert(1)</script>", page.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_calibration_is_seen_first()
    {
        AssessmentReport report = Sample("relu") with { Valid = false, Recommendation = Judgement.Recommend(false, Sample("relu").Cuts, []) };
        string text = Parse(Encoding.UTF8.GetString(AssessmentPage.Write(report))).Element("body")!.Value;
        Assert.Contains("This assessment is invalid", text[..400], StringComparison.Ordinal);
        Assert.Contains("FAILED", text, StringComparison.Ordinal);
    }

    internal static AssessmentReport Sample(string name)
    {
        byte[] png = PngWriter.Write(new Picture(2, 2, new byte[12]));
        Finding inversion = Finding.Refused("inversion", "") with
        {
            NotRun = null,
            Found = true,
            Measures = [new Measure("reidentification", new Interval(0.5, 0.75, 0.875), 0.1, 0.1), new Measure("psnr", new Interval(18, 19, 20), 11)],
            Notes = [name],
            Protection = ImmutableSortedDictionary<string, double>.Empty.Add(ProtectionScores.Pictures, 0.125),
            Pictures = [new RebuiltPicture(name, png, png)],
        };
        Finding members = inversion with { Attack = "membership", Measures = [new Measure("members-outside", new Interval(0.5, 0.625, 0.75), 0.5, 0.5)], Protection = ImmutableSortedDictionary<string, double>.Empty.Add(ProtectionScores.Membership, 0.5), Pictures = [] };
        AssessedCut cut = new()
        {
            Tensors = [name],
            Shapes = [[1, 4, 8, 8]],
            MacShareInside = 0.25,
            WeightBytesInside = 432,
            WeightBytesOutside = 1000,
            BoundaryBytes = 1024,
            Verdict = CutVerdict.Leaks,
            Words = "leaks pictures",
            Protection = inversion.Protection,
            Findings = [inversion, Finding.Refused("heuristic", name), members],
            Tails = [new FoundWithTail([name + "3"], [members])],
        };
        ImmutableArray<AssessedCut> cuts = [cut, cut with { Tensors = [name + "2"], MacShareInside = 0.5 }];
        return new AssessmentReport
        {
            Version = 1,
            Tool = "cloister 0.1.0",
            Time = new DateTimeOffset(2026, 11, 22, 4, 0, 0, TimeSpan.Zero),
            Valid = true,
            Model = new ReportedModel(name, new string('a', 64), "unit", [1, 3, 8, 8], 12345, 1432),
            Pictures = new ReportedPictures(300, 60, 2000, 1, 2, new string('b', 64)),
            Members = new ReportedPictures(20, 10, 30, 0, 0, new string('c', 64)),
            Seed = 1,
            Calibration = Finding.Refused("calibration", "") with { NotRun = null, Found = true, Notes = [name] },
            Cuts = cuts,
            Tails = [new AssessedTail { Tensors = [name], MacShareInside = 0.1, BoundaryBytes = 40, Labels = inversion with { Attack = "labels" } }],
            Recommendation = Judgement.Recommend(true, cuts, []),
            Notices = AssessmentRun.Notices,
        };
    }

    private static XElement Parse(string html)
    {
        const string doctype = "<!DOCTYPE html>\n";
        Assert.StartsWith(doctype, html, StringComparison.Ordinal);
        using var reader = XmlReader.Create(new StringReader(html[doctype.Length..]), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
        return XElement.Load(reader);
    }
}
