using System.Globalization;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;
using Cloister.Attestation.Tpm;

namespace Cloister.Cli.Attest;

/// <summary>Tells in sentences what evidence states.</summary>
internal static class Story
{
    public static IEnumerable<string> Of(Claims claims)
    {
        string Field(string name) => claims.Fields.GetValueOrDefault(name, "");
        string Meaning(string name) => Meanings.Of(claims.Kind, name, Field(name)) ?? Field(name);
        return claims.Kind switch
        {
            TeeKind.SevSnp => Snp(claims, Field, Meaning),
            TeeKind.Tdx => [.. Tdx(Field, Meaning), .. Platform(Field)],
            TeeKind.Sgx => [.. Sgx(Field, Meaning), .. Platform(Field)],
            TeeKind.Tpm => Tpm(claims, Field),
            _ => [$"Evidence of {claims.Kind} with the measurement {claims.Measurement}."],
        };
    }

    private static IEnumerable<string> Snp(Claims claims, Func<string, string> field, Func<string, string> meaning)
    {
        ulong policy = Meanings.Bits(field(SnpFields.GuestPolicy));
        bool Has(SnpGuestPolicyBits bit) => (policy & (ulong)bit) != 0;
        yield return $"A guest of AMD SEV-SNP{(field(SnpFields.Product) is "None" ? "" : $" on a {field(SnpFields.Product)} processor")}, reported in version {field(SnpFields.Version)} at privilege level {field(SnpFields.Vmpl)}, signed by a {field(SnpFields.SigningKey)}.";
        yield return Meanings.IsZero(field(SnpFields.ChipId)) ? "The host masks which chip it runs on." : $"It runs on the chip {field(SnpFields.ChipId)}.";
        yield return $"It was launched with the measurement {claims.Measurement}; the host gave {(Meanings.IsZero(field(SnpFields.HostData)) ? "no data" : $"the data {field(SnpFields.HostData)}")}.";
        yield return $"Its policy {(Has(SnpGuestPolicyBits.DebugAllowed) ? "LETS THE HOST DEBUG IT, that is read all of its memory" : "forbids debugging")}, {(Has(SnpGuestPolicyBits.MigrationAgentAllowed) ? "lets a migration agent in" : "lets no migration agent in")}, and {(Has(SnpGuestPolicyBits.SmtAllowed) ? "allows" : "forbids")} simultaneous multithreading.";
        yield return $"Its image has the security version {field(SnpFields.GuestSvn)}; the key of its identity block: {meaning(SnpFields.IdKeyDigest)}.";
        yield return $"The TCB it reports is {field(SnpFields.ReportedTcb)}; the host can go back to {field(SnpFields.CommittedTcb)}{(field(SnpFields.CurrentTcb) == field(SnpFields.CommittedTcb) ? ", which is what runs" : $", while {field(SnpFields.CurrentTcb)} runs")}.";
        yield return $"Firmware {field(SnpFields.CommittedFirmware)}; the platform has switched on: {meaning(SnpFields.PlatformInfo)}.";
        yield return $"It signed the report data {field(SnpFields.ReportData)}.";
    }

    private static IEnumerable<string> Tdx(Func<string, string> field, Func<string, string> meaning)
    {
        bool debug = (Meanings.Bits(field(TdxFields.Attributes)) & TdReport.DebugBits) != 0;
        yield return $"A trust domain of Intel TDX, quoted in version {field(DcapFields.QuoteVersion)}{(debug ? ", which RUNS UNDER DEBUG: the host reads and changes all of it" : ", not under debug")}; attributes: {meaning(TdxFields.Attributes)}.";
        yield return $"It was launched with the firmware {field(TdxFields.MrTd)} under the TDX module {field(TdxFields.MrSeam)}, signed by {meaning(TdxFields.MrSignerSeam)}.";
        yield return $"Its registers: firmware configuration {field(TdxFields.Rtmr(0))}; kernel {field(TdxFields.Rtmr(1))}; command line and initial file system {field(TdxFields.Rtmr(2))}; applications {field(TdxFields.Rtmr(3))}.";
        yield return $"It signed the report data {field(DcapFields.ReportData)}.";
    }

    private static IEnumerable<string> Sgx(Func<string, string> field, Func<string, string> meaning)
    {
        bool debug = (Meanings.Bits(field(SgxFields.Flags)) & EnclaveReport.DebugFlag) != 0;
        yield return $"An enclave of Intel SGX{(debug ? ", which RUNS UNDER DEBUG: the host reads and changes all of it" : ", not under debug")}; flags: {meaning(SgxFields.Flags)}.";
        yield return $"Its code is {field(SgxFields.MrEnclave)}, signed by {field(SgxFields.MrSigner)} as product {field(SgxFields.ProductId)}, security version {field(SgxFields.Svn)}.";
        yield return $"It signed the report data {field(DcapFields.ReportData)}.";
    }

    private static IEnumerable<string> Platform(Func<string, string> field)
    {
        if (field(DcapFields.Fmspc) is { Length: > 0 } fmspc) yield return $"It runs on a platform of the family {fmspc}.";
        if (field(DcapFields.TcbStatus) is "NotEvaluated") yield return "Whether the platform is up to date was not looked at.";
        else yield return $"The platform is {field(DcapFields.TcbStatus)} as of the TCB level of {field(DcapFields.TcbDate)}; advisories: {(field(DcapFields.Advisories) is { Length: > 0 } advisories ? advisories : "none")}.";
    }

    private static IEnumerable<string> Tpm(Claims claims, Func<string, string> field)
    {
        yield return $"A quote of a TPM, signed by the key {(field(TpmFields.KeyName) is { Length: > 0 } name ? name : "without a name")} ({field(TpmFields.KeyAlgorithm)}) for the nonce {field(TpmFields.Nonce)}.";
        if (field(TpmFields.CertificateSubject) is { Length: > 0 } subject) yield return $"{field(TpmFields.CertificateIssuer)} certifies that key for {subject}.";
        yield return string.Create(CultureInfo.InvariantCulture, $"It covers {claims.Fields.Keys.Count(key => key.StartsWith("pcr.", StringComparison.Ordinal))} registers in {field(TpmFields.Banks)}.");
        yield return $"Its reset count is {field(TpmFields.ResetCount)}, its restart count {field(TpmFields.RestartCount)}; a key outside the endorsement hierarchy is told blurred ones.";
        foreach ((string key, string value) in claims.Fields.Where(one => one.Key.StartsWith("boot.", StringComparison.Ordinal)).OrderBy(one => one.Key, StringComparer.Ordinal))
            yield return $"Registers and log prove: {key} = {value}.";
    }
}
