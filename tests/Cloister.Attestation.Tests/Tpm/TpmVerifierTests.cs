using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;

namespace Cloister.Tests.Tpm;

public sealed class TpmVerifierTests
{
    private static readonly byte[] Nonce = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    private static readonly TpmVerifier Verifier = new();

    public static TheoryData<TpmAlgorithm, TpmAlgorithm, string> Schemes()
    {
        var data = new TheoryData<TpmAlgorithm, TpmAlgorithm, string>();
        foreach (TpmAlgorithm hash in new[] { TpmAlgorithm.Sha1, TpmAlgorithm.Sha256, TpmAlgorithm.Sha384, TpmAlgorithm.Sha512 })
        {
            data.Add(TpmAlgorithm.RsaSsa, hash, "2048");
            data.Add(TpmAlgorithm.RsaPss, hash, "3072");
            data.Add(TpmAlgorithm.EcDsa, hash, "nistP256");
            data.Add(TpmAlgorithm.EcDsa, hash, "nistP384");
            data.Add(TpmAlgorithm.EcDsa, hash, "nistP521");
        }
        return data;
    }

    [Theory, MemberData(nameof(Schemes))]
    public void Every_scheme_and_hash_verifies_and_SHA_1_only_if_the_policy_allows_it(TpmAlgorithm scheme, TpmAlgorithm hash, string key)
    {
        FakeTpm tpm = scheme == TpmAlgorithm.EcDsa ? new FakeTpm(scheme, hash, ECCurve.CreateFromFriendlyName(key)) : new FakeTpm(scheme, hash, bits: int.Parse(key, null));
        Claims claims = Prove(tpm.Quote(Nonce)).Claims!;
        Assert.Equal(TpmHash.NameOf(hash), claims.Fields[TpmFields.SignatureHash]);
        Check? refused = TpmCorpusTests.FirstFailed(new TpmAppraiser().Judge(claims, Policy(), VerificationTime.NoTimeCheck));
        Assert.Equal(hash == TpmAlgorithm.Sha1 ? Refusal.TpmSha1 : Refusal.None, refused?.Refusal ?? Refusal.None);
        Assert.Null(TpmCorpusTests.FirstFailed(new TpmAppraiser().Judge(claims, Policy() with { AllowSha1 = true }, VerificationTime.NoTimeCheck)));
    }

    public static TheoryData<string, string, Refusal> Faults() => new()
    {
        { "magic", "magic", Refusal.TpmMagic },
        { "certify", "type", Refusal.TpmAttestType },
        { "trailing statement", "format", Refusal.TpmAttestMalformed },
        { "trailing signature", "format", Refusal.TpmSignatureMalformed },
        { "trailing key", "format", Refusal.TpmPublicMalformed },
        { "trailing report", "format", Refusal.ReportTrailingBytes },
        { "cut statement", "format", Refusal.TpmAttestMalformed },
        { "cut log", "format", Refusal.EventLogMalformed },
        { "safe is 2", "format", Refusal.TpmAttestMalformed },
        { "bank twice", "format", Refusal.TpmAttestMalformed },
        { "unknown bank", "format", Refusal.TpmAttestMalformed },
        { "other key", "signature", Refusal.SignatureInvalid },
        { "key off its curve", "signature", Refusal.SignerKeyInvalid },
        { "other scheme's hash", "signature", Refusal.TpmSignatureScheme },
        { "PSS for PKCS1", "signature", Refusal.TpmSignatureScheme },
        { "RSA of 1024 bits", "signature", Refusal.SignerKeyInvalid },
        { "not restricted", "ak_attributes", Refusal.TpmKeyAttributes },
        { "not fixedTPM", "ak_attributes", Refusal.TpmKeyAttributes },
        { "not fixedParent", "ak_attributes", Refusal.TpmKeyAttributes },
        { "imported", "ak_attributes", Refusal.TpmKeyAttributes },
        { "decrypts", "ak_attributes", Refusal.TpmKeyAttributes },
        { "no scheme", "ak_attributes", Refusal.TpmKeyAttributes },
        { "other nonce", "nonce", Refusal.ReportDataMismatch },
        { "padded nonce", "nonce", Refusal.ReportDataMismatch },
        { "shorter nonce", "nonce", Refusal.ReportDataMismatch },
        { "no PCR", "pcr_selection", Refusal.TpmPcrSelection },
        { "relabelled PCRs", "pcr_selection", Refusal.TpmPcrSelection },
        { "value withheld", "pcr_selection", Refusal.TpmPcrSelection },
        { "other value", "pcr_digest", Refusal.TpmPcrDigest },
        { "digest by the bank's hash", "pcr_digest", Refusal.TpmPcrDigest },
        { "banks joined in another order", "pcr_digest", Refusal.TpmPcrDigest },
        { "event removed", "replay", Refusal.EventLogReplay },
        { "events of PCR 11 removed", "replay", Refusal.EventLogReplay },
        { "log of another bank", "replay", Refusal.EventLogReplay },
        { "Secure Boot's data changed", "event_data", Refusal.EventLogData },
        { "action's data changed", "event_data", Refusal.EventLogData },
        { "separator relabelled", "event_data", Refusal.EventLogData },
        { "error separator", "event_data", Refusal.EventLogData },
        { "command line changed", "event_data", Refusal.EventLogData },
    };

    [Theory, MemberData(nameof(Faults))]
    public void One_fault_is_refused_by_its_check_and_number(string fault, string check, Refusal refusal)
    {
        Evidence evidence = Make(fault);
        Proof proof = Prove(evidence);
        Check failed = TpmCorpusTests.FirstFailed(proof.Checks)!;
        Assert.Equal((check, refusal), (failed.Id, failed.Refusal));
        Assert.NotEmpty(failed.Reason);
        Assert.Null(proof.Claims);
        Assert.Equal(check is not ("format" or "type"), proof.Stated is not null);
        Assert.Equal(Verifier.Plan.Select(planned => planned.Id), proof.Checks.Select(made => made.Id));
        Assert.All(proof.Checks.SkipWhile(made => made.Verdict == Verdict.Passed).Skip(1), made => Assert.Equal(Verdict.NotReached, made.Verdict));
    }

    [Fact]
    public void A_whole_boot_is_proven_and_read()
    {
        var tpm = new FakeTpm();
        Proof proof = Prove(tpm.Quote(Nonce, tpm.Boot(Log())));
        Assert.All(proof.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
        ImmutableDictionary<string, string> fields = proof.Claims!.Fields;
        Assert.Equal("true", fields["boot.sha256.secureBoot"]);
        Assert.Equal($"{Digest("loader")},{Digest("kernel")}", fields["boot.sha256.applications"]);
        Assert.Equal("root=/dev/vda ro", fields["boot.sha256.commandLine"]);
        Assert.Equal($".linux={Digest("the kernel")},.cmdline={Digest("the command line")}", fields["boot.sha256.stubSections"]);
        Assert.Equal(Digest("initrd"), fields["boot.sha256.initrd"]);
        Assert.Equal(Digest("options"), fields["boot.sha256.loadOptions"]);
        Assert.Equal("none", fields["boot.sha256.ima"]);
        Assert.Equal(Convert.ToHexStringLower(TpmLayout.ParsePublic(tpm.Public()).Value.Name.Span), fields[TpmFields.KeyName]);
    }

    [Fact]
    public void Phases_that_systemd_extends_after_the_log_was_closed_are_followed()
    {
        var tpm = new FakeTpm();
        byte[] log = tpm.Boot(Log());
        foreach (string phase in new[] { "enter-initrd", "leave-initrd", "sysinit", "ready" })
            TpmHash.Extend(TpmAlgorithm.Sha256, tpm.Pcrs[11], SHA256.HashData(Encoding.ASCII.GetBytes(phase)));
        Assert.Equal("enter-initrd:leave-initrd:sysinit:ready", Prove(tpm.Quote(Nonce, log)).Claims!.Fields["boot.sha256.phases"]);
        TpmHash.Extend(TpmAlgorithm.Sha256, tpm.Pcrs[11], SHA256.HashData("mischief"u8));
        Assert.Equal("replay", TpmCorpusTests.FirstFailed(Prove(tpm.Quote(Nonce, log)).Checks)!.Id);
    }

    [Fact]
    public void What_the_system_extends_later_cannot_claim_to_be_the_firmwares()
    {
        // Booted without Secure Boot; then the system extends PCR 7 with what a machine with Secure Boot would have, and relabels the true variable.
        var tpm = new FakeTpm();
        byte[] on = LogWriter.Variable(LogWriter.Global, "SecureBoot", [1]), off = LogWriter.Variable(LogWriter.Global, "SecureBoot", [0]);
        byte[] log = tpm.Boot(new LogWriter().Add(7, 1, SHA256.HashData(off), off).Separators().Hashed(7, LogWriter.DriverConfig, on));
        Assert.False(Prove(tpm.Quote(Nonce, log)).Claims!.Fields.ContainsKey("boot.sha256.secureBoot"));

        var again = new FakeTpm();
        log = again.Boot(new LogWriter().Add(7, 1, SHA256.HashData(off), off).Hashed(7, LogWriter.DriverConfig, on).Separators().Hashed(7, LogWriter.Separator, [0, 0, 0, 0]));
        Assert.False(Prove(again.Quote(Nonce, log)).Claims!.Fields.ContainsKey("boot.sha256.secureBoot"));
    }

    [Fact]
    public void A_loader_cannot_hide_behind_another_type()
    {
        var tpm = new FakeTpm();
        byte[] log = tpm.Boot(new LogWriter().Separators().Add(4, LogWriter.Ipl, SHA256.HashData("evil loader"u8), "harmless"u8.ToArray()));
        Assert.Equal(Digest("evil loader"), Prove(tpm.Quote(Nonce, log)).Claims!.Fields["boot.sha256.applications"]);
    }

    [Fact]
    public void What_a_log_says_of_PCRs_that_were_not_quoted_is_not_stated()
    {
        var tpm = new FakeTpm { Selection = [(TpmAlgorithm.Sha256, 1u << 0)] };
        Claims claims = Prove(tpm.Quote(Nonce, tpm.Boot(Log()))).Claims!;
        Assert.DoesNotContain(claims.Fields.Keys, name => name.StartsWith("boot.", StringComparison.Ordinal));
        Assert.DoesNotContain(claims.Fields.Keys, name => name.StartsWith("pcr.", StringComparison.Ordinal) && name != "pcr.sha256.0");
    }

    [Fact]
    public void Longer_report_data_are_cut_to_32_bytes_and_shorter_are_taken_whole()
    {
        byte[] reportData = [.. Nonce, .. Nonce];
        var tpm = new FakeTpm();
        Assert.NotNull(Verifier.Prove(tpm.Quote(Nonce), reportData, Endorsements.None, Anchors.Pinned, VerificationTime.NoTimeCheck).Claims);
        Assert.Null(Verifier.Prove(tpm.Quote(reportData), reportData, Endorsements.None, Anchors.Pinned, VerificationTime.NoTimeCheck).Claims);
        Assert.NotNull(Verifier.Prove(tpm.Quote(Nonce.AsSpan(0, 20)), Nonce.AsMemory(0, 20), Endorsements.None, Anchors.Pinned, VerificationTime.NoTimeCheck).Claims);
    }

    [Theory]
    [InlineData(TpmAlgorithm.EcDsa)]
    [InlineData(TpmAlgorithm.RsaSsa)]
    public void Every_flipped_bit_of_what_is_signed_is_refused(TpmAlgorithm scheme)
    {
        var tpm = new FakeTpm(scheme);
        TpmReport report = tpm.Report(Nonce);
        foreach (string part in new[] { "attest", "signature", "key", "pcrs" })
        {
            byte[] original = part switch { "attest" => report.Attest.ToArray(), "signature" => report.Signature.ToArray(), "key" => report.Key.ToArray(), _ => report.Pcrs[7].Value.ToArray() };
            for (int bit = 0; bit < original.Length * 8; bit++)
            {
                byte[] changed = [.. original];
                changed[bit / 8] ^= (byte)(1 << bit % 8);
                TpmReport other = part switch
                {
                    "attest" => report with { Attest = changed },
                    "signature" => report with { Signature = changed },
                    "key" => report with { Key = changed },
                    _ => report with { Pcrs = report.Pcrs.SetItem(7, report.Pcrs[7] with { Value = changed }) },
                };
                Proof proof = Prove(new Evidence(TeeKind.Tpm, other.Encode(), default, default, []));
                // A key's attributes and policy are not signed: they change its name, by which the policy knows it.
                if (part == "key" && proof.Claims is { } claims)
                    Assert.NotEqual(Convert.ToHexStringLower(TpmLayout.ParsePublic(report.Key).Value.Name.Span), claims.Fields[TpmFields.KeyName]);
                else
                    Assert.True(proof.Claims is null, $"{part}, bit {bit} was not noticed");
            }
        }
    }

    [Fact]
    public void Concurrent_quotes_of_one_key_verify()
    {
        var tpm = new FakeTpm();
        Evidence evidence = tpm.Quote(Nonce);
        Parallel.For(0, 64, _ => Assert.NotNull(Prove(evidence).Claims));
    }

    internal static TpmPolicy Policy() => new(new TpmKeyPolicy.Any(), TpmAlgorithm.Sha256, ImmutableSortedDictionary<int, Requirement<string>>.Empty, TpmBootPolicy.Any, TpmClockPolicy.Any, Requirement.Any<long>());

    internal static Proof Prove(Evidence evidence) => Verifier.Prove(evidence, Nonce, new Endorsements(evidence.Endorsements), Anchors.Pinned, VerificationTime.NoTimeCheck);

    internal static LogWriter Log() => new LogWriter()
        .Hashed(7, LogWriter.DriverConfig, LogWriter.Variable(LogWriter.Global, "SecureBoot", [1]))
        .Hashed(7, LogWriter.DriverConfig, LogWriter.Variable(LogWriter.Global, "PK", [1, 2, 3]))
        .Text(4, LogWriter.EfiAction, "Calling EFI Application from Boot Option")
        .Separators()
        .Add(4, LogWriter.Application, SHA256.HashData("loader"u8), [1, 2])
        .Add(8, LogWriter.Ipl, SHA256.HashData("root=/dev/vda ro"u8), "kernel_cmdline: root=/dev/vda ro\0"u8.ToArray())
        .Section(".linux", "the kernel").Section(".cmdline", "the command line")
        .Add(4, LogWriter.Application, SHA256.HashData("kernel"u8), [3])
        .Add(9, LogWriter.EventTag, SHA256.HashData("options"u8), [0xED, 0x22, 0x3B, 0x8F, 0, 0, 0, 0])
        .Add(9, LogWriter.EventTag, SHA256.HashData("initrd"u8), [0xEC, 0x22, 0x3B, 0x8F, 0, 0, 0, 0])
        .Text(5, LogWriter.EfiAction, "Exit Boot Services Invocation");

    internal static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static Evidence Make(string fault)
    {
        var tpm = new FakeTpm();
        TpmReport report = tpm.Report(Nonce);
        switch (fault)
        {
            case "magic": return new FakeTpm { Magic = 0xFF544348 }.Quote(Nonce);
            case "certify": return new FakeTpm { Type = 0x8017 }.Quote(Nonce);
            case "trailing statement": return new FakeTpm { Trailing = [0] }.Quote(Nonce);
            case "trailing signature": return Of(report with { Signature = (byte[])[.. report.Signature.Span, 0] });
            case "trailing key": return Of(report with { Key = (byte[])[.. report.Key.Span, 0] });
            case "trailing report": return new Evidence(TeeKind.Tpm, (byte[])[.. report.Encode(), 0], default, default, []);
            case "cut statement": return Of(report with { Attest = report.Attest[..^1] });
            case "cut log": return Of(report) with { EventLog = Log().ToArray().AsMemory()[..^1] };
            case "safe is 2": return new FakeTpm { Safe = 2 }.Quote(Nonce);
            case "bank twice":
                TpmReport twice = new FakeTpm { Selection = [(TpmAlgorithm.Sha256, 1), (TpmAlgorithm.Sha256, 2)] }.Report(Nonce);
                return Of(twice);
            case "unknown bank":
                byte[] sm3 = report.Attest.ToArray();
                sm3[^39] = 0x12;
                Assert.Equal(new byte[] { 0, 0x12, 3 }, sm3[^40..^37]);
                return Of(report with { Attest = sm3, Signature = tpm.Sign(sm3) });
            case "other key": return Of(report with { Key = new FakeTpm().Public() });
            case "key off its curve":
                byte[] off = report.Key.ToArray();
                off[^1] ^= 1;
                return Of(report with { Key = off });
            case "other scheme's hash":
                byte[] sha384 = tpm.Public();
                tpm.Hash = TpmAlgorithm.Sha384;
                return Of(tpm.Report(Nonce) with { Key = sha384 });
            case "PSS for PKCS1":
                var rsa = new FakeTpm(TpmAlgorithm.RsaSsa);
                byte[] confined = rsa.Public();
                rsa.Scheme = TpmAlgorithm.RsaPss;
                return Of(rsa.Report(Nonce) with { Key = confined });
            case "RSA of 1024 bits": return new FakeTpm(TpmAlgorithm.RsaSsa, bits: 1024).Quote(Nonce);
            case "not restricted": return new FakeTpm { Attributes = FakeTpm.AkAttributes & ~(1u << 16) }.Quote(Nonce);
            case "not fixedTPM": return new FakeTpm { Attributes = FakeTpm.AkAttributes & ~(1u << 1) }.Quote(Nonce);
            case "not fixedParent": return new FakeTpm { Attributes = FakeTpm.AkAttributes & ~(1u << 4) }.Quote(Nonce);
            case "imported": return new FakeTpm { Attributes = FakeTpm.AkAttributes & ~(1u << 5) }.Quote(Nonce);
            case "decrypts": return new FakeTpm { Attributes = FakeTpm.AkAttributes | 1u << 17 }.Quote(Nonce);
            case "no scheme":
                tpm.Scheme = TpmAlgorithm.Null;
                byte[] free = tpm.Public();
                tpm.Scheme = TpmAlgorithm.EcDsa;
                return Of(tpm.Report(Nonce) with { Key = free });
            case "other nonce": return new FakeTpm().Quote(new byte[32]);
            case "padded nonce": return new FakeTpm().Quote([.. Nonce, 0]);
            case "shorter nonce": return new FakeTpm().Quote(Nonce.AsSpan(0, 31));
            case "no PCR": return new FakeTpm { Selection = [(TpmAlgorithm.Sha256, 0)] }.Quote(Nonce);
            case "relabelled PCRs":
                TpmReport debug = new FakeTpm { Selection = [(TpmAlgorithm.Sha256, 1u << 16 | 1u << 23)] }.Report(Nonce);
                return Of(debug with { Pcrs = [debug.Pcrs[0] with { Index = 0 }, debug.Pcrs[1] with { Index = 4 }] });
            case "value withheld": return Of(report with { Pcrs = report.Pcrs.RemoveAt(7) });
            case "other value": return Of(report with { Pcrs = report.Pcrs.SetItem(7, report.Pcrs[7] with { Value = new byte[32].Select((_, i) => (byte)i).ToArray() }) });
            case "digest by the bank's hash":
                var mixed = new FakeTpm(hash: TpmAlgorithm.Sha384);
                mixed.PcrDigest = SHA256.HashData([.. mixed.Pcrs.OrderBy(pcr => pcr.Key).SelectMany(pcr => pcr.Value)]);
                return mixed.Quote(Nonce);
            case "banks joined in another order":
                var two = new FakeTpm { Selection = [(TpmAlgorithm.Sha256, 1u << 17), (TpmAlgorithm.Sha1, 1u << 0)] };
                two.PcrDigest = SHA256.HashData([.. two.Pcrs[0].AsSpan(0, 20), .. two.Pcrs[17]]);
                return two.Quote(Nonce);
            case "event removed": return Swapped(Log(), new LogWriter().Separators());
            case "events of PCR 11 removed": return Swapped(new LogWriter().Separators().Section(".linux", "kernel"), new LogWriter().Separators());
            case "log of another bank":
                byte[] bank = Log().ToArray();
                bank[32 + 28] = 0x0C;
                bank[32 + 30] = 48;
                return tpm.Quote(Nonce, [.. bank.AsSpan(0, 65), .. Sha384Event()]);
            case "Secure Boot's data changed": return Changed(data => data[^1] ^= 1, 7, LogWriter.DriverConfig);
            case "action's data changed": return Changed(data => data[0] ^= 1, 4, LogWriter.EfiAction);
            case "command line changed": return Changed(data => data[^2] ^= 1, 8, LogWriter.Ipl);
            case "separator relabelled":
                var relabelled = new FakeTpm();
                return relabelled.Quote(Nonce, relabelled.Boot(new LogWriter().Add(7, 1, SHA256.HashData(new byte[4]), new byte[4])));
            case "error separator":
                var error = new FakeTpm();
                return error.Quote(Nonce, error.Boot(new LogWriter().Hashed(0, LogWriter.Separator, [1, 0, 0, 0])));
            default: throw new ArgumentOutOfRangeException(nameof(fault), fault, "No such fault.");
        }
    }

    private static byte[] Sha384Event() => [5, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0x0C, 0, .. SHA384.HashData(new byte[4]), 4, 0, 0, 0, 0, 0, 0, 0];

    private static Evidence Swapped(LogWriter booted, LogWriter sent)
    {
        var tpm = new FakeTpm();
        tpm.Boot(booted);
        return tpm.Quote(Nonce, sent.ToArray());
    }

    /// <summary>A log whose first event of a PCR and type says something else than it did, with its digest as it was.</summary>
    private static Evidence Changed(Action<byte[]> change, int pcr, uint type)
    {
        var tpm = new FakeTpm();
        byte[] log = tpm.Boot(Log());
        Assert.True(Cloister.Attestation.Tpm.EventLog.TcgEventLog.Parse(log).TryGetValue(out Cloister.Attestation.Tpm.EventLog.TcgEventLog? read));
        foreach (Cloister.Attestation.Tpm.EventLog.TcgEvent one in read.Events)
        {
            if (one.Pcr != pcr || (uint)one.Type != type) continue;
            byte[] data = log[one.Data..(one.Data + one.DataSize)];
            change(data);
            data.CopyTo(log, one.Data);
            break;
        }
        return tpm.Quote(Nonce, log);
    }

    private static Evidence Of(TpmReport report) => new(TeeKind.Tpm, report.Encode(), default, default, []);
}
