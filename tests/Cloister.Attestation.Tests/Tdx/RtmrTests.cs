using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Tdx;
using Cloister.Tests.Corpus;
using Cloister.Tests.Dcap;

namespace Cloister.Tests.Tdx;

/// <summary>Event logs of trust domains: made ones bound to a made quote, and mutations of a real one.</summary>
public sealed class RtmrTests
{
    private static readonly VerificationTime Time = VerificationTime.At(FakeIntel.Now);

    [Fact]
    public void A_log_is_replayed_with_the_quote()
    {
        Made log = new Made().Add(1, "firmware").Add(2, "kernel").Add(3, "command line").Add(3, "initrd");
        Assert.Null(Failed(log, log));
        Assert.Equal(("replay", Refusal.EventLogReplay), Failed(log, new Made().Add(1, "firmware").Add(2, "kernel").Add(3, "initrd").Add(3, "command line")));
        Assert.Equal(("replay", Refusal.EventLogReplay), Failed(log, new Made().Add(1, "firmware").Add(2, "kernel").Add(3, "command line")));
        Assert.Equal(("replay", Refusal.EventLogReplay), Failed(log, new Made().Add(1, "firmware").Add(2, "kernel").Add(3, "command line").Add(3, "initrd").Add(4, "more")));
        Assert.Equal(("replay", Refusal.EventLogReplay), Failed(log, new Made().Add(1, "firmware").Add(2, "kernel").Add(3, "command line").Add(3, "initrd").Add(0, "beside")));
        Assert.Equal(("replay", Refusal.EventLogReplay), Failed(log, new Made().Add(1, "firmware").Add(2, "kernel").Add(3, "command line").Add(3, "initrd").Add(5, "beside")));
        Assert.Equal(("event_data", Refusal.EventLogData), Failed(log, new Made().Add(1, "firmware").Add(2, "another text", "kernel").Add(3, "command line").Add(3, "initrd")));
        Assert.Equal(("replay", Refusal.EventLogMalformed), Failed(log, new byte[] { 1, 2, 3 }));
    }

    [Fact]
    public void A_register_that_applications_extend_is_for_the_policy_where_the_log_does_not_speak_of_it()
    {
        Made boot = new Made().Add(1, "firmware"), extended = new Made().Add(1, "firmware").Add(4, "application");
        Assert.Null(Failed(extended, boot)); // the policy of the test accepts any registers
        Assert.Equal("replay", RtmrReplay.Run(boot.ToArray(), new TdReport(QuoteLayout.Parse(Quote(extended).Quote()).Value.Body), out _).First(check => check.Verdict == Verdict.Failed).Id);
    }

    [Fact]
    public void An_enclave_has_no_log()
    {
        FakeIntel fake = new() { Sgx = true, Version = 3 };
        var evidence = new Evidence(TeeKind.Sgx, fake.Quote(), new byte[] { 1 }, default, []);
        Check failed = new Attestation.Sgx.SgxVerifier().Prove(evidence, FakeIntel.ReportData, Endorsements.None, fake.Anchors, Time).Checks.First(check => check.Verdict == Verdict.Failed);
        Assert.Equal(("format", Refusal.EventLogUnexpected), (failed.Id, failed.Refusal));
    }

    [SharedDataFact]
    public void Every_flipped_digest_of_a_real_log_is_noticed_and_mutations_do_no_harm()
    {
        AttestationCase one = CaseCorpus.OfKind("rtmr").First(one => one.ExpectedOk);
        byte[] log = one.File("ccel")!;
        int used = Array.FindLastIndex(log, value => value is not (0 or 0xFF)) + 1;
        log = log[..used];
        Mutations.Bounded(log, RtmrReplay.Fuzz, 500);
        var report = new TdReport(QuoteLayout.Parse(one.File("quote")!).Value.Body);
        Assert.All(RtmrReplay.Run(log, report, out _), check => Assert.Equal(Verdict.Passed, check.Verdict));
        int first = 32 + BinaryPrimitives.ReadInt32LittleEndian(log.AsSpan(28)); // behind the header's event
        for (int at = first, flipped = 0; flipped < 10; flipped++)
        {
            int digest = at + 4 + 4 + 4 + 2;
            byte[] changed = [.. log];
            changed[digest + flipped] ^= 1;
            Assert.Contains(RtmrReplay.Run(changed, report, out _), check => check is { Id: "replay", Verdict: Verdict.Failed });
            at = digest + 48 + 4 + BinaryPrimitives.ReadInt32LittleEndian(log.AsSpan(digest + 48));
        }
    }

    private static FakeIntel Quote(Made log) => new() { EditBody = body => log.Registers.CopyTo(body, 328) };

    private static (string, Refusal)? Failed(Made quoted, Made given) => Failed(quoted, given.ToArray());

    private static (string, Refusal)? Failed(Made quoted, byte[] given)
    {
        FakeIntel fake = Quote(quoted);
        var evidence = new Evidence(TeeKind.Tdx, fake.Quote(), given, default, []);
        Proof proof = new TdxVerifier().Prove(evidence, FakeIntel.ReportData, new Endorsements([new Endorsement(DcapCollateral.EndorsementKind, fake.Collateral().ToJson())]), fake.Anchors, Time);
        return proof.Checks.FirstOrDefault(check => check.Verdict == Verdict.Failed) is { } failed ? (failed.Id, failed.Refusal) : null;
    }

    /// <summary>A log that is made, with the registers it leads to.</summary>
    private sealed class Made
    {
        private const uint EfiAction = 0x80000007;
        private readonly List<byte> _log = [];

        public Made()
        {
            byte[] header = [.. "Spec ID Event03\0"u8, 0, 0, 0, 0, 0, 2, 0, 2, 1, 0, 0, 0, 0x0C, 0, 48, 0, 0];
            _log.AddRange([1, 0, 0, 0, 3, 0, 0, 0, .. new byte[20], .. BitConverter.GetBytes(header.Length), .. header]);
        }

        public byte[] Registers { get; } = new byte[4 * 48];

        public Made Add(int register, string text, string? measured = null)
        {
            byte[] data = System.Text.Encoding.ASCII.GetBytes(text), digest = SHA384.HashData(System.Text.Encoding.ASCII.GetBytes(measured ?? text));
            _log.AddRange([.. BitConverter.GetBytes(register), .. BitConverter.GetBytes(EfiAction), 1, 0, 0, 0, 0x0C, 0, .. digest, .. BitConverter.GetBytes(data.Length), .. data]);
            if (register is >= 1 and <= 4)
                SHA384.HashData([.. Registers.AsSpan((register - 1) * 48, 48), .. digest]).CopyTo(Registers, (register - 1) * 48);
            return this;
        }

        public byte[] ToArray() => [.. _log];
    }
}
