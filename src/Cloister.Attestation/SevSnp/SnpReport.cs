using System.Buffers.Binary;

namespace Cloister.Attestation.SevSnp;

/// <summary>Which key signed a report.</summary>
public enum SnpSigningKey
{
    /// <summary>The chip's own key at a TCB (VCEK).</summary>
    Vcek = 0,

    /// <summary>A cloud provider's key at a TCB (VLEK).</summary>
    Vlek = 1,

    /// <summary>The report is not signed.</summary>
    None = 7,
}

/// <summary>
/// An attestation report of SEV-SNP (AMD 56860, ATTESTATION_REPORT) as read, unchecked: nothing here says that it is signed.
/// A view of bytes that must not change; made by <see cref="SnpLayout"/> alone.
/// </summary>
public sealed class SnpReport
{
    private readonly ReadOnlyMemory<byte> _bytes;

    internal SnpReport(ReadOnlyMemory<byte> bytes) => _bytes = bytes;

    /// <summary>The layout's version, 2 to 5.</summary>
    public uint Version => UInt32(SnpLayout.VersionAt);

    /// <summary>The security version of the guest's image, as its owner set it.</summary>
    public uint GuestSvn => UInt32(SnpLayout.GuestSvnAt);

    /// <summary>The guest's policy, which the firmware enforces.</summary>
    public ulong GuestPolicy => UInt64(SnpLayout.PolicyAt);

    /// <summary>16 bytes by the guest's owner.</summary>
    public ReadOnlyMemory<byte> FamilyId => _bytes.Slice(SnpLayout.FamilyIdAt, 16);

    /// <summary>16 bytes by the guest's owner.</summary>
    public ReadOnlyMemory<byte> ImageId => _bytes.Slice(SnpLayout.ImageIdAt, 16);

    /// <summary>The privilege level that asked for the report, 0 (most) to 3; 0xFFFFFFFF if the host did.</summary>
    public uint Vmpl => UInt32(SnpLayout.VmplAt);

    /// <summary>What the platform is and has switched on.</summary>
    public ulong PlatformInfo => UInt64(SnpLayout.PlatformInfoAt);

    /// <summary>Which key signed.</summary>
    public SnpSigningKey SigningKey => (SnpSigningKey)(Flags >> 2 & 7);

    /// <summary>Whether an author's key vouches for the identity key.</summary>
    public bool AuthorKeyEnabled => (Flags & 1) != 0;

    /// <summary>Whether the host keeps the chip's key from being used.</summary>
    public bool ChipKeyMasked => (Flags & 2) != 0;

    /// <summary>64 bytes by who asked for the report.</summary>
    public ReadOnlyMemory<byte> ReportData => _bytes.Slice(SnpLayout.ReportDataAt, 64);

    /// <summary>The launch digest, 48 bytes.</summary>
    public ReadOnlyMemory<byte> Measurement => _bytes.Slice(SnpLayout.MeasurementAt, 48);

    /// <summary>32 bytes by the host at launch.</summary>
    public ReadOnlyMemory<byte> HostData => _bytes.Slice(SnpLayout.HostDataAt, 32);

    /// <summary>SHA-384 of the key that signed the identity block; zero without one.</summary>
    public ReadOnlyMemory<byte> IdKeyDigest => _bytes.Slice(SnpLayout.IdKeyDigestAt, 48);

    /// <summary>SHA-384 of the author's key; zero without one.</summary>
    public ReadOnlyMemory<byte> AuthorKeyDigest => _bytes.Slice(SnpLayout.AuthorKeyDigestAt, 48);

    /// <summary>The guest's identity for its lifetime.</summary>
    public ReadOnlyMemory<byte> ReportId => _bytes.Slice(SnpLayout.ReportIdAt, 32);

    /// <summary>The migration agent's report identity.</summary>
    public ReadOnlyMemory<byte> MigrationAgentReportId => _bytes.Slice(SnpLayout.ReportIdMaAt, 32);

    /// <summary>CPUID family; 0 before version 3.</summary>
    public byte Family => _bytes.Span[SnpLayout.ProcessorAt];

    /// <summary>CPUID model; 0 before version 3.</summary>
    public byte Model => _bytes.Span[SnpLayout.ProcessorAt + 1];

    /// <summary>CPUID stepping; 0 before version 3.</summary>
    public byte Stepping => _bytes.Span[SnpLayout.ProcessorAt + 2];

    /// <summary>The chip's identity; zero if the host masks it; 8 bytes and zeros on Turin.</summary>
    public ReadOnlyMemory<byte> ChipId => _bytes.Slice(SnpLayout.ChipIdAt, 64);

    /// <summary>The running firmware's version.</summary>
    public Version CurrentFirmware => Firmware(SnpLayout.CurrentFirmwareAt);

    /// <summary>The version below which the firmware cannot be rolled back.</summary>
    public Version CommittedFirmware => Firmware(SnpLayout.CommittedFirmwareAt);

    /// <summary>Mitigations in force when the guest was launched; 0 before version 5.</summary>
    public ulong LaunchMitigations => UInt64(SnpLayout.LaunchMitigationsAt);

    /// <summary>Mitigations in force now; 0 before version 5.</summary>
    public ulong CurrentMitigations => UInt64(SnpLayout.CurrentMitigationsAt);

    internal ReadOnlySpan<byte> CurrentTcb => _bytes.Span.Slice(SnpLayout.CurrentTcbAt, SnpTcb.Size);

    internal ReadOnlySpan<byte> ReportedTcb => _bytes.Span.Slice(SnpLayout.ReportedTcbAt, SnpTcb.Size);

    internal ReadOnlySpan<byte> CommittedTcb => _bytes.Span.Slice(SnpLayout.CommittedTcbAt, SnpTcb.Size);

    internal ReadOnlySpan<byte> LaunchTcb => _bytes.Span.Slice(SnpLayout.LaunchTcbAt, SnpTcb.Size);

    internal ReadOnlySpan<byte> Signed => _bytes.Span[..SnpLayout.SignatureAt];

    internal ReadOnlySpan<byte> SignatureR => _bytes.Span.Slice(SnpLayout.SignatureAt, SnpLayout.CoordinateSize);

    internal ReadOnlySpan<byte> SignatureS => _bytes.Span.Slice(SnpLayout.SignatureAt + SnpLayout.CoordinateSize, SnpLayout.CoordinateSize);

    private uint Flags => UInt32(SnpLayout.FlagsAt);

    private uint UInt32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.Span[at..]);

    private ulong UInt64(int at) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.Span[at..]);

    private Version Firmware(int at) => new(_bytes.Span[at + 2], _bytes.Span[at + 1], _bytes.Span[at]);
}
