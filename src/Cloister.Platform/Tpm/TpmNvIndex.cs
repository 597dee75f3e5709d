using System.Buffers.Binary;

namespace Cloister.Platform.Tpm;

/// <summary>What an NV index is (TPMS_NV_PUBLIC, TPM 2.0 Library part 2, 13.5).</summary>
/// <param name="Handle">Its handle, 0x01xxxxxx.</param>
/// <param name="Attributes">What is allowed, and how often it was written.</param>
/// <param name="Size">Bytes of its content.</param>
public sealed record TpmNvIndex(uint Handle, TpmNvAttributes Attributes, int Size)
{
    /// <summary>Whether the index's own authorisation value reads it; else the owner's does.</summary>
    internal bool AllowsOwnRead => (Attributes & TpmNvAttributes.AuthRead) != 0;

    internal bool AllowsOwnWrite => (Attributes & TpmNvAttributes.AuthWrite) != 0;

    internal static TpmNvIndex Read(ReadOnlySpan<byte> area, uint asked)
    {
        const int attributesAt = 6, policyAt = 10;
        uint handle = BinaryPrimitives.ReadUInt32BigEndian(area);
        int policy = BinaryPrimitives.ReadUInt16BigEndian(area[policyAt..]);
        if (handle != asked || area.Length != policyAt + sizeof(ushort) + policy + sizeof(ushort)) throw TpmAnswer.Invalid("the description of an NV index is another's, or does not fit");
        return new TpmNvIndex(handle, (TpmNvAttributes)BinaryPrimitives.ReadUInt32BigEndian(area[attributesAt..]), BinaryPrimitives.ReadUInt16BigEndian(area[^sizeof(ushort)..]));
    }
}

/// <summary>Attributes of an NV index (TPMA_NV, part 2, 13.4) that this library sets or looks at.</summary>
[Flags]
public enum TpmNvAttributes : uint
{
    /// <summary>None: an ordinary index that nobody reads or writes.</summary>
    None = 0,
    /// <summary>The owner writes it.</summary>
    OwnerWrite = 1 << 1,
    /// <summary>Its own authorisation value writes it.</summary>
    AuthWrite = 1 << 2,
    /// <summary>A counter of 8 bytes that only goes up.</summary>
    Counter = 1 << 4,
    /// <summary>The owner reads it.</summary>
    OwnerRead = 1 << 17,
    /// <summary>Its own authorisation value reads it.</summary>
    AuthRead = 1 << 18,
    /// <summary>Outside the protection against guessing.</summary>
    NoDa = 1 << 25,
    /// <summary>It was written since it was defined.</summary>
    Written = 1 << 29,
}
