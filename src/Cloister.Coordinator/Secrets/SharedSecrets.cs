using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Secrets;

/// <summary>Secrets that all workloads share; they are made when a manifest comes into force.</summary>
internal static class SharedSecrets
{
    /// <summary>Whether the coordinator makes one value of this secret for all workloads.</summary>
    public static bool IsMade(ManifestSecret definition) => definition is { Shared: true, UserDefined: false };

    /// <summary>Makes all of a manifest.</summary>
    /// <exception cref="CoordinatorException">SecretNotMade.</exception>
    public static ImmutableDictionary<string, SecretMaterial> Generate(ManifestDocument manifest, CertificateAuthority authority, DateTimeOffset now) =>
        manifest.Secrets.Where(secret => IsMade(secret.Value)).ToImmutableDictionary(
            secret => secret.Key, secret => Make(secret.Key, secret.Value, authority, now), StringComparer.Ordinal);

    /// <summary>Makes one.</summary>
    /// <exception cref="CoordinatorException">SecretNotMade.</exception>
    public static SecretMaterial Make(string name, ManifestSecret definition, CertificateAuthority authority, DateTimeOffset now) =>
        SecretCertificate.IsType(definition.Type)
            ? SecretCertificate.Make(name, definition, authority, now)
            : SecretMaterial.OfKey(RandomNumberGenerator.GetBytes(checked((int)(definition.Size / 8))));

    /// <summary>
    /// What a package update leaves of the secrets: keys as they are, and shared certificates made anew under the new intermediate, each with
    /// a new key and the end of validity that it had, as MarbleRun does.
    /// </summary>
    /// <exception cref="CoordinatorException">SecretNotMade.</exception>
    public static ImmutableDictionary<string, SecretMaterial> RenewCertificates(
        ManifestDocument manifest, ImmutableDictionary<string, SecretMaterial> current, CertificateAuthority authority, DateTimeOffset now) =>
        current.SetItems(manifest.Secrets
            .Where(secret => IsMade(secret.Value) && SecretCertificate.IsType(secret.Value.Type))
            .Select(secret => KeyValuePair.Create(secret.Key, SecretCertificate.Remake(secret.Key, secret.Value, current.GetValueOrDefault(secret.Key), authority, now))));
}
