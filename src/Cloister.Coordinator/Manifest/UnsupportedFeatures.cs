using System.Collections.Immutable;
using System.Text;
using Cloister.Coordinator.Recovery;
using Cloister.Coordinator.Secrets;
using Cloister.Protocol.Manifest;
using Cloister.Sealing;

namespace Cloister.Coordinator.Manifest;

/// <summary>
/// What a valid manifest may ask for and this version does not do. Such a manifest is refused as a whole:
/// a protection that was asked for and silently left out would be worse than none.
/// </summary>
internal static class UnsupportedFeatures
{
    private const int MaxNameBytes = 256;
    private const ulong MaxKeyBits = 8 << 20;

    /// <param name="manifest">What is asked for.</param>
    /// <param name="simulation">MarbleRun's simulation, which makes no difference between its seal modes but that of memory alone.</param>
    public static ImmutableArray<string> Find(ManifestDocument manifest, bool simulation)
    {
        var found = ImmutableArray.CreateBuilder<string>();
        foreach ((string name, ManifestSecret secret) in manifest.Secrets)
        {
            if (secret is { Type: ManifestSecretTypes.CertRsa, UserDefined: false } && !SecretKeyPair.IsRsaSize(secret.Size))
                found.Add($"Secrets.{name}: Size must be a multiple of 8 between {SecretKeyPair.MinRsaBits} and {SecretKeyPair.MaxRsaBits} bits");
            else if (secret is { Type: ManifestSecretTypes.CertEd25519, UserDefined: false } && !Ed25519KeyPair.IsSupported)
                found.Add($"Secrets.{name}: this machine has no Ed25519; install libcrypto of OpenSSL 3");
            else if (secret.Type == ManifestSecretTypes.Plain && !secret.UserDefined)
                found.Add($"Secrets.{name}: a plain secret must be UserDefined");
            else if (secret.Type == ManifestSecretTypes.SymmetricKey && LongestKey(secret) is var longest && (secret.Size == 0 || secret.Size > longest || secret.Size % 8 != 0))
                found.Add($"Secrets.{name}: Size must be a multiple of 8 between 8 and {longest} bits");
        }
        if (manifest.Config.SealMode == SealModes.UniqueKey && !simulation)
            found.Add("Config.SealMode: UniqueKey binds the state to this very program, which the host's key cannot; use ProductKey, or leave it empty, to seal with the platform");
        if (FeatureGate.IsEnabled(manifest, FeatureGate.AzureHsmSealing))
            found.Add(FeatureGate.WithoutAzure);
        foreach (string name in manifest.Secrets.Keys.Concat(manifest.Marbles.Keys).Concat(manifest.RecoveryKeys.Keys).Where(name => Encoding.UTF8.GetByteCount(name) > MaxNameBytes))
            found.Add($"'{name[..32]}...': a name has at most {MaxNameBytes} bytes");
        return found.ToImmutable();
    }

    private static ulong LongestKey(ManifestSecret secret) => secret.Shared || secret.UserDefined ? MaxKeyBits : SecretDerivation.MaxBits;
}
