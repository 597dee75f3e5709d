using System.Globalization;
using Cloister.Attestation;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;

namespace Cloister.Cli.Attest;

/// <summary>Says in words what fields of claims mean that are not words themselves.</summary>
internal static class Meanings
{
    private static readonly (int Bit, string Name)[]
        TdAttributes = [(0, "DEBUG"), (28, "SEPT_VE_DISABLE"), (29, "MIGRATABLE"), (30, "PKS"), (31, "KL"), (63, "PERFMON")],
        EnclaveFlags = [(0, "INIT"), (1, "DEBUG"), (2, "MODE64"), (4, "PROVISION_KEY"), (5, "EINITTOKEN_KEY"), (7, "KSS")];

    /// <summary>What a field's value means; null if it says so itself.</summary>
    public static string? Of(TeeKind kind, string field, string value) => (kind, field) switch
    {
        (TeeKind.SevSnp, SnpFields.GuestPolicy) => $"{Flags<SnpGuestPolicyBits>(Bits(value) & ~0xFFFFUL)}; firmware interface {Bits(value) >> 8 & 0xFF}.{Bits(value) & 0xFF} or later",
        (TeeKind.SevSnp, SnpFields.PlatformInfo) => Flags<SnpPlatformBits>(Bits(value)),
        (TeeKind.SevSnp, SnpFields.Product) when value == "None" => "not stated before version 3; the signing key's certificate says it",
        (TeeKind.SevSnp, SnpFields.ChipId) when IsZero(value) => "masked by the host",
        (TeeKind.SevSnp, SnpFields.IdKeyDigest) when IsZero(value) => "no identity block",
        (TeeKind.SevSnp, SnpFields.AuthorKeyDigest) when IsZero(value) => "no author's key",
        (TeeKind.SevSnp, SnpFields.HostData) when IsZero(value) => "none",
        (TeeKind.Tdx, TdxFields.Attributes) => Names(value, TdAttributes),
        (TeeKind.Tdx, TdxFields.MrServiceTd) when IsZero(value) => "no service trust domain is bound",
        (TeeKind.Tdx, TdxFields.MrSignerSeam) when IsZero(value) => "Intel",
        (TeeKind.Sgx, SgxFields.Flags) => Names(value, EnclaveFlags),
        _ when field.StartsWith("pcr.", StringComparison.Ordinal) && IsZero(value) => "never extended",
        _ => null,
    };

    /// <summary>A number that stands in hexadecimal digits, with or without 0x.</summary>
    public static ulong Bits(string value) =>
        ulong.TryParse(value.AsSpan(value.StartsWith("0x", StringComparison.Ordinal) ? 2 : 0), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong bits) ? bits : 0;

    public static bool IsZero(string digits) => digits.All(digit => digit == '0');

    private static string Flags<T>(ulong bits)
        where T : struct, Enum =>
        bits == 0 ? "none" : string.Join(", ", Enumerable.Range(0, 64).Where(bit => (bits >> bit & 1) != 0).Select(bit => Enum.GetName(typeof(T), 1UL << bit) ?? $"bit {bit}"));

    private static string Names(string value, (int Bit, string Name)[] names)
    {
        string[] set = [.. names.Where(one => (Bits(value) >> one.Bit & 1) != 0).Select(one => one.Name)];
        return set.Length == 0 ? "none" : string.Join(", ", set);
    }
}
