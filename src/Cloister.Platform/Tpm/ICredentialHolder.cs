using Cloister.Attestation.Tpm;

namespace Cloister.Platform.Tpm;

/// <summary>A platform whose TPM can show that its attestation key and its endorsement key are in one chip (TPM 2.0 Library part 1, 24).</summary>
public interface ICredentialHolder
{
    /// <summary>The public keys, and the certificates that the maker stored in the TPM.</summary>
    /// <exception cref="PlatformException">The TPM cannot be used.</exception>
    ValueTask<TpmEndorsement> EndorsementAsync(CancellationToken cancellation);

    /// <summary>Opens a credential that a verifier made for exactly these two keys.</summary>
    /// <returns>The secret in it; whoever made the credential compares it.</returns>
    /// <exception cref="PlatformException">It was made for other keys, or the TPM cannot be used.</exception>
    ValueTask<byte[]> ActivateAsync(TpmCredential credential, CancellationToken cancellation);
}
