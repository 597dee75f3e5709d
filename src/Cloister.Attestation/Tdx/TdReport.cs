using System.Buffers.Binary;

namespace Cloister.Attestation.Tdx;

/// <summary>The body of a TDX quote ("Intel TDX DCAP Quoting Library API", TD quote body), of TDX 1.0 or 1.5.</summary>
/// <param name="Bytes">584 bytes, or 648 for TDX 1.5.</param>
public readonly record struct TdReport(ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Bytes of the body.</summary>
    public const int Size10 = 584, Size15 = 648;

    /// <summary>Bits of <see cref="Attributes"/> that put the trust domain under debug (the TUD group).</summary>
    public const ulong DebugBits = 0xFF;

    /// <summary>A bit of <see cref="Attributes"/>: the host cannot inject virtualisation exceptions by taking pages away.</summary>
    public const ulong SeptVeDisable = 1UL << 28;

    /// <summary>Bits of <see cref="Attributes"/> that the TDX module specification names: debug, SEPT_VE_DISABLE, MIGRATABLE, PKS, KL, PERFMON.</summary>
    public const ulong KnownAttributes = DebugBits | SeptVeDisable | (1UL << 29) | (1UL << 30) | (1UL << 31) | (1UL << 63);

    /// <summary>16 bytes: [0] the module's SVN, [1] its major version, [2] the loader's and microcode's SVN.</summary>
    public ReadOnlyMemory<byte> TeeTcbSvn => Bytes[..16];

    /// <summary>48 bytes: the TDX module's digest.</summary>
    public ReadOnlyMemory<byte> MrSeam => Bytes.Slice(16, 48);

    /// <summary>48 bytes: the TDX module's signer; zero is Intel.</summary>
    public ReadOnlyMemory<byte> MrSignerSeam => Bytes.Slice(64, 48);

    /// <summary>The TDX module's attributes; zero for a production module.</summary>
    public ulong SeamAttributes => BinaryPrimitives.ReadUInt64LittleEndian(Bytes.Span[112..]);

    /// <summary>The trust domain's attributes.</summary>
    public ulong Attributes => BinaryPrimitives.ReadUInt64LittleEndian(Bytes.Span[120..]);

    /// <summary>The processor features that the trust domain may use.</summary>
    public ulong Xfam => BinaryPrimitives.ReadUInt64LittleEndian(Bytes.Span[128..]);

    /// <summary>48 bytes: the digest of the initial content.</summary>
    public ReadOnlyMemory<byte> MrTd => Bytes.Slice(136, 48);

    /// <summary>48 bytes that the host gave for a configuration not owned by anybody.</summary>
    public ReadOnlyMemory<byte> MrConfigId => Bytes.Slice(184, 48);

    /// <summary>48 bytes that the host gave for the owner.</summary>
    public ReadOnlyMemory<byte> MrOwner => Bytes.Slice(232, 48);

    /// <summary>48 bytes that the host gave for the owner's configuration.</summary>
    public ReadOnlyMemory<byte> MrOwnerConfig => Bytes.Slice(280, 48);

    /// <summary>64 bytes that the trust domain asked to have signed.</summary>
    public ReadOnlyMemory<byte> ReportData => Bytes.Slice(520, 64);

    /// <summary>Whether this is a body of TDX 1.5.</summary>
    public bool Is15 => Bytes.Length == Size15;

    /// <summary>TDX 1.5, 16 bytes: the current module's versions, which may be newer than at the trust domain's launch; else empty.</summary>
    public ReadOnlyMemory<byte> TeeTcbSvn2 => Is15 ? Bytes.Slice(584, 16) : default;

    /// <summary>TDX 1.5, 48 bytes: digest of bound service trust domains, zero if there are none; else empty.</summary>
    public ReadOnlyMemory<byte> MrServiceTd => Is15 ? Bytes.Slice(600, 48) : default;

    /// <summary>48 bytes: a measurement register that software extends.</summary>
    /// <param name="index">0 to 3.</param>
    public ReadOnlyMemory<byte> Rtmr(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(index, 3);
        return Bytes.Slice(328 + 48 * index, 48);
    }
}
