using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Update;

/// <summary>
/// Whether running workloads go over to a new manifest by renewing their certificates: every type that both have is the same program, given
/// the same, and opens the same models. What is left are callers and their rights, users, and types that come or go.
/// </summary>
internal static class CarriedWorkloads
{
    public static bool Are(ManifestDocument before, ManifestDocument after) =>
        !after.Config.RotateRootSecret && before.Marbles.All(known => !after.Marbles.TryGetValue(known.Key, out ManifestMarble? marble) || IsSame(before, known.Value, after, marble));

    private static bool IsSame(ManifestDocument before, ManifestMarble known, ManifestDocument after, ManifestMarble marble) =>
        known.Package == marble.Package && SecretReach.IsSame(before.Packages[known.Package], after.Packages[marble.Package])
        && known.MaxActivations == marble.MaxActivations && known.DisableSecretBinding == marble.DisableSecretBinding
        && SecretReach.IsSameWorkload(before, known, after, marble)
        && known.Models.Order(StringComparer.Ordinal).SequenceEqual(marble.Models.Order(StringComparer.Ordinal), StringComparer.Ordinal)
        && known.Models.All(name => before.Models[name].Secret == after.Models[name].Secret && before.Models[name].IsSameContent(after.Models[name]));
}
