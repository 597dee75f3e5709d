using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;
using static Cloister.Tests.Dcap.FakeIntelRun;
using static Cloister.Tests.Dcap.TcbLevelsText;

namespace Cloister.Tests.Dcap;

/// <summary>What holds for evidence beyond single faults: statuses, grace, bytes, sets, and what is remembered.</summary>
public sealed class FakeIntelTests
{
    [Fact]
    public void What_is_in_order_is_accepted()
    {
        FakeIntel[] fakes =
        [
            new(),
            new() { Version = 5 },
            new() { Sgx = true, Version = 3 },
            new() { Sgx = true, Version = 4 },
            new() { Sgx = true, Version = 5 },
            new() { ReverseExtension = true, UnknownExtensionItem = true },
            new() { CaName = "Intel SGX PCK Processor CA" },
            new() { CertificationType = 4 },
            new() { CertificationType = 1, ChainBeside = true },
            new() { CertificationType = 7, ChainBeside = true },
            new() { ChainBeside = true },
            new() { TeeTcbSvn = FakeIntel.Versions(5, 0, 3) }, // the base module: the platform's level speaks of its security version
            new() { EditTcbInfo = text => text.Replace("TDX_01", "tdx_01", StringComparison.Ordinal) },
            new() { EditTcbInfo = text => text.Replace("\"tcbType\"", "\"somethingNew\":{\"fmspc\":[1]},\"tcbType\"", StringComparison.Ordinal) },
            new() { EditTcbInfo = Swapped },
            new() { SgxComponents = [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255], PceSvn = 65535 },
        ];
        foreach (FakeIntel fake in fakes)
            Assert.All(Run(fake), check => Assert.Equal(Verdict.Passed, check.Verdict));
    }

    [Fact]
    public void What_todays_verifiers_get_wrong_is_right()
    {
        // A platform whose level is revoked, out of date or needs configuration stays so under an up-to-date module of version 1.
        foreach (string status in (string[])["Revoked", "OutOfDate", "ConfigurationNeeded", "SWHardeningNeeded"])
            Assert.Equal(status, Status(new() { EditTcbInfo = text => Last(text, "\"UpToDate\"", $"\"{status}\"") }));
        // Components 0 and 1 of TDX levels do not count from module version 1 on; all others do.
        Assert.Equal("UpToDate", Status(new() { EditTcbInfo = text => text.Replace("\"tdxtcbcomponents\":[{\"svn\":5},{\"svn\":0}", "\"tdxtcbcomponents\":[{\"svn\":99},{\"svn\":9}", StringComparison.Ordinal) }));
        Assert.Equal("OutOfDate", Status(new() { EditTcbInfo = text => text.Replace("{\"svn\":5},{\"svn\":0},{\"svn\":3},{\"svn\":0}", "{\"svn\":5},{\"svn\":0},{\"svn\":3},{\"svn\":1}", StringComparison.Ordinal) }));
        // The TDX level may be lower than the first SGX level that is reached; revoked, that one counts all the same.
        Assert.Equal("Revoked", Status(new() { TeeTcbSvn = FakeIntel.Versions(6, 1, 2), EditTcbInfo = text => Last(text, "\"UpToDate\"", "\"Revoked\"") }));
        // A module that is out of date pulls down each platform status by its own rule.
        (string Platform, string Whole)[] pairs = [("UpToDate", "OutOfDate"), ("SWHardeningNeeded", "OutOfDate"), ("ConfigurationNeeded", "OutOfDateConfigurationNeeded"), ("ConfigurationAndSWHardeningNeeded", "OutOfDateConfigurationNeeded"), ("OutOfDate", "OutOfDate"), ("OutOfDateConfigurationNeeded", "OutOfDateConfigurationNeeded"), ("Revoked", "Revoked")];
        foreach ((string platform, string whole) in pairs)
        {
            Assert.Equal(whole, Status(new() { TeeTcbSvn = FakeIntel.Versions(5, 1, 3), EditTcbInfo = text => Last(text, "\"UpToDate\"", $"\"{platform}\"") }));
            Assert.Equal(whole, Status(new() { QeSvn = 6, EditTcbInfo = text => Last(text, "\"UpToDate\"", $"\"{platform}\"") }));
        }
        Assert.Equal("Revoked", Status(new() { EditTcbInfo = text => text.Replace("\"isvsvn\":6},\"tcbDate\":\"2026-02-11T00:00:00Z\",\"tcbStatus\":\"UpToDate\"", "\"isvsvn\":6},\"tcbDate\":\"2026-02-11T00:00:00Z\",\"tcbStatus\":\"Revoked\"", StringComparison.Ordinal) }));
    }

    [Fact]
    public void Relaunch_is_advised_only_where_it_heals()
    {
        FakeIntel old = new() { Version = 5, TeeTcbSvn = FakeIntel.Versions(5, 1, 3), TeeTcbSvn2 = FakeIntel.Versions(6, 1, 3) };
        Assert.Equal("TDRelaunchAdvised", Status(old));
        Assert.Equal("TDRelaunchAdvisedConfigurationNeeded", Status(new() { Version = 5, TeeTcbSvn = old.TeeTcbSvn, TeeTcbSvn2 = old.TeeTcbSvn2, EditTcbInfo = text => Last(text, "\"UpToDate\"", "\"ConfigurationNeeded\"") }));
        Assert.Equal("OutOfDate", Status(new() { Version = 5, TeeTcbSvn = old.TeeTcbSvn, TeeTcbSvn2 = FakeIntel.Versions(5, 1, 3) })); // the running module is old too
        Assert.Equal("OutOfDate", Status(new() { Version = 5, TeeTcbSvn = old.TeeTcbSvn, TeeTcbSvn2 = FakeIntel.Versions(6, 1, 2) })); // the running loader is old
        Assert.Equal("OutOfDate", Status(new() { Version = 5, TeeTcbSvn = old.TeeTcbSvn, TeeTcbSvn2 = FakeIntel.Versions(6, 7, 3) })); // nobody knows the running module
        Assert.Equal("OutOfDate", Status(new() { Version = 5, TeeTcbSvn = old.TeeTcbSvn, TeeTcbSvn2 = old.TeeTcbSvn2, QeSvn = 6 }));
        Assert.Equal("Revoked", Status(new() { Version = 5, TeeTcbSvn = old.TeeTcbSvn, TeeTcbSvn2 = old.TeeTcbSvn2, QeSvn = 5 }));
        Assert.Equal("Revoked", Status(new() { Version = 5, TeeTcbSvn = old.TeeTcbSvn, TeeTcbSvn2 = old.TeeTcbSvn2, EditTcbInfo = text => Last(text, "\"UpToDate\"", "\"Revoked\"") }));
        Assert.Equal("OutOfDate", Status(new() { TeeTcbSvn = old.TeeTcbSvn })); // TDX 1.0 does not say what runs now
    }

    [Fact]
    public void Grace_is_counted_from_the_levels_date_and_needs_a_clock()
    {
        FakeIntel fake = new() { PceSvn = 12 }; // its level is of 2024-03-13, 810.5 days ago
        TdxPolicy Policy(int days) => DcapPolicies.Tdx with { Tcb = DcapPolicies.Tcb with { GraceDays = days, Advisories = null } };
        Assert.Null(Failed(Run(fake, Policy(811))));
        Assert.Equal("tcb_status", Failed(Run(fake, Policy(810)))!.Id);
        Assert.Equal("tcb_status", Failed(Run(fake, Policy(811), VerificationTime.NoTimeCheck))!.Id);
        Assert.Equal("tcb_status", Failed(Run(new() { RevokeLeaf = false, QeSvn = 5 }, Policy(3650)))!.Id);
    }

    [Fact]
    public void Without_a_clock_nothing_is_too_old_and_all_else_still_counts()
    {
        Assert.Null(Failed(Run(new() { CrlUntil = FakeIntel.Now.AddYears(-1), CrlFrom = FakeIntel.Now.AddYears(-2), LeafUntil = FakeIntel.Now.AddYears(-1) }, time: VerificationTime.NoTimeCheck)));
        Assert.Equal("revoked", Failed(Run(new() { RevokeLeaf = true }, time: VerificationTime.NoTimeCheck))!.Id);
    }

    [Fact]
    public void Signatures_alone_are_accepted_only_by_a_verifier_and_a_policy_made_for_it()
    {
        FakeIntel fake = new() { RevokeLeaf = true };
        var evidence = new Evidence(TeeKind.Tdx, fake.Quote(), default, default, []);
        Proof proof = TdxVerifier.SignatureOnly(Memory).Prove(evidence, FakeIntel.ReportData, Endorsements.None, fake.Anchors, Time);
        Claims claims = Assert.IsType<Claims>(proof.Claims);
        Assert.Equal("tcb_status", Failed(new TdxAppraiser().Judge(claims, DcapPolicies.Tdx with { Tcb = DcapPolicies.Tcb with { EvaluationDataNumber = Requirement.Any<long>() } }, Time))!.Id);
        Assert.Null(Failed(new TdxAppraiser().Judge(claims, DcapPolicies.Tdx with { Tcb = DcapPolicies.Tcb with { Statuses = [TcbStatus.NotEvaluated] } }, Time)));
        Proof whole = new TdxVerifier(Memory).Prove(evidence, FakeIntel.ReportData, Endorsements.None, fake.Anchors, Time);
        Assert.Equal(Refusal.CollateralMissing, Failed(whole.Checks)!.Refusal);
        Assert.Null(whole.Claims);
    }

    [Fact]
    public void What_follows_the_quote_is_for_the_policy_to_accept()
    {
        FakeIntel fake = new();
        foreach ((byte[] tail, TrailingBytes least) in ((byte[], TrailingBytes)[])[([], TrailingBytes.None), (new byte[70], TrailingBytes.Zeros), ([0, 0, 1], TrailingBytes.Any)])
            foreach (TrailingBytes accepted in Enum.GetValues<TrailingBytes>())
            {
                var evidence = new Evidence(TeeKind.Tdx, (byte[])[.. fake.Quote(), .. tail], default, default, []);
                Proof proof = new TdxVerifier(Memory).Prove(evidence, FakeIntel.ReportData, Given(fake), fake.Anchors, Time);
                Check? failed = Failed(new TdxAppraiser().Judge(proof.Claims!, DcapPolicies.Tdx with { Tcb = DcapPolicies.Tcb with { Trailing = accepted } }, Time));
                Assert.Equal(accepted >= least ? null : "policy.trailing", failed?.Id);
            }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_flipped_byte_that_is_signed_is_refused(bool sgx)
    {
        FakeIntel fake = sgx ? new() { Sgx = true, Version = 3 } : new() { Version = 5 };
        byte[] quote = fake.Quote();
        DcapQuote parsed = QuoteLayout.Parse(quote).Value;
        Endorsements given = Given(fake);
        IVerifier verifier = Verifier(fake);
        // The quote's header and body, all signatures, keys, the quoting enclave's report and its authentication data.
        int end = parsed.Signed.Length + 4 + 128 + (sgx ? 0 : 6) + 384 + 64 + 2 + 32;
        for (int i = 0; i < end; i++)
        {
            quote[i] ^= 0x40;
            Proof proof = verifier.Prove(new Evidence(fake.Kind, quote, default, default, []), FakeIntel.ReportData, given, fake.Anchors, Time);
            Assert.True(proof.Claims is null, $"byte {i}");
            quote[i] ^= 0x40;
        }
        Assert.NotNull(verifier.Prove(new Evidence(fake.Kind, quote, default, default, []), FakeIntel.ReportData, given, fake.Anchors, Time).Claims);
    }

    [Fact]
    public void Every_flipped_byte_of_signed_collateral_is_refused()
    {
        FakeIntel fake = new();
        byte[] quote = fake.Quote();
        DcapCollateral good = fake.Collateral();
        var evidence = new Evidence(TeeKind.Tdx, quote, default, default, []);
        void AllFlips(ReadOnlyMemory<byte> part, Func<byte[], DcapCollateral> with)
        {
            for (int i = 0; i < part.Length; i++)
            {
                byte[] changed = part.ToArray();
                changed[i] ^= 1;
                var given = new Endorsements([new Endorsement(DcapCollateral.EndorsementKind, with(changed).ToJson())]);
                Assert.Null(new TdxVerifier(Memory).Prove(evidence, FakeIntel.ReportData, given, fake.Anchors, Time).Claims);
            }
        }
        AllFlips(good.TcbInfo, changed => good with { TcbInfo = changed });
        AllFlips(good.QeIdentity, changed => good with { QeIdentity = changed });
        AllFlips(good.TcbInfoSignature, changed => good with { TcbInfoSignature = changed });
        AllFlips(good.RootCrl, changed => good with { RootCrl = changed });
        AllFlips(good.PckCrl, changed => good with { PckCrl = changed });
    }

    [Fact]
    public void A_set_bound_to_a_peer_is_appraised_as_a_whole()
    {
        byte[] reportData = Sample.Binding.ReportData(Sample.RuntimeData, []);
        FakeIntel fake = new() { EditBody = body => reportData.CopyTo(body, 520) };
        var evidence = new Evidence(TeeKind.Tdx, fake.Quote(), default, Sample.RuntimeData, [.. Given(fake).Items]);
        var set = new EvidenceSet(evidence, [], Sample.Binding);
        var registry = new VerifierRegistry([new TdxVerifier()], [new TdxAppraiser()], fake.Anchors);
        PackagePolicy policy = PolicyReader.Read(PolicyWriter.Write(DcapPolicies.Tdx)).Value;
        AttestationResult result = registry.Appraise(EvidenceCodec.Encode(set), Sample.Binding, policy, Time);
        Assert.Equal("aaaa", result.RequireAccepted().Measurement[..4]);
        Assert.Equal(Refusal.ReportDataMismatch, registry.Appraise(set with { Primary = evidence with { RuntimeData = "other"u8.ToArray() } }, Sample.Binding, policy, Time).Refused!.Refusal);
        Assert.Equal(Refusal.PckChainInvalid, VerifierRegistry.CreateDefault().Appraise(set, Sample.Binding, policy, Time).Refused!.Refusal); // Intel's own root did not sign it
        // What the caller fetched stands before what the maker attached.
        var fetched = new Endorsements([.. Given(new FakeIntel { RevokeLeaf = true, EditBody = fake.EditBody }).Items]);
        Assert.Equal(Refusal.Revoked, registry.Appraise(set, Sample.Binding, policy, Time, fetched).Refused!.Refusal);
    }

    [Fact]
    public void A_quote_of_the_other_kind_is_refused()
    {
        FakeIntel enclave = new() { Sgx = true, Version = 3 }, domain = new();
        Assert.Equal(Refusal.QuoteTeeType, Failed(new TdxVerifier(Memory).Prove(new Evidence(TeeKind.Tdx, enclave.Quote(), default, default, []), FakeIntel.ReportData, Given(enclave), enclave.Anchors, Time).Checks)!.Refusal);
        Assert.Equal(Refusal.QuoteTeeType, Failed(new SgxVerifier(Memory).Prove(new Evidence(TeeKind.Sgx, domain.Quote(), default, default, []), FakeIntel.ReportData, Given(domain), domain.Anchors, Time).Checks)!.Refusal);
        Assert.Equal("tcb_info", Failed(new TdxVerifier(Memory).Prove(new Evidence(TeeKind.Tdx, domain.Quote(), default, default, []), FakeIntel.ReportData, Given(enclave), domain.Anchors, Time).Checks)!.Id);
    }

    [Fact]
    public void What_is_remembered_does_not_change_an_outcome()
    {
        FakeIntel good = new(), revoked = new() { RevokeLeaf = true };
        var memory = new DcapMemory();
        var verifier = new TdxVerifier(memory);
        byte[] quote = good.Quote(), collateral = good.Collateral().ToJson();
        Proof Prove(byte[] quoted, byte[] given, VerificationTime time) => verifier.Prove(new Evidence(TeeKind.Tdx, quoted, default, default, []), FakeIntel.ReportData, new Endorsements([new Endorsement(DcapCollateral.EndorsementKind, given)]), good.Anchors, time);
        for (int round = 0; round < 3; round++)
        {
            Assert.NotNull(Prove(quote, collateral, Time).Claims);
            Assert.Equal("collateral_expired", Failed(Prove(quote, collateral, VerificationTime.At(FakeIntel.Now.AddDays(21))).Checks)!.Id);
            Assert.Equal("chain_expired", Failed(Prove(quote, collateral, VerificationTime.At(FakeIntel.Now.AddYears(20))).Checks)!.Id);
            Assert.Equal("revoked", Failed(Prove(quote, revoked.Collateral().ToJson(), Time).Checks)!.Id);
            byte[] changed = [.. quote];
            changed[200] ^= 1;
            Assert.Equal("quote_signature", Failed(Prove(changed, collateral, Time).Checks)!.Id);
        }
        // The caller's buffers are not kept: changing them afterwards changes nothing that was remembered.
        byte[] kept = [.. quote], keptCollateral = [.. collateral];
        quote.AsSpan().Clear();
        collateral.AsSpan().Clear();
        Assert.NotNull(Prove(kept, keptCollateral, Time).Claims);
    }

    [Fact]
    public void Intels_root_is_pinned() =>
        Assert.Equal("44A0196B2B99F889B8E149E95B807A350E7424964399E885A7CBB8CCFAB674D3", Convert.ToHexString(SHA256.HashData(IntelAnchors.ReadPinned())));
}
