using System.Collections.Immutable;
using System.Globalization;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;

namespace Cloister.Attestation;

/// <summary>
/// The trustworthiness vector of one piece of evidence, in the numbers of AR4SI (draft-ietf-rats-ar4si, section 2.3): 2 to 31
/// affirming, 32 to 95 warning, 96 and more contraindicated. What nothing was asked about has no value (docs/formats/ear.md).
/// </summary>
/// <param name="InstanceIdentity">2: the policy names this chip, key or machine.</param>
/// <param name="Configuration">2: approved; 96: it can be debugged, or is otherwise not as wanted.</param>
/// <param name="Executables">3: what was booted is approved; 33: it is not recognized.</param>
/// <param name="Hardware">2: genuine; 32: genuine, with known weaknesses; 96: revoked; 97: not recognized; 99: a signature does not hold.</param>
/// <param name="RuntimeOpaque">2: memory is encrypted against the host; 96: the host can read it.</param>
internal sealed record EarVector(int InstanceIdentity, int Configuration, int Executables, int Hardware, int RuntimeOpaque)
{
    private const int Approved = 2, ApprovedBoot = 3, Weak = 32, NotRecognized = 33, Bad = 96, UnknownHardware = 97, BadSignature = 99;

    private static readonly string[] Identities = ["chip", "ak_binding", "simulation.accepted-host-key"], Measured = ["measurement", "pcrs", "simulation.digest"];

    /// <summary>The least trusted of all values decides; a result that was refused is contraindicated whatever they are.</summary>
    /// <returns><c>none</c>, <c>affirming</c>, <c>warning</c> or <c>contraindicated</c>.</returns>
    public string Status(bool accepted) =>
        Math.Max(InstanceIdentity, Math.Max(Math.Max(Configuration, Executables), Math.Max(Hardware, RuntimeOpaque))) switch
        {
            >= Bad => "contraindicated",
            _ when !accepted => "contraindicated",
            >= Weak => "warning",
            _ when Hardware == 0 => "none",
            _ => "affirming",
        };

    /// <summary>The vector of one piece.</summary>
    /// <param name="claims">What was proven; null if nothing was.</param>
    /// <param name="checks">The checks that looked at it.</param>
    public static EarVector Of(Claims? claims, ImmutableArray<Check> checks)
    {
        bool Asked(string[] ids) => checks.Any(check => check.Verdict == Verdict.Passed && ids.Contains(check.Id) && check.Expected is not (null or "any"));
        bool debug = claims is not null && CanBeDebugged(claims);
        var vector = new EarVector(
            Asked(Identities) ? Approved : 0,
            debug ? Bad : checks.Any(check => check.Id == "policy.debug" && check.Verdict == Verdict.Passed) ? Approved : 0,
            Asked(Measured) ? ApprovedBoot : 0,
            claims is null ? 0 : HardwareOf(claims, checks),
            claims?.Kind is not (TeeKind.SevSnp or TeeKind.Tdx or TeeKind.Sgx) ? 0 : debug ? Bad : Approved);
        return checks.Where(check => check.Verdict == Verdict.Failed).Aggregate(vector, (so, failed) => so.After(failed.Refusal));
    }

    private EarVector After(Refusal refusal) => refusal switch
    {
        Refusal.SignatureInvalid or Refusal.CertificateSignatureInvalid or Refusal.RevocationListSignature or Refusal.QuoteSignature or Refusal.QeReportSignature
            or Refusal.QeReportData or Refusal.TcbInfoSignature or Refusal.QeIdentitySignature => this with { Hardware = BadSignature },
        Refusal.ChainUntrusted or Refusal.PckChainInvalid or Refusal.PckCertificateInvalid or Refusal.QuoteVendor or Refusal.TpmKeyUnknown => this with { Hardware = UnknownHardware },
        Refusal.Revoked => this with { Hardware = Bad },
        Refusal.TcbLevelNotFound or Refusal.TcbStatusNotAccepted or Refusal.AdvisoryNotAccepted or Refusal.TdxModuleSvn or Refusal.SnpTcbBelowMinimum
            or Refusal.SnpFirmwareNotAccepted or Refusal.SnpFirmwareProvisional or Refusal.SnpMitigationMissing => this with { Hardware = Math.Max(Hardware, Weak) },
        Refusal.MeasurementNotAccepted or Refusal.BootNotAccepted => this with { Executables = NotRecognized },
        Refusal.DebugNotAccepted or Refusal.SnpDebugNotAccepted or Refusal.AttributesNotAccepted or Refusal.ServiceTdNotAccepted or Refusal.PlatformNotAccepted
            or Refusal.SnpGuestPolicyNotAccepted or Refusal.SnpMigrationNotAccepted or Refusal.SnpSmtNotAccepted or Refusal.SnpPlatformInfoNotAccepted => this with { Configuration = Bad },
        _ => this,
    };

    private static int HardwareOf(Claims claims, ImmutableArray<Check> checks)
    {
        if (claims.Simulated) return UnknownHardware;
        // A quote by a key that anybody may hold says nothing about hardware.
        if (claims.Kind == TeeKind.Tpm) return checks.Any(check => check.Id == "ak_binding" && check.Verdict == Verdict.Passed && check.Expected != "any") ? Approved : 0;
        if (!claims.Fields.TryGetValue(DcapFields.TcbStatus, out string? status)) return Approved;
        return status switch
        {
            nameof(TcbStatus.UpToDate) => Approved,
            nameof(TcbStatus.Revoked) => Bad,
            _ => Weak,
        };
    }

    private static bool CanBeDebugged(Claims claims) => claims.Kind switch
    {
        TeeKind.SevSnp => (Bits(claims, SnpFields.GuestPolicy) & (ulong)SnpGuestPolicyBits.DebugAllowed) != 0,
        TeeKind.Tdx => (Bits(claims, TdxFields.Attributes) & TdReport.DebugBits) != 0,
        TeeKind.Sgx => (Bits(claims, SgxFields.Flags) & EnclaveReport.DebugFlag) != 0,
        _ => false,
    };

    // A field that is not there or not of its form is taken as the worst it could be.
    private static ulong Bits(Claims claims, string field)
    {
        ReadOnlySpan<char> text = claims.Fields.GetValueOrDefault(field, "");
        return ulong.TryParse(text.StartsWith("0x") ? text[2..] : text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong bits) ? bits : ulong.MaxValue;
    }
}
