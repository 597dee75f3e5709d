using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Numerics;

namespace Cloister.Attestation.Tpm;

/// <summary>
/// The authorisation policy "these PCRs have these values" as a TPM computes it (TPM2_PolicyPCR, TPM 2.0 Library part 3, 23.7), without
/// a TPM: so a secret can be sealed to a machine state that has never been.
/// </summary>
public static class TpmPcrPolicy
{
    private const uint PolicyPcr = 0x0000017F;
    private const int SelectSize = TpmLayout.PcrCount / 8;

    /// <summary>The policy's digest, SHA-256.</summary>
    /// <param name="bank">The bank that the values are of.</param>
    /// <param name="values">By PCR, 0 to 23: its value, of the bank's size. At least one.</param>
    /// <exception cref="ArgumentException">A PCR or a value's size is none of the bank's.</exception>
    public static byte[] Digest(TpmAlgorithm bank, ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        int size = TpmHash.SizeOf(bank);
        if (size == 0) throw new ArgumentException($"{(ushort)bank:x4} is not a bank.", nameof(bank));
        if (values.Count == 0 || values.Any(pcr => pcr.Key is < 0 or >= TpmLayout.PcrCount || pcr.Value.Length != size))
            throw new ArgumentException($"A policy names PCRs 0 to {TpmLayout.PcrCount - 1} with values of {size} bytes, and at least one.", nameof(values));
        var joined = new byte[values.Count * size];
        int at = 0;
        foreach (ReadOnlyMemory<byte> value in values.Values)
            value.CopyTo(joined.AsMemory(size * at++));
        byte[] start = new byte[TpmHash.SizeOf(TpmAlgorithm.Sha256)], code = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(code, PolicyPcr);
        return TpmHash.Hash(TpmAlgorithm.Sha256, (byte[])[.. start, .. code, .. Marshal(SelectionOf(bank, values.Keys)), .. TpmHash.Hash(TpmAlgorithm.Sha256, joined)]);
    }

    /// <summary>A selection of PCRs of one bank.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A PCR is not between 0 and 23.</exception>
    public static TpmPcrSelection SelectionOf(TpmAlgorithm bank, IEnumerable<int> pcrs)
    {
        ArgumentNullException.ThrowIfNull(pcrs);
        uint mask = 0;
        foreach (int pcr in pcrs)
        {
            if (pcr is < 0 or >= TpmLayout.PcrCount) throw new ArgumentOutOfRangeException(nameof(pcrs), pcr, $"PCRs are 0 to {TpmLayout.PcrCount - 1}.");
            mask |= 1u << pcr;
        }
        return new TpmPcrSelection(bank, mask);
    }

    /// <summary>TPML_PCR_SELECTION with one bank; with none if no PCR is selected.</summary>
    public static byte[] Marshal(TpmPcrSelection selection)
    {
        if (selection.Mask == 0) return new byte[sizeof(uint)];
        var bytes = new byte[sizeof(uint) + sizeof(ushort) + 1 + SelectSize];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, 1);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4), (ushort)selection.Bank);
        bytes[6] = SelectSize;
        for (int i = 0; i < SelectSize; i++)
            bytes[7 + i] = (byte)(selection.Mask >> (8 * i));
        return bytes;
    }

    /// <summary>The PCRs of a selection, ascending.</summary>
    public static ImmutableArray<int> PcrsOf(TpmPcrSelection selection)
    {
        var pcrs = ImmutableArray.CreateBuilder<int>(BitOperations.PopCount(selection.Mask));
        for (uint rest = selection.Mask; rest != 0; rest &= rest - 1)
            pcrs.Add(BitOperations.TrailingZeroCount(rest));
        return pcrs.MoveToImmutable();
    }
}
