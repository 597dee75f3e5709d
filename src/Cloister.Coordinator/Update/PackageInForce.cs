using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Update;

/// <summary>Packages as workloads are judged by them: the manifest's, with the security versions that updates have raised.</summary>
internal static class PackageInForce
{
    /// <summary>The package of that name, or null if the manifest has none.</summary>
    public static ManifestPackage? Find(CoordinatorSnapshot snapshot, string name)
    {
        if (snapshot.Manifest is not { } manifest || !manifest.Document.Packages.TryGetValue(name, out ManifestPackage? package))
            return null;
        return snapshot.SecurityVersions.TryGetValue(name, out ulong least) ? package.AtLeast(least) : package;
    }
}
