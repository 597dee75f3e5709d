using System.Collections.Immutable;
using System.Globalization;

namespace Cloister.Attestation.SevSnp;

/// <summary>What a report says, as claims. Only the verifier makes claims of what it proved; an inspection may show those of any report.</summary>
internal static class SnpClaims
{
    public static Claims Of(SnpReport report, SnpProduct product, string? provider, bool revocationChecked)
    {
        var fields = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        fields[SnpFields.Product] = $"{product}";
        fields[SnpFields.Version] = Number(report.Version);
        fields[SnpFields.SigningKey] = NameOf(report.SigningKey);
        if (provider is not null) fields[SnpFields.Provider] = provider;
        fields[SnpFields.Revocation] = revocationChecked ? "checked" : "not checked";
        fields[SnpFields.ChipId] = Hex(report.ChipId);
        fields[SnpFields.GuestPolicy] = Bits(report.GuestPolicy);
        fields[SnpFields.Vmpl] = Number(report.Vmpl);
        fields[SnpFields.ReportData] = Hex(report.ReportData);
        fields[SnpFields.HostData] = Hex(report.HostData);
        fields[SnpFields.FamilyId] = Hex(report.FamilyId);
        fields[SnpFields.ImageId] = Hex(report.ImageId);
        fields[SnpFields.ReportId] = Hex(report.ReportId);
        fields[SnpFields.MigrationAgentReportId] = Hex(report.MigrationAgentReportId);
        fields[SnpFields.GuestSvn] = Number(report.GuestSvn);
        fields[SnpFields.ReportedTcb] = Tcb(report.ReportedTcb, product);
        fields[SnpFields.CurrentTcb] = Tcb(report.CurrentTcb, product);
        fields[SnpFields.CommittedTcb] = Tcb(report.CommittedTcb, product);
        fields[SnpFields.LaunchTcb] = Tcb(report.LaunchTcb, product);
        fields[SnpFields.CurrentFirmware] = $"{report.CurrentFirmware}";
        fields[SnpFields.CommittedFirmware] = $"{report.CommittedFirmware}";
        fields[SnpFields.PlatformInfo] = Bits(report.PlatformInfo);
        if (report.Version >= 5)
        {
            fields[SnpFields.LaunchMitigations] = Bits(report.LaunchMitigations);
            fields[SnpFields.CurrentMitigations] = Bits(report.CurrentMitigations);
        }
        fields[SnpFields.IdKeyDigest] = Hex(report.IdKeyDigest);
        fields[SnpFields.AuthorKeyDigest] = Hex(report.AuthorKeyDigest);
        fields[SnpFields.AuthorKeyEnabled] = report.AuthorKeyEnabled ? "true" : "false";
        return new Claims(TeeKind.SevSnp, false, Hex(report.Measurement), fields.ToImmutable());
    }

    public static string NameOf(SnpSigningKey key) => key switch
    {
        SnpSigningKey.Vcek => "VCEK",
        SnpSigningKey.Vlek => "VLEK",
        _ => "none",
    };

    public static string Bits(ulong bits) => string.Create(CultureInfo.InvariantCulture, $"0x{bits:x}");

    public static string Hex(ReadOnlyMemory<byte> bytes) => Convert.ToHexStringLower(bytes.Span);

    private static string Number(uint number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Tcb(ReadOnlySpan<byte> bytes, SnpProduct product)
    {
        _ = SnpTcb.TryDecode(bytes, product, out SnpTcb tcb);
        return $"{tcb}";
    }
}
