namespace Cloister.Workload;

/// <summary>
/// Who this workload is: type, UUID, the manifest it was activated under, and its current certificate. It produces
/// evidence for a certificate's key on demand. Safe for many threads; a renewal replaces the certificate under way.
/// </summary>
public sealed class WorkloadIdentity : IDisposable
{
    private WorkloadCertificate _current;

    internal WorkloadIdentity(string marbleType, Guid uuid, string manifestFingerprint, WorkloadCertificate certificate, bool simulated)
    {
        (MarbleType, Uuid, ManifestFingerprint, _current, Simulated) = (marbleType, uuid, manifestFingerprint, certificate, simulated);
    }

    /// <summary>The workload's type: a marble's name in the manifest.</summary>
    public string MarbleType { get; }

    /// <summary>The workload's UUID.</summary>
    public Guid Uuid { get; }

    /// <summary>SHA-256 of the manifest this workload was activated under, lower-case hex.</summary>
    public string ManifestFingerprint { get; }

    /// <summary>Whether the evidence is simulated: then it proves nothing against the host.</summary>
    public bool Simulated { get; }

    /// <summary>The certificate to present now. Take it anew for each handshake.</summary>
    public WorkloadCertificate Current => Volatile.Read(ref _current);

    // The certificate before stays alive until its last connection ends: its evidence may still be asked for.
    internal void Replace(WorkloadCertificate certificate) => Volatile.Write(ref _current, certificate);

    /// <summary>Disposes the current certificate and its key.</summary>
    public void Dispose() => Current.Dispose();
}
