using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Coordinator.State;
using Cloister.Platform;
using Cloister.Platform.Tpm;
using Cloister.Protocol.Trust;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Quote;

/// <summary>The coordinator's own evidence: which manifest is in force and which certificates are its own, bound to a nonce and a TLS key.</summary>
internal sealed class EvidenceSource(IEvidenceIssuer? issuer, ILogger<EvidenceSource> logger) : IAsyncDisposable
{
    private const int AtOnce = 4, Waiting = 256, MaxBlob = 256, MaxEncryptedSecret = 1024;

    private readonly SemaphoreSlim _running = new(AtOnce);
    private int _inside;

    /// <summary>Whether its evidence proves nothing against the host: simulated, or none at all.</summary>
    public bool Simulated => issuer?.Simulated ?? true;

    public async Task<EvidenceSet> IssueAsync(CoordinatorSnapshot snapshot, ReadOnlyMemory<byte> nonce, ReadOnlyMemory<byte> tlsKey, CancellationToken cancellation)
    {
        if (issuer is null)
            throw new CoordinatorException(CoordinatorError.NoEvidence,
                "This coordinator has no means to produce evidence: start it where a TEE is, or with CLOISTER_SIMULATOR naming a simulator's socket.");
        var binding = new Binding(AttesterRole.Coordinator, nonce, tlsKey);
        try
        {
            return await InTurnAsync(() => issuer.IssueAsync(binding, Statement(snapshot).ToBytes(), cancellation), cancellation);
        }
        catch (Exception error) when (error is not (OperationCanceledException or CoordinatorException))
        {
            logger.EvidenceFailed(error);
            throw new CoordinatorException(CoordinatorError.EvidenceFailed, $"The platform produced no evidence: {error.Message}", error);
        }
    }

    /// <summary>
    /// Lets the platform's TPM open a credential. It opens one only for the very keys that its evidence shows, and what is in it is of use to
    /// nobody but who made it: anybody may ask, as for evidence, within the same bounds.
    /// </summary>
    /// <returns>The secret; the caller zeroes it.</returns>
    /// <exception cref="CoordinatorException">NoEvidence, BadRequest, CredentialRefused, EvidenceFailed or Busy.</exception>
    public async Task<byte[]> OpenAsync(TpmCredential credential, CancellationToken cancellation)
    {
        if (issuer is not ICredentialHolder holder)
            throw new CoordinatorException(CoordinatorError.NoEvidence, "This coordinator's evidence is not a TPM's: it has no key that a credential could be made for.");
        // The parts go to the TPM as they are: each has to be the one structure that stands there.
        if (!IsSized(credential.Blob.Span, MaxBlob) || !IsSized(credential.EncryptedSecret.Span, MaxEncryptedSecret))
            throw new CoordinatorException(CoordinatorError.BadRequest, $"A credential is a TPM2B_ID_OBJECT of at most {MaxBlob} bytes and a TPM2B_ENCRYPTED_SECRET of at most {MaxEncryptedSecret}.");
        try
        {
            return await InTurnAsync(() => holder.ActivateAsync(credential, cancellation), cancellation);
        }
        // libtpms says TPM_RC_FAILURE for a secret that is encrypted to another key; a TPM that really failed gives no evidence either.
        catch (PlatformException error) when (error.Error is PlatformError.TpmCredentialRefused or PlatformError.TpmRefused)
        {
            logger.CredentialNotOpened(error.Message);
            throw new CoordinatorException(CoordinatorError.CredentialRefused, "The coordinator's TPM did not open the credential: it was made for other keys than this TPM's, or was changed.", error);
        }
        catch (PlatformException error)
        {
            logger.EvidenceFailed(error);
            throw new CoordinatorException(CoordinatorError.EvidenceFailed, $"The platform opened no credential: {error.Message}", error);
        }
    }

    // Evidence and credentials take the same turns: whoever asks for either keeps the platform no busier.
    private async Task<T> InTurnAsync<T>(Func<ValueTask<T>> work, CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref _inside) > AtOnce + Waiting)
        {
            Interlocked.Decrement(ref _inside);
            throw new CoordinatorException(CoordinatorError.Busy, "Too many requests for evidence are waiting; try again later.");
        }
        try
        {
            await _running.WaitAsync(cancellation);
            try
            {
                return await work();
            }
            finally
            {
                _running.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _inside);
        }
    }

    private static bool IsSized(ReadOnlySpan<byte> bytes, int most) =>
        bytes.Length > sizeof(ushort) && bytes.Length <= most && BinaryPrimitives.ReadUInt16BigEndian(bytes) == bytes.Length - sizeof(ushort);

    private static CoordinatorStatement Statement(CoordinatorSnapshot snapshot) => new(
        snapshot.Manifest?.Fingerprint ?? "",
        Convert.ToHexStringLower(SHA256.HashData(snapshot.Authority.Root.RawDataMemory.Span)),
        Convert.ToHexStringLower(SHA256.HashData(snapshot.Authority.Intermediate.RawDataMemory.Span)),
        Convert.ToHexStringLower(SHA256.HashData(snapshot.Authority.MarbleRoot.RawDataMemory.Span)));

    public ValueTask DisposeAsync()
    {
        _running.Dispose();
        return ValueTask.CompletedTask;
    }
}
