using System.Buffers.Binary;

namespace Cloister.Attestation.Dcap;

/// <summary>The body of an SGX enclave's report (Intel SDM 3D, "REPORT"): an SGX quote's body, and the quoting enclave's own report.</summary>
/// <param name="Bytes">Its 384 bytes.</param>
public readonly record struct EnclaveReport(ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Bytes of a report body.</summary>
    public const int Size = 384;

    /// <summary>Flags in the first half of <see cref="Attributes"/>.</summary>
    public const ulong DebugFlag = 1 << 1, ProvisionKeyFlag = 1 << 4;

    /// <summary>16 bytes: the processor's security version.</summary>
    public ReadOnlyMemory<byte> CpuSvn => Bytes.Slice(0x00, 16);

    /// <summary>What is saved at an exit.</summary>
    public uint MiscSelect => BinaryPrimitives.ReadUInt32LittleEndian(Bytes.Span[0x10..]);

    /// <summary>16 bytes, the product's extended number.</summary>
    public ReadOnlyMemory<byte> ExtendedProductId => Bytes.Slice(0x20, 16);

    /// <summary>16 bytes: 8 of flags, 8 of XFRM.</summary>
    public ReadOnlyMemory<byte> Attributes => Bytes.Slice(0x30, 16);

    /// <summary>The flags of <see cref="Attributes"/>.</summary>
    public ulong Flags => BinaryPrimitives.ReadUInt64LittleEndian(Bytes.Span[0x30..]);

    /// <summary>The processor features that the enclave may use.</summary>
    public ulong Xfrm => BinaryPrimitives.ReadUInt64LittleEndian(Bytes.Span[0x38..]);

    /// <summary>32 bytes: the digest of the enclave's initial content.</summary>
    public ReadOnlyMemory<byte> MrEnclave => Bytes.Slice(0x40, 32);

    /// <summary>32 bytes: the digest of its signer's key.</summary>
    public ReadOnlyMemory<byte> MrSigner => Bytes.Slice(0x80, 32);

    /// <summary>64 bytes given at launch.</summary>
    public ReadOnlyMemory<byte> ConfigId => Bytes.Slice(0xC0, 64);

    /// <summary>The signer's number of the product.</summary>
    public ushort ProductId => BinaryPrimitives.ReadUInt16LittleEndian(Bytes.Span[0x100..]);

    /// <summary>The enclave's security version.</summary>
    public ushort Svn => BinaryPrimitives.ReadUInt16LittleEndian(Bytes.Span[0x102..]);

    /// <summary>The configuration's security version.</summary>
    public ushort ConfigSvn => BinaryPrimitives.ReadUInt16LittleEndian(Bytes.Span[0x104..]);

    /// <summary>16 bytes: the product family.</summary>
    public ReadOnlyMemory<byte> FamilyId => Bytes.Slice(0x130, 16);

    /// <summary>64 bytes that the enclave asked to have signed.</summary>
    public ReadOnlyMemory<byte> ReportData => Bytes.Slice(0x140, 64);
}
