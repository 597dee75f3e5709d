using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Secrets;

/// <summary>Keys that all workloads share; they are made when the manifest is set.</summary>
internal static class SharedSecrets
{
    public static ImmutableDictionary<string, SecretMaterial> Generate(ManifestDocument manifest)
    {
        var secrets = ImmutableDictionary.CreateBuilder<string, SecretMaterial>(StringComparer.Ordinal);
        foreach ((string name, ManifestSecret secret) in manifest.Secrets)
        {
            if (secret is { Type: ManifestSecretTypes.SymmetricKey, Shared: true, UserDefined: false })
                secrets.Add(name, SecretMaterial.OfKey(RandomNumberGenerator.GetBytes(checked((int)(secret.Size / 8)))));
        }
        return secrets.ToImmutable();
    }
}
