using System.Collections.Immutable;
using Cloister.Attestation.Tpm;

namespace Cloister.Platform.Tpm.Commands;

/// <summary>TPM2_PCR_Read, TPM2_PCR_Extend and TPM2_PCR_Reset (TPM 2.0 Library part 3, 22).</summary>
internal static class PcrCommands
{
    private const uint Read = 0x17E, Extend = 0x182, Reset = 0x13D;

    /// <summary>Reads PCRs. Those that the TPM does not have in this bank are absent; all are if the bank is not active.</summary>
    public static async ValueTask<ImmutableArray<TpmPcrValue>> ReadPcrsAsync(this TpmChannel channel, TpmPcrSelection selection, CancellationToken cancellation)
    {
        var values = ImmutableArray.CreateBuilder<TpmPcrValue>(selection.Count);
        for (uint left = selection.Mask; left != 0;)
        {
            using TpmAnswer answer = await channel.RunAsync(new TpmCommand(Read).Selection(new TpmPcrSelection(selection.Bank, left)), cancellation);
            TpmPcrSelection given = ReadSome(answer, new TpmPcrSelection(selection.Bank, left), values);
            if (given.Mask == 0) break;
            left &= ~given.Mask;
        }
        values.Sort((one, other) => one.Index.CompareTo(other.Index));
        return values.ToImmutable();
    }

    public static async ValueTask ExtendAsync(this TpmChannel channel, int pcr, TpmAlgorithm bank, ReadOnlyMemory<byte> digest, CancellationToken cancellation)
    {
        using TpmAnswer answer = await channel.RunAsync(new TpmCommand(Extend).UInt32((uint)pcr).Authorise(TpmAuthorisation.Empty).UInt32(1).Algorithm(bank).Raw(digest.Span), cancellation);
        answer.End();
    }

    public static async ValueTask ResetAsync(this TpmChannel channel, int pcr, CancellationToken cancellation)
    {
        using TpmAnswer answer = await channel.RunAsync(new TpmCommand(Reset).UInt32((uint)pcr).Authorise(TpmAuthorisation.Empty), cancellation);
        answer.End();
    }

    // A TPM gives at most eight values at once and says which.
    private static TpmPcrSelection ReadSome(TpmAnswer answer, TpmPcrSelection asked, ImmutableArray<TpmPcrValue>.Builder values)
    {
        _ = answer.UInt32(); // the update counter, which some TPMs do not count
        TpmPcrSelection given = answer.Selection();
        if (given.Mask != 0 && (given.Bank != asked.Bank || (given.Mask & ~asked.Mask) != 0)) throw TpmAnswer.Invalid("it gives PCRs that were not asked for");
        if (answer.UInt32() != given.Count) throw TpmAnswer.Invalid("it gives more or fewer values than it names PCRs");
        int size = BankSize(asked.Bank);
        foreach (int pcr in TpmPcrPolicy.PcrsOf(given))
        {
            ReadOnlySpan<byte> value = answer.Sized();
            if (value.Length != size) throw TpmAnswer.Invalid($"a PCR of {value.Length} bytes in a bank of {size}");
            values.Add(new TpmPcrValue(asked.Bank, pcr, value.ToArray()));
        }
        answer.End();
        return given;
    }

    /// <summary>Bytes of a PCR; 0 for what is no bank.</summary>
    public static int BankSize(TpmAlgorithm bank) => bank switch { TpmAlgorithm.Sha1 => 20, TpmAlgorithm.Sha256 => 32, TpmAlgorithm.Sha384 => 48, TpmAlgorithm.Sha512 => 64, _ => 0 };
}
