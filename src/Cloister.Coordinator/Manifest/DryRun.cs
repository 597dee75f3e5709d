using System.Collections.Immutable;
using Cloister.Coordinator.Activation;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Templates;

namespace Cloister.Coordinator.Manifest;

/// <summary>Renders a marble's parameters with values that only have the right form, to find what would fail at its activation.</summary>
internal static class DryRun
{
    private static readonly ReadOnlyMemory<byte> Something = "not a certificate"u8.ToArray();

    /// <exception cref="CoordinatorException">ParametersRefused.</exception>
    public static void Render(ManifestDocument manifest, MarblePlan plan, ManifestDialect dialect)
    {
        var secrets = ImmutableDictionary.CreateBuilder<string, TemplateSecret?>(StringComparer.Ordinal);
        foreach (string name in plan.Secrets)
        {
            ManifestSecret secret = manifest.Secrets[name];
            byte[] value = new byte[secret.Type == ManifestSecretTypes.SymmetricKey ? (int)(secret.Size / 8) : 1];
            value.AsSpan().Fill((byte)'x');
            secrets.Add(name, TemplateSecret.OfKey(secret.Type, value));
        }
        // In Cloister's mode the workload's private key never reaches the coordinator, so no template can write it.
        ReadOnlyMemory<byte> privateKey = dialect == ManifestDialect.MarbleRun ? Something : default;
        GrantedParameters.Render(plan, new TemplateData
        {
            MarbleRoot = Something,
            CoordinatorRoot = Something,
            CoordinatorIntermediate = Something,
            MarbleCertificate = new TemplateSecret("", Something, Something, privateKey),
            Secrets = secrets.ToImmutable(),
        });
    }
}
