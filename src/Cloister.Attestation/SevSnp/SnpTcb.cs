using System.Globalization;

namespace Cloister.Attestation.SevSnp;

/// <summary>Security versions of what a platform runs. Compared component by component, never as one number.</summary>
/// <param name="Fmc">The first mutable code's; 0 on products before Turin, which have none.</param>
/// <param name="Bootloader">The bootloader's.</param>
/// <param name="Tee">The secure processor's operating system's.</param>
/// <param name="Snp">The SNP firmware's.</param>
/// <param name="Microcode">The lowest microcode patch level of all cores.</param>
public readonly record struct SnpTcb(byte Fmc, byte Bootloader, byte Tee, byte Snp, byte Microcode)
{
    /// <summary>Bytes of a TCB_VERSION.</summary>
    internal const int Size = 8;

    /// <summary>Whether every component is at least the other's.</summary>
    public bool IsAtLeast(SnpTcb minimum) =>
        Fmc >= minimum.Fmc && Bootloader >= minimum.Bootloader && Tee >= minimum.Tee && Snp >= minimum.Snp && Microcode >= minimum.Microcode;

    /// <summary>The components by name, such as <c>fmc=1,bl=2,tee=0,snp=8,ucode=115</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"fmc={Fmc},bl={Bootloader},tee={Tee},snp={Snp},ucode={Microcode}");

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out SnpTcb tcb)
    {
        tcb = default;
        Span<Range> parts = stackalloc Range[6];
        if (text.Split(parts, ',') != 5) return false;
        if (!TryPart(text[parts[0]], "fmc=", out byte fmc) || !TryPart(text[parts[1]], "bl=", out byte bootloader) || !TryPart(text[parts[2]], "tee=", out byte tee)
            || !TryPart(text[parts[3]], "snp=", out byte snp) || !TryPart(text[parts[4]], "ucode=", out byte microcode)) return false;
        tcb = new SnpTcb(fmc, bootloader, tee, snp, microcode);
        return true;
    }

    /// <summary>Reads a TCB_VERSION (AMD 56860, TCB_VERSION; another order since family 1Ah). False if a reserved byte is not zero.</summary>
    /// <param name="bytes">Its 8 bytes.</param>
    /// <param name="product">The product that wrote it.</param>
    /// <param name="tcb">Its components.</param>
    internal static bool TryDecode(ReadOnlySpan<byte> bytes, SnpProduct product, out SnpTcb tcb)
    {
        bool turin = product == SnpProduct.Turin;
        tcb = turin ? new SnpTcb(bytes[0], bytes[1], bytes[2], bytes[3], bytes[7]) : new SnpTcb(0, bytes[0], bytes[1], bytes[6], bytes[7]);
        return !(turin ? bytes[4..7] : bytes[2..6]).ContainsAnyExcept((byte)0);
    }

    private static bool TryPart(ReadOnlySpan<char> part, string name, out byte value)
    {
        value = 0;
        return part.StartsWith(name, StringComparison.Ordinal) && byte.TryParse(part[name.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }
}
