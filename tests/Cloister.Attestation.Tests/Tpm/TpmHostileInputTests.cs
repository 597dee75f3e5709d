using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Attestation.Tpm.EventLog;

namespace Cloister.Tests.Tpm;

public sealed class TpmHostileInputTests
{
    /// <summary>What may be allocated beside four times the input.</summary>
    private const int Slack = 64 * 1024;

    private static readonly byte[] Nonce = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    [Fact]
    public void Mutations_of_every_structure_are_read_or_refused()
    {
        foreach (FakeTpm tpm in new[] { new FakeTpm(), new FakeTpm(TpmAlgorithm.RsaPss) })
        {
            TpmReport report = tpm.Report(Nonce);
            foreach (byte[] valid in new[] { report.Attest.ToArray(), report.Signature.ToArray(), report.Key.ToArray() })
                foreach (byte[] bytes in Mutations.Of(valid, 1_000, seed: 42)) TpmLayout.Fuzz(bytes);
            foreach (byte[] bytes in Mutations.Of(report.Encode(), 2_000, seed: 43)) TpmReport.Fuzz(bytes);
        }
        foreach (byte[] bytes in Mutations.Of(TpmVerifierTests.Log().ToArray(), 3_000, seed: 44)) TcgEventLog.Fuzz(bytes);
    }

    [SharedDataFact]
    public void Mutated_real_logs_are_read_or_refused_within_the_allocation_bound()
    {
        foreach (string log in Directory.EnumerateFiles(TestData.Path("attestation/tpm/eventlogs")).Where(file => !file.EndsWith(".json", StringComparison.Ordinal)))
            foreach (byte[] bytes in Mutations.Of(File.ReadAllBytes(log), 60, seed: 45))
                Bounded(bytes.Length, () => Read(bytes));
    }

    [SharedDataFact]
    public void A_mutated_real_quote_is_refused_within_the_allocation_bound()
    {
        RecordedBootTests.Boot boot = RecordedBootTests.Boot.Load();
        var verifier = new TpmVerifier();
        // Values that were not quoted are ignored, whatever they are; so they are left out here.
        byte[] report = (boot.Report with { Pcrs = [.. boot.Report.Pcrs.Where(pcr => pcr.Index < 16)] }).Encode();
        int accepted = 0;
        foreach (byte[] bytes in Mutations.Of(report, 2_000, seed: 46))
        {
            if (bytes.AsSpan().SequenceEqual(report)) continue;
            var evidence = new Evidence(TeeKind.Tpm, bytes, boot.EventLog, default, []);
            Bounded(bytes.Length + boot.EventLog.Length, () => accepted += verifier.Prove(evidence, boot.Nonce, Endorsements.None, Anchors.Pinned, VerificationTime.NoTimeCheck).Claims is { } claims && claims.Fields[TpmFields.KeyName] == boot.KeyName ? 1 : 0);
        }
        Assert.Equal(0, accepted);
    }

    [Theory]
    [InlineData(4, "PCR 4 alone")]
    [InlineData(11, "PCR 11 alone")]
    [InlineData(7, "PCR 7 alone")]
    public void A_log_of_very_many_events_stays_within_the_allocation_bound(int pcr, string what)
    {
        var log = new LogWriter();
        for (int i = 0; i < 20_000; i++)
            log.Add(pcr, 0x800000E0 + (uint)(pcr == 7 ? 0 : 1), SHA256.HashData(BitConverter.GetBytes(i)), []);
        byte[] bytes = log.ToArray();
        Bounded(bytes.Length, () => Read(bytes), what);
    }

    [Fact]
    public void A_log_over_the_limit_is_refused_unread()
    {
        var bytes = new byte[TcgEventLog.MaximumSize + 1];
        Bounded(0, () => Assert.Equal(Refusal.EventLogMalformed, TcgEventLog.Parse(bytes).Refusal));
    }

    [Fact]
    public void Nothing_hides_behind_the_end_of_a_log()
    {
        byte[] log = TpmVerifierTests.Log().ToArray();
        Assert.True(TcgEventLog.Parse((byte[])[.. log, .. new byte[100]]).IsAccepted);
        Assert.True(TcgEventLog.Parse((byte[])[.. log, 0xFF, 0xFF, 0xFF, 0xFF]).IsAccepted);
        Assert.False(TcgEventLog.Parse((byte[])[.. log, .. new byte[100], 1]).IsAccepted);
        Assert.False(TcgEventLog.Parse((byte[])[.. log, 0, 0, 0]).IsAccepted);
    }

    private static void Read(byte[] bytes)
    {
        if (!TcgEventLog.Parse(bytes).TryGetValue(out TcgEventLog? log)) return;
        foreach (TcgBank bank in log.Banks)
        {
            if (!log.HasBank(bank.Algorithm)) continue;
            EventLogReplay.Run(log, bank.Algorithm);
            EventLogData.FirstProblem(log, bank.Algorithm);
            BootState.Read(log, bank.Algorithm);
        }
    }

    private static void Bounded(int input, Action action, string what = "input")
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated <= Slack + 4L * input, $"{what}: {allocated} bytes for {input}");
    }
}
