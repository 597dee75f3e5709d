using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Tests.Reports;

public sealed class PartitionReportTests
{
    [Fact]
    public void The_form_is_frozen()
    {
        byte[] bytes = Sample().ToBytes();
        Assert.Equal("48f9e8a44f520a785bbbb25c0c8beb81ae09f06870e31b6d4e1765781ab8bacd", Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    [Fact]
    public void What_is_written_is_read()
    {
        foreach (PartitionReport report in (PartitionReport[])[Sample(), Bare()])
        {
            byte[] bytes = report.ToBytes();
            PartitionReport read = PartitionReport.Read(bytes);
            Assert.Equal(bytes, read.ToBytes());
            Assert.Equal(report.Cut.AsEnumerable(), read.Cut);
            Assert.Equal(report.TailCut.AsEnumerable(), read.TailCut);
            Assert.Equal(report.Protection, read.Protection);
            Assert.Equal(report.Time, read.Time);
        }
    }

    [Theory]
    [InlineData("\"version\":1", "\"version\":2", "version")]
    [InlineData("\"version\":1,", "", "version")]
    [InlineData("\"version\":1,", "\"version\":1,\"version\":1,", "version")]
    [InlineData("\"version\":1,", "\"version\":1,\"more\":1,", "more")]
    [InlineData("\"version\":1,", "\"version\": 1,", "canonical")]
    [InlineData("\"model\":\"00", "\"model\":\"0A", "model")]
    [InlineData("\"model\":\"00", "\"model\":\"0", "model")]
    [InlineData("\"front\":\"11", "\"front\":\"zz", "front")]
    [InlineData("\"back\":\"2222", "\"back\":\"22\\u00322", "canonical")]
    [InlineData("\"cut\":[\"relu_3\"]", "\"cut\":[]", "cut")]
    [InlineData("\"cut\":[\"relu_3\"]", "\"cut\":[\"a\",\"a\"]", "cut")]
    [InlineData("\"cut\":[\"relu_3\"]", "\"cut\":[\"\"]", "cut")]
    [InlineData("\"cut\":[\"relu_3\"]", "\"cut\":[null]", "cut")]
    [InlineData("\"cut\":[\"relu_3\"]", "\"cut\":null", "cut")]
    [InlineData("\"cut\":[\"relu_3\"]", "\"cut\":[\"\\uD800\"]", "")]
    [InlineData("\"tailCut\":[\"pool\"]", "\"tailCut\":[]", "tail")]
    [InlineData("\"pictures\":0.25", "\"pictures\":1.25", "pictures")]
    [InlineData("\"pictures\":0.25", "\"pictures\":-0.25", "pictures")]
    [InlineData("\"pictures\":0.25", "\"pictures\":-0", "pictures")]
    [InlineData("\"pictures\":0.25", "\"pictures\":0.250", "canonical")]
    [InlineData("\"pictures\":0.25", "\"pictures\":1e999", "pictures")]
    [InlineData("\"pictures\":0.25", "\"pictures\":\"0.25\"", "pictures")]
    [InlineData("\"pictures\":0.25", "\"pictures\":null", "pictures")]
    [InlineData("\"pictures\":0.25", "\"Pictures\":0.25", "protection")]
    [InlineData("\"labels\":0,\"pictures\":0.25", "\"pictures\":0.25,\"labels\":0", "canonical")]
    [InlineData("\"labels\":0,\"pictures\":0.25", "\"pictures\":0.25,\"pictures\":0.25", "Duplicate")]
    [InlineData("\"labels\":0,\"pictures\":0.25", "", "assessment")]
    [InlineData("\"fitPictures\":300", "\"fitPictures\":-1", "fitPictures")]
    [InlineData("\"fitPictures\":300", "\"fitPictures\":3e9", "fitPictures")]
    [InlineData("\"testPictures\":60", "\"testPictures\":10000001", "testPictures")]
    [InlineData("\"tool\":\"cloister 0.1.0\"", "\"tool\":\"\"", "tool")]
    [InlineData("\"tool\":\"cloister 0.1.0\"", "\"tool\":\"a\\nb\"", "tool")]
    [InlineData("+00:00\"", "+01:00\"", "time")]
    [InlineData(":00+00:00\"", ":00.5+00:00\"", "time")]
    [InlineData("+00:00\"", "Z\"", "canonical")]
    [InlineData("+00:00\"}", "+00:00\"} ", "canonical")]
    [InlineData("+00:00\"}", "+00:00\"}{}", "")]
    [InlineData("+00:00\"}", "+00:00\"", "")]
    public void Anything_else_is_refused_and_named(string from, string to, string named)
    {
        string json = Encoding.UTF8.GetString(Sample().ToBytes());
        Assert.Contains(from, json, StringComparison.Ordinal);
        PartitioningException refusal = Assert.Throws<PartitioningException>(() => PartitionReport.Read(Encoding.UTF8.GetBytes(json.Replace(from, to, StringComparison.Ordinal))));
        Assert.Equal(PartitioningError.ReportRefused, refusal.Error);
        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_report_at_all_is_refused()
    {
        foreach (byte[] bytes in (byte[][])[[], "null"u8.ToArray(), "[]"u8.ToArray(), "1"u8.ToArray(), [0xff, 0xfe], new byte[PartitionReport.MaximumBytes + 1]])
            Assert.Equal(PartitioningError.ReportRefused, Assert.Throws<PartitioningException>(() => PartitionReport.Read(bytes)).Error);
    }

    [Fact]
    public void A_callers_mistake_is_not_written()
    {
        Assert.Throws<ArgumentException>(() => (Sample() with { Model = "no" }).ToBytes());
        Assert.Throws<ArgumentException>(() => (Sample() with { Cut = default }).ToBytes());
        Assert.Throws<ArgumentException>(() => (Sample() with { Protection = Sample().Protection.SetItem("other", 1) }).ToBytes());
        Assert.Throws<ArgumentException>(() => (Sample() with { Protection = Sample().Protection.SetItem("labels", double.NaN) }).ToBytes());
        Assert.Throws<ArgumentException>(() => (Sample() with { Time = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.FromHours(1)) }).ToBytes());
    }

    [Fact]
    public void Hostile_bytes_give_nothing_but_the_refusal()
    {
        byte[] valid = Sample().ToBytes();
        var random = new Random(11);
        for (int i = 0; i < 5_000; i++)
        {
            byte[] bytes = (byte[])valid.Clone();
            for (int change = random.Next(1, 4); change > 0; change--)
            {
                int at = random.Next(bytes.Length);
                bytes = random.Next(4) switch
                {
                    0 => [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(20))..], 0],
                    1 => [.. bytes[..at], .. valid.AsSpan(random.Next(valid.Length - 20), 20), .. bytes[at..]],
                    2 => [.. bytes[..at], (byte)"0\"{}[],:\\-e."[random.Next(12)], .. bytes[(at + 1)..]],
                    _ => [.. bytes[..at], (byte)random.Next(256), .. bytes[(at + 1)..]],
                };
            }
            PartitionReport.Fuzz(bytes);
        }
    }

    internal static PartitionReport Sample() => new()
    {
        Model = new string('0', 64),
        Front = new string('1', 64),
        Back = new string('2', 64),
        Tail = new string('3', 64),
        Cut = ["relu_3"],
        TailCut = ["pool"],
        Protection = ImmutableSortedDictionary<string, double>.Empty.Add(ProtectionScores.Pictures, 0.25).Add(ProtectionScores.Labels, 0),
        FitPictures = 300,
        TestPictures = 60,
        Assessment = new string('a', 64),
        Tool = "cloister 0.1.0",
        Time = new DateTimeOffset(2026, 11, 22, 4, 0, 0, TimeSpan.Zero),
    };

    private static PartitionReport Bare() => Sample() with
    {
        Cut = ["a/b:0", "<ü & \"quoted\">\u2028"],
        Tail = null,
        TailCut = [],
        Protection = ImmutableSortedDictionary<string, double>.Empty,
        FitPictures = 0,
        TestPictures = 0,
        Assessment = null,
    };
}
