using System.Security.Cryptography.X509Certificates;

namespace Cloister.Workload;

/// <summary>
/// What an activated workload holds: its identity, the trust roots of the mesh, its parameters and its secrets.
/// Everything was checked against the coordinator's evidence. Disposing it zeroes the secrets.
/// </summary>
public sealed class Activation : IDisposable
{
    private CallerRights _rights;
    private X509Certificate2 _marbleRoot;

    internal Activation(WorkloadIdentity identity, X509Certificate2 marbleRoot, X509Certificate2 coordinatorRoot,
        WorkloadParameters parameters, IReadOnlyList<ModelGrant> models, CallerRights rights)
    {
        (Identity, _marbleRoot, CoordinatorRoot) = (identity, marbleRoot, coordinatorRoot);
        (Parameters, Models, _rights) = (parameters, models, rights);
    }

    /// <summary>The key and certificate this workload is known by, kept fresh by <see cref="CertificateRenewal"/>.</summary>
    public WorkloadIdentity Identity { get; }

    /// <summary>The workload's type: a marble's name in the manifest.</summary>
    public string MarbleType => Identity.MarbleType;

    /// <summary>The workload's UUID, the common name of its certificate.</summary>
    public Guid Uuid => Identity.Uuid;

    /// <summary>SHA-256 of the manifest this workload was activated under, or that it follows since a renewal, lower-case hex.</summary>
    public string ManifestFingerprint => Identity.ManifestFingerprint;

    /// <summary>The root that every workload of the mesh chains to; a newer manifest brings another.</summary>
    public X509Certificate2 MarbleRoot => Volatile.Read(ref _marbleRoot);

    /// <summary>The coordinator's attested root.</summary>
    public X509Certificate2 CoordinatorRoot { get; }

    /// <summary>Files, environment and arguments of the manifest.</summary>
    public WorkloadParameters Parameters { get; }

    /// <summary>The sealed models this workload may open, with their keys.</summary>
    public IReadOnlyList<ModelGrant> Models { get; }

    /// <summary>Raised, on a thread of the renewal, when a newer manifest has changed <see cref="Rights"/>.</summary>
    public event EventHandler? RightsChanged;

    /// <summary>Who may use which models now.</summary>
    public CallerRights Rights => Volatile.Read(ref _rights);

    /// <summary>Who may use which model now.</summary>
    public IReadOnlyList<CallerGrant> Callers => Rights.Callers;

    /// <summary>The models anybody may use now.</summary>
    public IReadOnlyList<string> AnonymousModels => Rights.AnonymousModels;

    /// <summary>Takes over what a renewal under a newer manifest brought. The marble root before stays usable for whoever holds it.</summary>
    internal void Follow(WorkloadCertificate certificate, string manifestFingerprint, X509Certificate2 marbleRoot, CallerRights rights)
    {
        Identity.Replace(certificate, manifestFingerprint);
        Volatile.Write(ref _marbleRoot, marbleRoot);
        Volatile.Write(ref _rights, rights);
        RightsChanged?.Invoke(this, EventArgs.Empty);
    }

    /// <summary>Zeroes every secret and disposes certificates and keys.</summary>
    public void Dispose()
    {
        foreach (var value in Parameters.Files.Values.Concat(Parameters.Environment.Values))
            value.Dispose();
        foreach (var model in Models)
            model.Key.Dispose();
        MarbleRoot.Dispose();
        CoordinatorRoot.Dispose();
        Identity.Dispose();
    }
}
