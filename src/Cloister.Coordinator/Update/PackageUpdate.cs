using System.Collections.Immutable;
using Cloister.Coordinator.Secrets;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Update;

/// <summary>
/// An update that raises packages' security versions and leaves the manifest as it is. The intermediate, the marble root and shared
/// certificates are made anew, so that what an older version holds is told from what the new one gets.
/// </summary>
internal static class PackageUpdate
{
    /// <exception cref="CoordinatorException">UpdateRefused, with MarbleRun's words.</exception>
    public static void Check(CoordinatorSnapshot current, ImmutableSortedDictionary<string, PackageRaise> packages)
    {
        if (packages.IsEmpty)
            throw Refused("no packages defined");
        foreach ((string name, PackageRaise raise) in packages)
        {
            if (PackageInForce.Find(current, name) is not { } package)
                throw Refused("update manifest specifies a package which the original manifest does not contain");
            if (raise.NamesMore)
                throw Refused("update manifest contains unupdatable values");
            if (raise.SecurityVersion is not { } version)
                throw Refused("update manifest does not specify a SecurityVersion to update");
            if (package.Policy is not null)
                throw Refused($"package {name} has a policy, which has no SecurityVersion of its own: update the whole manifest");
            if (version < package.SecurityVersion)
                throw Refused("update manifest tries to downgrade SecurityVersion of the original manifest");
        }
    }

    /// <param name="current">What is in force.</param>
    /// <param name="packages">Checked.</param>
    /// <param name="user">Who asks for it.</param>
    /// <param name="fresh">Made for the manifest in force.</param>
    /// <param name="now">For the update log.</param>
    public static CoordinatorSnapshot Apply(
        CoordinatorSnapshot current, ImmutableSortedDictionary<string, PackageRaise> packages, string user, FreshMaterial fresh, DateTimeOffset now) => current with
        {
            SecurityVersions = current.SecurityVersions.SetItems(packages.Select(package => KeyValuePair.Create(package.Key, package.Value.SecurityVersion!.Value))),
            Authority = fresh.Authority,
            Secrets = current.Secrets.SetItems(fresh.Secrets.Where(secret => IsCertificate(current.Manifest!.Document.Secrets[secret.Key]))),
            UpdateLog = current.UpdateLog.AddRange(packages.Select(package => UpdateLog.SecurityVersionIncreased(now, user, package.Key, package.Value.SecurityVersion!.Value))),
        };

    private static bool IsCertificate(ManifestSecret definition) => SharedSecrets.IsMade(definition) && SecretCertificate.IsType(definition.Type);

    private static CoordinatorException Refused(string why) => new(CoordinatorError.UpdateRefused, "checking update manifest: " + why);
}
