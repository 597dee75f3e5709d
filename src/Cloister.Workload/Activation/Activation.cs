using System.Security.Cryptography.X509Certificates;

namespace Cloister.Workload;

/// <summary>
/// What an activated workload holds: its identity, the trust roots of the mesh, its parameters and its secrets.
/// Everything was checked against the coordinator's evidence. Disposing it zeroes the secrets.
/// </summary>
public sealed class Activation : IDisposable
{
    internal Activation(WorkloadIdentity identity, X509Certificate2 marbleRoot, X509Certificate2 coordinatorRoot,
        WorkloadParameters parameters, IReadOnlyList<ModelGrant> models, IReadOnlyList<CallerGrant> callers, IReadOnlyList<string> anonymousModels)
    {
        (Identity, MarbleRoot, CoordinatorRoot) = (identity, marbleRoot, coordinatorRoot);
        (Parameters, Models, Callers, AnonymousModels) = (parameters, models, callers, anonymousModels);
    }

    /// <summary>The key and certificate this workload is known by, kept fresh by <see cref="CertificateRenewal"/>.</summary>
    public WorkloadIdentity Identity { get; }

    /// <summary>The workload's type: a marble's name in the manifest.</summary>
    public string MarbleType => Identity.MarbleType;

    /// <summary>The workload's UUID, the common name of its certificate.</summary>
    public Guid Uuid => Identity.Uuid;

    /// <summary>SHA-256 of the manifest this workload was activated under, lower-case hex.</summary>
    public string ManifestFingerprint => Identity.ManifestFingerprint;

    /// <summary>The root that every workload of the mesh chains to.</summary>
    public X509Certificate2 MarbleRoot { get; }

    /// <summary>The coordinator's attested root.</summary>
    public X509Certificate2 CoordinatorRoot { get; }

    /// <summary>Files, environment and arguments of the manifest.</summary>
    public WorkloadParameters Parameters { get; }

    /// <summary>The sealed models this workload may open, with their keys.</summary>
    public IReadOnlyList<ModelGrant> Models { get; }

    /// <summary>Who may use which model.</summary>
    public IReadOnlyList<CallerGrant> Callers { get; }

    /// <summary>The models anybody may use.</summary>
    public IReadOnlyList<string> AnonymousModels { get; }

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
