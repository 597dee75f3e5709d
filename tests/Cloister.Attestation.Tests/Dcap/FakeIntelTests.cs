using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;

namespace Cloister.Tests.Dcap;

/// <summary>One fault at a time, signed for real: each is refused at its own check, with its own number, for TDX and for SGX.</summary>
public sealed class FakeIntelTests
{
    private static readonly VerificationTime Time = VerificationTime.At(FakeIntel.Now);
    private static readonly DcapMemory Memory = new();

    public static TheoryData<string> Names(IEnumerable<string> names) => [.. names];

    private static readonly Dictionary<string, (FakeIntel Fake, string Check, Refusal Refusal)> Faults = new()
    {
        ["certificates neither in the quote nor beside it"] = (new() { CertificationType = 1 }, "chain", Refusal.PckChainInvalid),
        ["leaf of another name"] = (new() { LeafName = "Intel SGX PCK Certificate 2" }, "chain", Refusal.PckCertificateInvalid),
        ["authority of another name"] = (new() { CaName = "Intel SGX Other CA" }, "chain", Refusal.PckCertificateInvalid),
        ["authority by another root"] = (new() { CaSigner = FakeIntel.OtherKey }, "chain", Refusal.CertificateSignatureInvalid),
        ["leaf by another authority"] = (new() { LeafSigner = FakeIntel.OtherKey }, "chain", Refusal.CertificateSignatureInvalid),
        ["leaf that is an authority"] = (new() { LeafIsAuthority = true }, "chain", Refusal.PckChainInvalid),
        ["leaf without the extension"] = (new() { WithoutExtension = true }, "chain", Refusal.PckCertificateInvalid),
        ["two FMSPCs in one certificate"] = (new() { DuplicateExtensionItem = 4 }, "chain", Refusal.PckCertificateInvalid),
        ["TCB signer by another root"] = (new() { TcbCertificateSigner = FakeIntel.OtherKey }, "chain", Refusal.CertificateSignatureInvalid),
        ["TCB signer of another name"] = (new() { TcbSignerName = "Intel SGX PCK Certificate" }, "chain", Refusal.TcbSignerInvalid),
        ["leaf expired"] = (new() { LeafUntil = FakeIntel.Now.AddSeconds(-1) }, "chain_expired", Refusal.Expired),
        ["TCB signer expired"] = (new() { TcbSignerUntil = FakeIntel.Now.AddSeconds(-1) }, "chain_expired", Refusal.Expired),
        ["root list by another key"] = (new() { RootCrlSigner = FakeIntel.OtherKey }, "crl_signature", Refusal.RevocationListSignature),
        ["PCK list by another key"] = (new() { PckCrlSigner = FakeIntel.OtherKey }, "crl_signature", Refusal.RevocationListSignature),
        ["PCK list of another authority"] = (new() { PckCrlIssuer = "Intel SGX PCK Processor CA" }, "crl_signature", Refusal.RevocationListIssuer),
        ["leaf revoked"] = (new() { RevokeLeaf = true }, "revoked", Refusal.Revoked),
        ["authority revoked"] = (new() { RevokeCa = true }, "revoked", Refusal.Revoked),
        ["TCB signer revoked"] = (new() { RevokeTcbSigner = true }, "revoked", Refusal.Revoked),
        ["leaf revoked in an old list"] = (new() { RevokeLeaf = true, CrlUntil = FakeIntel.Now.AddDays(-1) }, "revoked", Refusal.Revoked),
        ["lists expired"] = (new() { CrlUntil = FakeIntel.Now.AddSeconds(-1) }, "crl_expired", Refusal.Expired),
        ["lists from the future"] = (new() { CrlFrom = FakeIntel.Now.AddSeconds(1) }, "crl_expired", Refusal.NotYetValid),
        ["TCB info of other platforms"] = (new() { EditTcbInfo = text => text.Replace("102030405060", "102030405061", StringComparison.Ordinal) }, "tcb_info", Refusal.TcbInfoMismatch),
        ["TCB info of another PCE"] = (new() { EditTcbInfo = text => text.Replace("\"pceId\":\"0000\"", "\"pceId\":\"0001\"", StringComparison.Ordinal) }, "tcb_info", Refusal.TcbInfoMismatch),
        ["TCB info of version 4"] = (new() { EditTcbInfo = text => text.Replace("\"version\":3", "\"version\":4", StringComparison.Ordinal) }, "tcb_info", Refusal.TcbInfoMalformed),
        ["TCB info of another type"] = (new() { EditTcbInfo = text => text.Replace("\"tcbType\":0", "\"tcbType\":1", StringComparison.Ordinal) }, "tcb_info", Refusal.TcbInfoMalformed),
        ["TCB info with two FMSPCs"] = (new() { EditTcbInfo = text => text.Replace("\"pceId\"", "\"fmspc\":\"000000000000\",\"pceId\"", StringComparison.Ordinal) }, "tcb_info", Refusal.TcbInfoMalformed),
        ["TCB info without levels"] = (new() { EditTcbInfo = text => text[..text.LastIndexOf("\"tcbLevels\"", StringComparison.Ordinal)] + "\"tcbLevels\":[]}" }, "tcb_info", Refusal.TcbInfoMalformed),
        ["TCB info signed by another key"] = (new() { TcbSigner = FakeIntel.OtherKey }, "tcb_info_signature", Refusal.TcbInfoSignature),
        ["TCB info with a space more"] = (new() { TamperTcbInfo = text => [.. text, (byte)' '] }, "tcb_info_signature", Refusal.TcbInfoSignature),
        ["TCB info with a healed status"] = (new() { TamperTcbInfo = text => Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(text).Replace("OutOfDate", "UpToDate", StringComparison.Ordinal)) }, "tcb_info_signature", Refusal.TcbInfoSignature),
        ["identity of version 3"] = (new() { EditQeIdentity = text => text.Replace("\"version\":2", "\"version\":3", StringComparison.Ordinal) }, "qe_identity", Refusal.QeIdentityMalformed),
        ["identity signed by another key"] = (new() { QeIdentitySigner = FakeIntel.OtherKey }, "qe_identity_signature", Refusal.QeIdentitySignature),
        ["TCB info expired"] = (new() { EditTcbInfo = text => text.Replace("2026-06-21T12:00:00Z", "2026-06-01T11:59:59Z", StringComparison.Ordinal) }, "collateral_expired", Refusal.Expired),
        ["TCB info from the future"] = (new() { EditTcbInfo = text => text.Replace("2026-05-22T12:00:00Z", "2026-06-01T12:00:01Z", StringComparison.Ordinal) }, "collateral_expired", Refusal.NotYetValid),
        ["identity expired"] = (new() { EditQeIdentity = text => text.Replace("2026-06-21T12:00:00Z", "2026-06-01T11:59:59Z", StringComparison.Ordinal) }, "collateral_expired", Refusal.Expired),
        ["identity from the future"] = (new() { EditQeIdentity = text => text.Replace("2026-05-22T12:00:00Z", "2026-06-01T12:00:01Z", StringComparison.Ordinal) }, "collateral_expired", Refusal.NotYetValid),
        ["quoting enclave by another key"] = (new() { QeSigner = FakeIntel.OtherKey }, "qe_report_signature", Refusal.QeReportSignature),
        ["attestation key of another"] = (new() { EditQeReport = report => report[0x140] ^= 1 }, "qe_report_data", Refusal.QeReportData),
        ["quoting enclave's report data with a tail"] = (new() { EditQeReport = report => report[0x140 + 32] = 1 }, "qe_report_data", Refusal.QeReportData),
        ["quoting enclave under debug"] = (new() { EditQeReport = report => report[0x30] |= 2 }, "qe_identity", Refusal.QeNotAccepted),
        ["quoting enclave of another signer"] = (new() { EditQeReport = report => report[0x80] ^= 1 }, "qe_identity", Refusal.QeNotAccepted),
        ["another product of Intel"] = (new() { EditQeReport = report => report[0x100] = 3 }, "qe_identity", Refusal.QeNotAccepted),
        ["quote by another key"] = (new() { QuoteSigner = FakeIntel.OtherKey }, "quote_signature", Refusal.QuoteSignature),
        ["quoting enclave out of date"] = (new() { QeSvn = 7 }, "tcb_status", Refusal.TcbStatusNotAccepted),
        ["quoting enclave revoked"] = (new() { QeSvn = 5 }, "tcb_status", Refusal.TcbStatusNotAccepted),
        ["quoting enclave below all"] = (new() { QeSvn = 4 }, "tcb_status", Refusal.TcbStatusNotAccepted),
        ["platform out of date"] = (new() { SgxComponents = [6, 7, 3, 3, 255, 255, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0] }, "tcb_status", Refusal.TcbStatusNotAccepted),
        ["PCE out of date"] = (new() { PceSvn = 12 }, "tcb_status", Refusal.TcbStatusNotAccepted),
        ["platform below all"] = (new() { SgxComponents = [7, 7, 3, 3, 254, 255, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0] }, "tcb_level.none", Refusal.TcbLevelNotFound),
        ["PCE below all"] = (new() { PceSvn = 10 }, "tcb_level.none", Refusal.TcbLevelNotFound),
        ["platform revoked"] = (new() { EditTcbInfo = text => Last(text, "\"UpToDate\"", "\"Revoked\"") }, "tcb_status", Refusal.TcbStatusNotAccepted),
        ["status of a later day"] = (new() { EditTcbInfo = text => Last(text, "\"UpToDate\"", "\"QuiteNew\"") }, "tcb_status", Refusal.TcbStatusNotAccepted),
        ["advisory"] = (new() { EditTcbInfo = text => Last(text, "\"UpToDate\"", "\"UpToDate\",\"advisoryIDs\":[\"INTEL-SA-09999\"]") }, "policy.advisory", Refusal.AdvisoryNotAccepted),
        ["collateral of an earlier recovery"] = (new() { EditTcbInfo = text => text.Replace("\"tcbEvaluationDataNumber\":19", "\"tcbEvaluationDataNumber\":18", StringComparison.Ordinal) }, "collateral.rollback", Refusal.CollateralTooOld),
        ["identity of an earlier recovery"] = (new() { EditQeIdentity = text => text.Replace("\"tcbEvaluationDataNumber\":19", "\"tcbEvaluationDataNumber\":18", StringComparison.Ordinal) }, "collateral.rollback", Refusal.CollateralTooOld),
        ["multithreading on"] = (new() { Smt = true }, "policy.platform", Refusal.PlatformNotAccepted),
        ["multithreading unknown"] = (new() { Smt = null }, "policy.platform", Refusal.PlatformNotAccepted),
    };

    private static readonly Dictionary<string, (FakeIntel Fake, string Check, Refusal Refusal)> TdxFaults = new()
    {
        ["module of another signer"] = (new() { EditBody = body => body[64] = 1 }, "tdx_module", Refusal.TdxModuleMismatch),
        ["module not for production"] = (new() { EditBody = body => body[112] = 1 }, "tdx_module", Refusal.TdxModuleMismatch),
        ["module of an unknown version"] = (new() { TeeTcbSvn = FakeIntel.Versions(6, 2, 3) }, "tdx_module", Refusal.TdxModuleUnknown),
        ["module below all"] = (new() { TeeTcbSvn = FakeIntel.Versions(3, 1, 3) }, "tdx_module", Refusal.TdxModuleSvn),
        ["module out of date"] = (new() { TeeTcbSvn = FakeIntel.Versions(5, 1, 3) }, "tcb_status", Refusal.TcbStatusNotAccepted),
        ["loader out of date"] = (new() { TeeTcbSvn = FakeIntel.Versions(6, 1, 2) }, "tcb_status", Refusal.TcbStatusNotAccepted),
        ["loader below all"] = (new() { TeeTcbSvn = FakeIntel.Versions(6, 1, 1) }, "tcb_level.none", Refusal.TcbLevelNotFound),
        ["debug"] = (new() { EditBody = body => body[120] |= 1 }, "policy.debug", Refusal.DebugNotAccepted),
        ["another bit of the debug group"] = (new() { EditBody = body => body[120] |= 0x80 }, "policy.debug", Refusal.DebugNotAccepted),
        ["SEPT_VE_DISABLE missing"] = (new() { EditBody = body => body[123] = 0 }, "policy.td_attributes", Refusal.AttributesNotAccepted),
        ["migratable"] = (new() { EditBody = body => body[123] |= 0x20 }, "policy.td_attributes", Refusal.AttributesNotAccepted),
        ["another processor feature"] = (new() { EditBody = body => body[130] |= 0x06 }, "policy.td_attributes", Refusal.AttributesNotAccepted),
        ["service trust domain"] = (new() { Version = 5, EditBody = body => body[600] = 1 }, "policy.service_td", Refusal.ServiceTdNotAccepted),
        ["other firmware"] = (new() { EditBody = body => body[136] ^= 1 }, "measurement", Refusal.MeasurementNotAccepted),
        ["other TDX module"] = (new() { EditBody = body => body[16] ^= 1 }, "measurement", Refusal.MeasurementNotAccepted),
        ["other kernel"] = (new() { EditBody = body => body[376] ^= 1 }, "measurement", Refusal.MeasurementNotAccepted),
        ["other events"] = (new() { EditBody = body => body[472] ^= 1 }, "measurement", Refusal.MeasurementNotAccepted),
        ["other owner"] = (new() { EditBody = body => body[232] ^= 1 }, "measurement", Refusal.MeasurementNotAccepted),
        ["another nonce"] = (new() { EditBody = body => body[520] ^= 1 }, "report_data", Refusal.ReportDataMismatch),
        ["relaunch advised"] = (new() { Version = 5, TeeTcbSvn = FakeIntel.Versions(5, 1, 3), TeeTcbSvn2 = FakeIntel.Versions(6, 1, 3) }, "tcb_status", Refusal.TcbStatusNotAccepted),
        ["an unknown TEE"] = (new() { EditQuote = quote => quote[4] = 0x42 }, "format", Refusal.QuoteTeeType),
        ["an unknown version"] = (new() { EditQuote = quote => quote[0] = 6 }, "format", Refusal.QuoteVersion),
        ["an unknown key type"] = (new() { EditQuote = quote => quote[2] = 3 }, "format", Refusal.QuoteKeyType),
        ["an unknown quoting enclave"] = (new() { EditQuote = quote => quote[12] ^= 1 }, "format", Refusal.QuoteVendor),
        ["another body size"] = (new() { Version = 5, EditQuote = quote => quote[0x32] ^= 1 }, "format", Refusal.QuoteBody),
        ["another body type"] = (new() { Version = 5, EditQuote = quote => quote[0x30] = 1 }, "format", Refusal.QuoteBody),
        ["a huge signature length"] = (new() { EditQuote = quote => quote[48 + 584 + 3] = 0x7F }, "format", Refusal.QuoteTruncated),
        ["another certification type"] = (new() { EditQuote = quote => quote[48 + 584 + 4 + 128] = 5 }, "format", Refusal.QuoteCertification),
    };

    private static readonly Dictionary<string, (FakeIntel Fake, string Check, Refusal Refusal)> SgxFaults = new()
    {
        ["debug"] = (new() { EditBody = body => body[0x30] |= 2 }, "policy.debug", Refusal.DebugNotAccepted),
        ["provisioning key"] = (new() { EditBody = body => body[0x30] |= 0x10 }, "policy.attributes", Refusal.AttributesNotAccepted),
        ["launch key"] = (new() { EditBody = body => body[0x30] |= 0x20 }, "policy.attributes", Refusal.AttributesNotAccepted),
        ["another processor feature"] = (new() { EditBody = body => body[0x39] |= 2 }, "policy.attributes", Refusal.AttributesNotAccepted),
        ["other enclave"] = (new() { EditBody = body => body[0x40] ^= 1 }, "measurement", Refusal.MeasurementNotAccepted),
        ["other signer"] = (new() { EditBody = body => body[0x80] ^= 1 }, "measurement", Refusal.MeasurementNotAccepted),
        ["other product"] = (new() { EditBody = body => body[0x100] ^= 1 }, "measurement", Refusal.MeasurementNotAccepted),
        ["old enclave"] = (new() { EditBody = body => body[0x102] = 3 }, "measurement", Refusal.MeasurementNotAccepted),
        ["other configuration"] = (new() { EditBody = body => body[0xC0] ^= 1 }, "measurement", Refusal.MeasurementNotAccepted),
        ["another nonce"] = (new() { EditBody = body => body[0x140] ^= 1 }, "report_data", Refusal.ReportDataMismatch),
    };

    public static TheoryData<string> CommonNames => Names(Faults.Keys);

    public static TheoryData<string> TdxNames => Names(TdxFaults.Keys);

    public static TheoryData<string> SgxNames => Names(SgxFaults.Keys);

    [Theory]
    [MemberData(nameof(CommonNames))]
    public void A_fault_that_both_can_have_is_refused_at_its_check(string name)
    {
        (FakeIntel fake, string check, Refusal refusal) = Faults[name];
        AssertRefused(Run(fake), check, refusal);
        AssertRefused(Run(AsSgx(fake)), check, refusal);
    }

    [Theory]
    [MemberData(nameof(TdxNames))]
    public void A_fault_of_a_trust_domain_is_refused_at_its_check(string name)
    {
        (FakeIntel fake, string check, Refusal refusal) = TdxFaults[name];
        AssertRefused(Run(fake), check, refusal);
    }

    [Theory]
    [MemberData(nameof(SgxNames))]
    public void A_fault_of_an_enclave_is_refused_at_its_check(string name)
    {
        (FakeIntel fake, string check, Refusal refusal) = SgxFaults[name];
        AssertRefused(Run(AsSgx(fake)), check, refusal);
    }

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

    private static Endorsements Given(FakeIntel fake) => new([new Endorsement(DcapCollateral.EndorsementKind, fake.Collateral().ToJson())]);

    private static IVerifier Verifier(FakeIntel fake) => fake.Sgx ? new SgxVerifier(Memory) : new TdxVerifier(Memory);

    private static ImmutableArray<Check> Run(FakeIntel fake, TeePolicy? policy = null, VerificationTime? time = null)
    {
        IAppraiser appraiser = fake.Sgx ? new SgxAppraiser() : new TdxAppraiser();
        var evidence = new Evidence(fake.Kind, fake.Quote(), default, default, []);
        Proof proof = Verifier(fake).Prove(evidence, FakeIntel.ReportData, Given(fake), fake.Anchors, time ?? Time);
        return [.. proof.Checks, .. proof.Claims is { } claims ? appraiser.Judge(claims, policy ?? (fake.Sgx ? DcapPolicies.Sgx : DcapPolicies.Tdx), time ?? Time) : []];
    }

    private static string? Status(FakeIntel fake)
    {
        var evidence = new Evidence(fake.Kind, fake.Quote(), default, default, []);
        return Verifier(fake).Prove(evidence, FakeIntel.ReportData, Given(fake), fake.Anchors, Time).Claims?.Fields[DcapFields.TcbStatus];
    }

    private static void AssertRefused(ImmutableArray<Check> checks, string id, Refusal refusal)
    {
        Check failed = Assert.IsType<Check>(Failed(checks));
        Assert.Equal((id, refusal), (failed.Id, failed.Refusal));
        Assert.NotEmpty(failed.Reason);
    }

    private static Check? Failed(ImmutableArray<Check> checks) => checks.FirstOrDefault(check => check.Verdict != Verdict.Passed);

    /// <summary>The same fault in an enclave.</summary>
    private static FakeIntel AsSgx(FakeIntel fake) => new()
    {
        Sgx = true,
        Version = 3,
        Fmspc = fake.Fmspc,
        SgxComponents = fake.SgxComponents,
        PceSvn = fake.PceSvn,
        CertificationType = fake.CertificationType,
        LeafName = fake.LeafName,
        CaName = fake.CaName,
        TcbSignerName = fake.TcbSignerName,
        LeafUntil = fake.LeafUntil,
        TcbSignerUntil = fake.TcbSignerUntil,
        LeafIsAuthority = fake.LeafIsAuthority,
        WithoutExtension = fake.WithoutExtension,
        DuplicateExtensionItem = fake.DuplicateExtensionItem,
        Smt = fake.Smt,
        CaSigner = fake.CaSigner,
        LeafSigner = fake.LeafSigner,
        TcbCertificateSigner = fake.TcbCertificateSigner,
        RootCrlSigner = fake.RootCrlSigner,
        PckCrlSigner = fake.PckCrlSigner,
        PckCrlIssuer = fake.PckCrlIssuer,
        RevokeLeaf = fake.RevokeLeaf,
        RevokeCa = fake.RevokeCa,
        RevokeTcbSigner = fake.RevokeTcbSigner,
        CrlFrom = fake.CrlFrom,
        CrlUntil = fake.CrlUntil,
        EditTcbInfo = fake.EditTcbInfo,
        EditQeIdentity = fake.EditQeIdentity,
        TamperTcbInfo = fake.TamperTcbInfo,
        TamperQeIdentity = fake.TamperQeIdentity,
        TcbSigner = fake.TcbSigner,
        QeIdentitySigner = fake.QeIdentitySigner,
        EditBody = fake.EditBody,
        EditQeReport = fake.EditQeReport,
        QeSvn = fake.QeSvn,
        QeSigner = fake.QeSigner,
        QuoteSigner = fake.QuoteSigner,
    };

    /// <summary>Replaces in the platform's levels, which stand last: the first of them is the newest.</summary>
    private static string Last(string text, string old, string with)
    {
        int levels = text.LastIndexOf("\"tcbLevels\"", StringComparison.Ordinal), at = text.IndexOf(old, levels, StringComparison.Ordinal);
        return text[..at] + with + text[(at + old.Length)..];
    }

    /// <summary>The two levels in the other order.</summary>
    private static string Swapped(string text)
    {
        int start = text.LastIndexOf("\"tcbLevels\":[", StringComparison.Ordinal) + "\"tcbLevels\":[".Length;
        int middle = text.IndexOf(",{\"tcb\"", start, StringComparison.Ordinal);
        return text[..start] + text[(middle + 1)..^2] + "," + text[start..middle] + "]}";
    }
}
