using System.Collections.Immutable;

namespace Cloister.Attestation.Tpm;

/// <summary>One PCR value as its sender states it: nothing before a quote's digest covers it.</summary>
/// <param name="Bank">Its bank.</param>
/// <param name="Index">Its index, 0 to 23.</param>
/// <param name="Value">Its value, of the bank's size.</param>
public readonly record struct TpmPcrValue(TpmAlgorithm Bank, int Index, ReadOnlyMemory<byte> Value);

/// <summary>Looks up stated PCR values, and computes the digest that a quote must carry.</summary>
internal static class TpmPcrValues
{
    /// <summary>A stated value; null if there is none.</summary>
    public static ReadOnlyMemory<byte>? Find(ImmutableArray<TpmPcrValue> values, TpmAlgorithm bank, int index)
    {
        foreach (TpmPcrValue one in values)
            if (one.Bank == bank && one.Index == index) return one.Value;
        return null;
    }

    /// <summary>The first PCR of a signed selection without a stated value; null if all have one.</summary>
    public static (TpmAlgorithm Bank, int Index)? FirstMissing(ImmutableArray<TpmPcrSelection> selection, ImmutableArray<TpmPcrValue> values)
    {
        foreach (TpmPcrSelection bank in selection)
            for (int pcr = 0; pcr < TpmLayout.PcrCount; pcr++)
                if (bank.Contains(pcr) && Find(values, bank.Bank, pcr) is null) return (bank.Bank, pcr);
        return null;
    }

    /// <summary>
    /// The digest over the selected values in the order in which the selection was signed, PCRs ascending, by the hash of the
    /// signature (TPM 2.0 Library part 3, 18.4). Every selected PCR must have a stated value.
    /// </summary>
    public static byte[] Digest(ImmutableArray<TpmPcrSelection> selection, ImmutableArray<TpmPcrValue> values, TpmAlgorithm hash)
    {
        var joined = new byte[selection.Sum(bank => bank.Count * TpmHash.SizeOf(bank.Bank))];
        int at = 0;
        foreach (TpmPcrSelection bank in selection)
        {
            for (int pcr = 0; pcr < TpmLayout.PcrCount; pcr++)
            {
                if (!bank.Contains(pcr)) continue;
                ReadOnlyMemory<byte> value = Find(values, bank.Bank, pcr)!.Value;
                value.CopyTo(joined.AsMemory(at));
                at += value.Length;
            }
        }
        return TpmHash.Hash(hash, joined);
    }
}
