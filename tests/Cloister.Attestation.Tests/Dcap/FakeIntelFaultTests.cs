using System.Text;
using Cloister.Attestation;
using static Cloister.Tests.Dcap.FakeIntelRun;
using static Cloister.Tests.Dcap.TcbLevelsText;

namespace Cloister.Tests.Dcap;

/// <summary>One fault at a time, signed for real: each is refused at its own check, with its own number, for TDX and for SGX.</summary>
public sealed class FakeIntelFaultTests
{
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
        AssertRefused(Run(fake.InEnclave()), check, refusal);
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
        AssertRefused(Run(fake.InEnclave()), check, refusal);
    }
}
