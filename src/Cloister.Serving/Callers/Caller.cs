using Cloister.Protocol.Manifest;
using Cloister.Workload;

namespace Cloister.Serving.Callers;

/// <summary>Somebody whom the manifest names, recognised on this request.</summary>
internal sealed class Caller(CallerGrant grant)
{
    private readonly HashSet<string> _models = new(grant.Models, StringComparer.Ordinal);

    /// <summary>The caller's name in the manifest.</summary>
    public string Name { get; } = grant.Name;

    /// <summary>Whether it may load, unload and reload models.</summary>
    public bool AdministersModels { get; } = grant.Administers.Contains(ManifestAdministration.Models, StringComparer.Ordinal);

    public bool MayUse(string model) => _models.Contains(model);
}
