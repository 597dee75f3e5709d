using System.Security.Cryptography;
using System.Text;
using Cloister.Sealing;
using Cloister.Serving.Partitioned;

namespace Cloister.Serving.Tests.Partitioned;

/// <summary>The envelope of a report: whose word it is, and that nobody changed it.</summary>
public sealed class SignedPartitionReportTests : IDisposable
{
    private static readonly byte[] s_report = Encoding.UTF8.GetBytes("""{"version":1}""");

    private readonly MakerKey _assessor = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);

    private ReadOnlySpan<byte> Spki => _assessor.Public.SubjectPublicKeyInfo.Span;

    public void Dispose() => _assessor.Dispose();

    [Fact]
    public void What_was_signed_comes_back()
    {
        byte[] file = SignedPartitionReport.Sign(s_report, _assessor);
        Assert.Equal(s_report, SignedPartitionReport.OpenBytes(file, Spki));
        Assert.Equal(_assessor.Public, SignedPartitionReport.SignerOf(file));
    }

    [Fact]
    public void What_is_signed_stays_what_it_is()
    {
        // Label, report, key, each behind its length: docs/formats/partition-report.md.
        byte[] file = SignedPartitionReport.Sign(s_report, _assessor);
        string text = Encoding.UTF8.GetString(file);
        string key = Convert.ToBase64String(Spki);
        Assert.StartsWith($$"""{"report":"eyJ2ZXJzaW9uIjoxfQ==","key":"{{key}}","signature":" """.TrimEnd(), text, StringComparison.Ordinal);
        byte[] label = Encoding.UTF8.GetBytes("cloister/partition-report/v1");
        byte[] message = [(byte)label.Length, 0, 0, 0, .. label, (byte)s_report.Length, 0, 0, 0, .. s_report, (byte)Spki.Length, 0, 0, 0, .. Spki];
        byte[] signature = Convert.FromBase64String(text[(text.LastIndexOf(":\"", StringComparison.Ordinal) + 2)..text.LastIndexOf('"')]);
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(Spki, out _);
        Assert.True(ecdsa.VerifyData(message, signature, HashAlgorithmName.SHA256));
    }

    [Fact]
    public void Another_assessors_word_does_not_count()
    {
        using var other = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);
        Refused(SignedPartitionReport.Sign(s_report, other), "it is signed by");
    }

    [Fact]
    public void Changed_bytes_are_noticed()
    {
        string file = Encoding.UTF8.GetString(SignedPartitionReport.Sign(s_report, _assessor));
        Refused(Encoding.UTF8.GetBytes(file.Replace("eyJ2", "eyJ3", StringComparison.Ordinal)), "its signature does not hold");
    }

    [Theory]
    [InlineData("", "the document ends too early")]
    [InlineData("[]", "must be an object")]
    [InlineData("{}", "'report' is missing")]
    [InlineData("""{"report":"AA==","key":"AA=="}""", "'signature' is missing")]
    [InlineData("""{"report":"AA==","report":"AA=="}""", "'report' stands there twice")]
    [InlineData("""{"report":"AA=="," x":1}""", "' x' is unknown")]
    [InlineData("""{"report":1}""", "must be a text in base64")]
    [InlineData("""{"report":""}""", "has 0 bytes")]
    [InlineData("""{"report":"A A=="}""", "is not base64")]
    [InlineData("""{"report":"AA==","key":"AA==","signature":"AA=="}""", "its key is refused")]
    [InlineData("""{"report":"AA==","key":"AA==","signature":"AA=="}1""", "nothing may follow")]
    public void A_malformed_file_is_refused(string json, string reason) => Refused(Encoding.UTF8.GetBytes(json), reason);

    [Fact]
    public void Any_bytes_are_refused_as_documented()
    {
        byte[] file = SignedPartitionReport.Sign(s_report, _assessor);
        var random = new Random(8);
        for (int i = 0; i < 2000; i++)
        {
            byte[] changed = [.. file];
            for (int changes = random.Next(1, 4); changes > 0; changes--) changed[random.Next(changed.Length)] = (byte)random.Next(256);
            SignedPartitionReport.Fuzz(changed.AsSpan(0, random.Next(changed.Length + 1)));
        }
    }

    private void Refused(byte[] file, string reason)
    {
        ServingException refusal = Assert.Throws<ServingException>(() => SignedPartitionReport.OpenBytes(file, Spki));
        Assert.Equal(ServingError.PartitionReportRefused, refusal.Error);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }
}
