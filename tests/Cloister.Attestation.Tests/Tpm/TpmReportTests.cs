using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;

namespace Cloister.Tests.Tpm;

public sealed class TpmReportTests
{
    private static TpmReport Report => new(new byte[] { 1, 2, 3 }, new byte[] { 4, 5 }, TpmKeyForm.SubjectPublicKeyInfo, new byte[] { 6 },
        [new TpmPcrValue(TpmAlgorithm.Sha256, 7, Enumerable.Repeat((byte)9, 32).ToArray()), new TpmPcrValue(TpmAlgorithm.Sha1, 0, new byte[20])]);

    [Fact]
    public void The_layout_is_frozen() =>
        Assert.Equal("6a8ffef3a299bbeffaf467df5d389def8f2e125b766af4fa9620208df5464eb3", Convert.ToHexStringLower(SHA256.HashData(Report.Encode())));

    [Fact]
    public void What_a_report_does_not_hold_is_the_callers_mistake()
    {
        Assert.Throws<ArgumentException>(() => (Report with { Pcrs = [.. Report.Pcrs, Report.Pcrs[0]] }).Encode());
        Assert.Throws<ArgumentException>(() => (Report with { Attest = new byte[4097] }).Encode());
        Assert.Throws<ArgumentException>(() => (Report with { KeyForm = 0 }).Encode());
        Assert.Throws<ArgumentException>(() => (Report with { Pcrs = [new TpmPcrValue(TpmAlgorithm.Sha256, 24, new byte[32])] }).Encode());
        Assert.Throws<ArgumentException>(() => (Report with { Pcrs = [new TpmPcrValue(TpmAlgorithm.Sha256, 1, new byte[31])] }).Encode());
    }

    [Theory]
    [InlineData(0, Refusal.ReportMagic)]
    [InlineData(18, Refusal.ReportVersion)]
    [InlineData(23, Refusal.ReportField)]
    [InlineData(33, Refusal.ReportField)]
    public void A_damaged_report_is_refused_by_its_number(int at, Refusal expected)
    {
        byte[] report = Report.Encode();
        report[at] = 0xEE;
        Assert.Equal(expected, TpmReport.Parse(report).Refusal);
    }

    [Fact]
    public void Every_cut_is_refused()
    {
        byte[] report = Report.Encode();
        for (int length = 0; length < report.Length; length++)
            Assert.False(TpmReport.Parse(report.AsMemory(0, length)).IsAccepted);
        Assert.Equal(Refusal.ReportTrailingBytes, TpmReport.Parse((byte[])[.. report, 0]).Refusal);
    }
}
