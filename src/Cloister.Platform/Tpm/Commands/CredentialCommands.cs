using Cloister.Attestation.Tpm;

namespace Cloister.Platform.Tpm.Commands;

/// <summary>TPM2_ActivateCredential (TPM 2.0 Library part 3, 12.5).</summary>
internal static class CredentialCommands
{
    private const uint ActivateCredential = 0x147;

    public static async ValueTask<byte[]> ActivateAsync(
        this TpmChannel channel, TpmObject attestationKey, TpmObject endorsementKey, TpmAuthorisation endorsement, TpmCredential credential, CancellationToken cancellation)
    {
        using TpmAnswer answer = await channel.RunAsync(
            new TpmCommand(ActivateCredential).UInt32(attestationKey.Handle).UInt32(endorsementKey.Handle).Authorise(TpmAuthorisation.Empty, endorsement)
                .Raw(credential.Blob.Span).Raw(credential.EncryptedSecret.Span), cancellation);
        byte[] secret = answer.Sized().ToArray();
        answer.End();
        return secret;
    }
}
