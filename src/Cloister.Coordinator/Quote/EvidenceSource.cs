using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Coordinator.State;
using Cloister.Platform;
using Cloister.Protocol.Trust;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Quote;

/// <summary>The coordinator's own evidence: which manifest is in force and which certificates are its own, bound to a nonce and a TLS key.</summary>
internal sealed class EvidenceSource(IEvidenceIssuer? issuer, ILogger<EvidenceSource> logger) : IAsyncDisposable
{
    private const int AtOnce = 4, Waiting = 256;

    private readonly SemaphoreSlim _running = new(AtOnce);
    private int _inside;

    /// <summary>Whether its evidence proves nothing against the host: simulated, or none at all.</summary>
    public bool Simulated => issuer?.Simulated ?? true;

    public async Task<EvidenceSet> IssueAsync(CoordinatorSnapshot snapshot, ReadOnlyMemory<byte> nonce, ReadOnlyMemory<byte> tlsKey, CancellationToken cancellation)
    {
        if (issuer is null)
            throw new CoordinatorException(CoordinatorError.NoEvidence,
                "This coordinator has no means to produce evidence: start it where a TEE is, or with CLOISTER_SIMULATOR naming a simulator's socket.");
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
                var binding = new Binding(AttesterRole.Coordinator, nonce, tlsKey);
                return await issuer.IssueAsync(binding, Statement(snapshot).ToBytes(), cancellation);
            }
            finally
            {
                _running.Release();
            }
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            logger.EvidenceFailed(error);
            throw new CoordinatorException(CoordinatorError.EvidenceFailed, $"The platform produced no evidence: {error.Message}", error);
        }
        finally
        {
            Interlocked.Decrement(ref _inside);
        }
    }

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
