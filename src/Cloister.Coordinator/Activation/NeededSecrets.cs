using System.Collections.Immutable;
using Cloister.Coordinator.Secrets;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Templates;

namespace Cloister.Coordinator.Activation;

/// <summary>The values of the secrets that one marble needs, and no others.</summary>
internal static class NeededSecrets
{
    /// <summary>Looks up or derives each secret of the plan.</summary>
    /// <exception cref="CoordinatorException">AwaitingSecrets, with the names of those that no user has set.</exception>
    public static ImmutableDictionary<string, TemplateSecret?> Collect(CoordinatorSnapshot snapshot, MarblePlan plan, Guid uuid)
    {
        ManifestDocument manifest = snapshot.Manifest!.Document;
        var values = ImmutableDictionary.CreateBuilder<string, TemplateSecret?>(StringComparer.Ordinal);
        ImmutableArray<string> unset = [.. plan.Secrets.Where(name => manifest.Secrets[name].UserDefined && !snapshot.Secrets.ContainsKey(name))];
        if (!unset.IsEmpty)
            throw new CoordinatorException(CoordinatorError.AwaitingSecrets,
                $"Not uploaded yet: {string.Join(", ", unset)}. The activation was not used up; try again once the owner has uploaded.") { AwaitedSecrets = unset };
        foreach (string name in plan.Secrets)
        {
            ManifestSecret definition = manifest.Secrets[name];
            SecretMaterial value = definition.UserDefined || definition.Shared
                ? snapshot.Secrets[name]
                : SecretMaterial.OfKey(SecretDerivation.PerMarble(snapshot.RootSecret.Span, uuid, name, plan.Marble.DisableSecretBinding ? "" : plan.Type, definition.Size));
            values.Add(name, value.ToTemplate(definition.Type));
        }
        return values.ToImmutable();
    }
}
