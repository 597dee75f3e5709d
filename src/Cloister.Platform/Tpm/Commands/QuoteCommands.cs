using Cloister.Attestation.Tpm;

namespace Cloister.Platform.Tpm.Commands;

/// <summary>TPM2_Quote (TPM 2.0 Library part 3, 18.4).</summary>
internal static class QuoteCommands
{
    private const uint Quote = 0x158;

    /// <summary>Quotes PCRs with a key that is confined to its scheme.</summary>
    /// <returns>TPMS_ATTEST and TPMT_SIGNATURE.</returns>
    public static async ValueTask<(byte[] Attest, byte[] Signature)> QuoteAsync(
        this TpmChannel channel, TpmObject key, ReadOnlyMemory<byte> nonce, TpmPcrSelection selection, CancellationToken cancellation)
    {
        using TpmAnswer answer = await channel.RunAsync(
            new TpmCommand(Quote).UInt32(key.Handle).Authorise(TpmAuthorisation.Empty).Sized(nonce.Span).Algorithm(TpmAlgorithm.Null).Selection(selection), cancellation);
        return (answer.Sized().ToArray(), answer.Rest().ToArray());
    }
}
