using System.Collections.Immutable;
using System.Globalization;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;
using Cloister.Attestation.Tpm;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Attest;

/// <summary>
/// The strictest policy that a proven sample satisfies: what identifies the software must be the same, versions may only rise.
/// What a policy must not accept - debug, a revoked platform, SHA-1 - is refused in the sample.
/// </summary>
internal static class SampledPolicy
{
    // Bits of a guest's policy that have members of their own, or are always one.
    private const ulong NamedGuestPolicy = (1UL << 20) - 1;

    /// <exception cref="CommandException">The sample is of a kind, or in a state, that no strict policy accepts.</exception>
    public static TeePolicy Of(Claims claims) => claims.Kind switch
    {
        TeeKind.SevSnp => Snp(claims),
        TeeKind.Tdx => Tdx(claims),
        TeeKind.Sgx => Sgx(claims),
        TeeKind.Tpm => Tpm(claims),
        _ => throw new CommandException(ExitCode.BadInput, $"There is no policy from {claims.Kind} evidence."),
    };

    private static SnpPolicy Snp(Claims claims)
    {
        ulong guest = Bits(claims, SnpFields.GuestPolicy);
        bool Has(SnpGuestPolicyBits bit) => (guest & (ulong)bit) != 0;
        if (Has(SnpGuestPolicyBits.DebugAllowed)) throw NoDebug("the guest's policy lets the host debug it");
        bool author = Field(claims, SnpFields.AuthorKeyEnabled) == "true";
        SnpTcbMinimum Least(string field) => SnpTcb.TryParse(Field(claims, field), out SnpTcb tcb) ? SnpTcbMinimum.AtLeast(tcb) : SnpTcbMinimum.Any;
        return new SnpPolicy
        {
            AllowDebug = false,
            AllowMigrationAgent = Has(SnpGuestPolicyBits.MigrationAgentAllowed),
            AllowSmt = Has(SnpGuestPolicyBits.SmtAllowed),
            GuestPolicy = BitRequirement.Exactly(guest & ~NamedGuestPolicy),
            Abi = Requirement.Exactly(new Version((int)(guest >> 8 & 0xFF), (int)(guest & 0xFF))),
            Vmpl = Requirement.Exactly(Number(claims, SnpFields.Vmpl)),
            ReportData = Requirement.Any<string>(),
            Measurement = Requirement.Exactly(claims.Measurement),
            HostData = Same(claims, SnpFields.HostData),
            ReportedTcb = Least(SnpFields.ReportedTcb),
            CommittedTcb = Least(SnpFields.CommittedTcb),
            LaunchTcb = Least(SnpFields.LaunchTcb),
            AllowProvisionalFirmware = Field(claims, SnpFields.CurrentTcb) != Field(claims, SnpFields.CommittedTcb) || Field(claims, SnpFields.CurrentFirmware) != Field(claims, SnpFields.CommittedFirmware),
            Firmware = Requirement.AtLeast(Version.Parse(Field(claims, SnpFields.CommittedFirmware))),
            GuestSvn = Requirement.AtLeast(Number(claims, SnpFields.GuestSvn)),
            Mitigations = claims.Fields.ContainsKey(SnpFields.CurrentMitigations) ? new BitRequirement(Bits(claims, SnpFields.CurrentMitigations), ulong.MaxValue) : BitRequirement.Any,
            IdKeyDigest = Same(claims, SnpFields.IdKeyDigest),
            RequireAuthorKey = author,
            AuthorKeyDigest = author ? Same(claims, SnpFields.AuthorKeyDigest) : Requirement.Any<string>(),
            Product = Same(claims, SnpFields.Product),
            SigningKey = Same(claims, SnpFields.SigningKey),
            Provider = Same(claims, SnpFields.Provider),
            ChipId = Requirement.Any<string>(), // the same software on the next machine
            RequireRevocationCheck = Field(claims, SnpFields.Revocation) == "checked",
            FamilyId = Same(claims, SnpFields.FamilyId),
            ImageId = Same(claims, SnpFields.ImageId),
            PlatformInfo = BitRequirement.Exactly(Bits(claims, SnpFields.PlatformInfo)),
        };
    }

    private static TdxPolicy Tdx(Claims claims)
    {
        ulong attributes = Bits(claims, TdxFields.Attributes);
        if ((attributes & TdReport.DebugBits) != 0) throw NoDebug("the trust domain runs under debug");
        return new TdxPolicy
        {
            MrTd = Same(claims, TdxFields.MrTd),
            Rtmr0 = Same(claims, TdxFields.Rtmr(0)),
            Rtmr1 = Same(claims, TdxFields.Rtmr(1)),
            Rtmr2 = Same(claims, TdxFields.Rtmr(2)),
            Rtmr3 = Same(claims, TdxFields.Rtmr(3)),
            MrSeam = Same(claims, TdxFields.MrSeam),
            MrConfigId = Same(claims, TdxFields.MrConfigId),
            MrOwner = Same(claims, TdxFields.MrOwner),
            MrOwnerConfig = Same(claims, TdxFields.MrOwnerConfig),
            MrServiceTd = Requirement.Exactly(claims.Fields.GetValueOrDefault(TdxFields.MrServiceTd, new string('0', 96))),
            Attributes = BitRequirement.Exactly(attributes),
            Xfam = BitRequirement.Exactly(Bits(claims, TdxFields.Xfam)),
            AllowDebug = false,
            Tcb = Tcb(claims),
        };
    }

    private static SgxPolicy Sgx(Claims claims)
    {
        ulong flags = Bits(claims, SgxFields.Flags);
        if ((flags & EnclaveReport.DebugFlag) != 0) throw NoDebug("the enclave runs under debug");
        return new SgxPolicy
        {
            MrEnclave = Same(claims, SgxFields.MrEnclave),
            MrSigner = Same(claims, SgxFields.MrSigner),
            ProductId = Requirement.Exactly(Number(claims, SgxFields.ProductId)),
            Svn = Requirement.AtLeast(Number(claims, SgxFields.Svn)),
            ConfigId = Same(claims, SgxFields.ConfigId),
            ConfigSvn = Requirement.AtLeast(Number(claims, SgxFields.ConfigSvn)),
            FamilyId = Same(claims, SgxFields.FamilyId),
            ExtendedProductId = Same(claims, SgxFields.ExtendedProductId),
            Flags = BitRequirement.Exactly(flags & ~EnclaveReport.ProvisionKeyFlag),
            Xfrm = BitRequirement.Exactly(Bits(claims, SgxFields.Xfrm)),
            AllowDebug = false,
            AllowProvisionKey = (flags & EnclaveReport.ProvisionKeyFlag) != 0,
            Tcb = Tcb(claims),
        };
    }

    private static TcbPolicy Tcb(Claims claims)
    {
        string status = Field(claims, DcapFields.TcbStatus), advisories = Field(claims, DcapFields.Advisories);
        if (!Enum.TryParse(status, out TcbStatus state) || state is TcbStatus.Revoked or TcbStatus.NotSupported or TcbStatus.Unrecognized)
            throw new CommandException(ExitCode.Refused, $"The sample's platform is {status}: no policy accepts that.");
        bool Unless(string field) => Field(claims, field) != "false"; // a certificate that does not say satisfies no policy that asks
        return new TcbPolicy(
            [state],
            advisories.Length == 0 ? [] : [.. advisories.Split(',')],
            claims.Fields.ContainsKey(DcapFields.EvaluationDataNumber) ? Requirement.AtLeast(Number(claims, DcapFields.EvaluationDataNumber)) : Requirement.Any<long>(),
            0,
            Unless(DcapFields.DynamicPlatform),
            Unless(DcapFields.CachedKeys),
            Unless(DcapFields.Smt),
            Field(claims, DcapFields.Trailing) switch { "none" => TrailingBytes.None, "zeros" => TrailingBytes.Zeros, _ => TrailingBytes.Any });
    }

    private static TpmPolicy Tpm(Claims claims)
    {
        (string Name, TpmAlgorithm Bank)[] strongest = [("sha512", TpmAlgorithm.Sha512), ("sha384", TpmAlgorithm.Sha384), ("sha256", TpmAlgorithm.Sha256)];
        string[] quoted = Field(claims, TpmFields.Banks).Split(',');
        (string name, TpmAlgorithm bank) = strongest.FirstOrDefault(one => quoted.Contains(one.Name));
        if (name is null || Field(claims, TpmFields.SignatureHash) == "sha1") throw new CommandException(ExitCode.Refused, "The sample rests on SHA-1, which is broken: no strict policy accepts that.");
        string key = Field(claims, TpmFields.KeyName), subject = Field(claims, TpmFields.CertificateSubject);
        TpmKeyPolicy signer = key.Length > 0 ? new TpmKeyPolicy.Named(Requirement.Exactly(key))
            : subject.Length > 0 ? new TpmKeyPolicy.Certified(Requirement.Exactly(subject), Same(claims, TpmFields.GceProject))
            : throw new CommandException(ExitCode.Refused, "Nothing says whose key signed the sample: give --ak as TPM2B_PUBLIC, or --ak-cert.");
        string? Boot(string what) => claims.Fields.GetValueOrDefault(TpmFields.OfBoot(bank, what));
        Requirement<string> Text(string? value) => value is { Length: > 0 } ? Requirement.Exactly(value) : Requirement.Any<string>();
        var boot = new TpmBootPolicy(
            Boot(TpmFields.Boot.SecureBoot) is { } secure ? Requirement.Exactly(secure == "true") : Requirement.Any<bool>(),
            Boot(TpmFields.Boot.Applications) is { Length: > 0 } applications ? Requirement.OneOf([.. applications.Split(',').Distinct()]) : Requirement.Any<string>(),
            Requirement.Any<string>(), // PCR 8, 9 or 12 pins it, whichever loader measured it
            Text(Boot(TpmFields.Boot.Ima)));
        return new TpmPolicy(
            signer,
            bank,
            Enumerable.Range(0, TpmLayout.PcrCount).Where(pcr => claims.Fields.ContainsKey(TpmFields.Pcr(bank, pcr))).ToImmutableSortedDictionary(pcr => pcr, pcr => Same(claims, TpmFields.Pcr(bank, pcr))),
            boot,
            TpmClockPolicy.Any,
            long.TryParse(Field(claims, TpmFields.FirmwareVersion), NumberStyles.None, CultureInfo.InvariantCulture, out long firmware) ? Requirement.Exactly(firmware) : Requirement.Any<long>());
    }

    private static CommandException NoDebug(string why) => new(ExitCode.Refused, $"The sample is not to be trusted: {why}, and no policy accepts debug unless somebody writes that by hand.");

    private static Requirement<string> Same(Claims claims, string field) => Requirement.Exactly(Field(claims, field));

    private static string Field(Claims claims, string field) => claims.Fields.GetValueOrDefault(field, "");

    private static long Number(Claims claims, string field) => long.Parse(Field(claims, field), NumberStyles.None, CultureInfo.InvariantCulture);

    private static ulong Bits(Claims claims, string field) => Meanings.Bits(Field(claims, field));
}
