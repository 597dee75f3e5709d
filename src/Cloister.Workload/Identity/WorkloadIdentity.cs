using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Platform;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Trust;

namespace Cloister.Workload;

/// <summary>
/// Who this workload is: type, UUID, the manifest it was activated under, and its current certificate. It produces
/// evidence for a certificate's key on demand. Safe for many threads; a renewal replaces the certificate under way.
/// </summary>
public sealed class WorkloadIdentity : IDisposable
{
    private readonly IEvidenceIssuer _issuer;
    private Standing _standing;

    internal WorkloadIdentity(string marbleType, Guid uuid, string manifestFingerprint, WorkloadCertificate certificate, IEvidenceIssuer issuer,
        ImmutableSortedDictionary<string, string>? modes = null)
    {
        (MarbleType, Uuid, _issuer) = (marbleType, uuid, issuer);
        Modes = modes ?? ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
        _standing = new Standing(certificate, manifestFingerprint, Statement(marbleType, uuid, manifestFingerprint, Modes));
    }

    /// <summary>The workload's type: a marble's name in the manifest.</summary>
    public string MarbleType { get; }

    /// <summary>The workload's UUID.</summary>
    public Guid Uuid { get; }

    /// <summary>By model: the modes that the manifest states of this workload's models. A manifest that states others is another workload's.</summary>
    public ImmutableSortedDictionary<string, string> Modes { get; }

    /// <summary>SHA-256 of the manifest this workload was activated under, or that it follows since a renewal, lower-case hex.</summary>
    public string ManifestFingerprint => Volatile.Read(ref _standing).ManifestFingerprint;

    /// <summary>Whether the evidence is simulated: then it proves nothing against the host.</summary>
    public bool Simulated => _issuer.Simulated;

    /// <summary>The certificate to present now. Take it anew for each handshake.</summary>
    public WorkloadCertificate Current => Volatile.Read(ref _standing).Certificate;

    /// <summary>Produces evidence that binds <paramref name="nonce"/> to the current certificate's key.</summary>
    /// <param name="nonce">The verifier's fresh random bytes, 16 to 64.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>The encoded evidence set.</returns>
    /// <exception cref="ArgumentException">The nonce's length is wrong.</exception>
    public ValueTask<byte[]> IssueEvidenceAsync(ReadOnlyMemory<byte> nonce, CancellationToken cancellation = default) =>
        IssueEvidenceAsync(Current, nonce, cancellation);

    /// <summary>Produces evidence for the key of a certificate of this workload that a connection still uses.</summary>
    /// <inheritdoc cref="IssueEvidenceAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    public async ValueTask<byte[]> IssueEvidenceAsync(WorkloadCertificate certificate, ReadOnlyMemory<byte> nonce, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        if (nonce.Length is < NonceText.MinBytes or > NonceText.MaxBytes)
            throw new ArgumentException($"A nonce has {NonceText.MinBytes} to {NonceText.MaxBytes} bytes, not {nonce.Length}.", nameof(nonce));
        var binding = new Binding(AttesterRole.Workload, nonce, certificate.SubjectPublicKeyInfo);
        return EvidenceCodec.Encode(await _issuer.IssueAsync(binding, Volatile.Read(ref _standing).Statement, cancellation));
    }

    /// <summary>What the workload says of itself under its evidence (docs/wire.md); no modes where it asks for an activation and does not know them yet.</summary>
    internal static byte[] Statement(string marbleType, Guid uuid, string manifestFingerprint, ImmutableSortedDictionary<string, string>? modes = null)
    {
        var statement = new WorkloadStatement(marbleType, uuid.ToString("D"), manifestFingerprint);
        return (modes is null ? statement : statement with { Modes = modes }).ToBytes();
    }

    // The certificate before stays alive until its last connection ends: its evidence may still be asked for.
    // Evidence for it states the manifest that is followed now, not the one that its connection began under.
    internal void Replace(WorkloadCertificate certificate, string manifestFingerprint) =>
        Volatile.Write(ref _standing, new Standing(certificate, manifestFingerprint, Statement(MarbleType, Uuid, manifestFingerprint, Modes)));

    /// <summary>Disposes the current certificate and its key.</summary>
    public void Dispose() => Current.Dispose();

    /// <summary>What a renewal replaces, all at once.</summary>
    private sealed record Standing(WorkloadCertificate Certificate, string ManifestFingerprint, byte[] Statement);
}
