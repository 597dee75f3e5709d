namespace Cloister.Protocol.Manifest;

/// <summary>MarbleRun's checks of one role.</summary>
internal static class RoleChecks
{
    public static void Check(ManifestDocument manifest, string name, ManifestRole role, ManifestProblems problems)
    {
        switch (role.ResourceType)
        {
            case ManifestActions.Packages:
                CheckResources(name, role, manifest.Packages.ContainsKey, problems);
                CheckActions(name, role, [ManifestActions.UpdateSecurityVersion], problems);
                break;
            case ManifestActions.Secrets:
                CheckResources(name, role, manifest.Secrets.ContainsKey, problems);
                CheckActions(name, role, [ManifestActions.ReadSecret, ManifestActions.WriteSecret], problems);
                CheckSecrets(manifest, name, role, problems);
                break;
            case ManifestActions.Manifest:
                if (!role.ResourceNames.IsEmpty)
                    ManifestChecks.Add(problems, ManifestProblemCode.RoleResourceNamesNotAllowed, $"Roles.{name}.ResourceNames", $"role {name}: resource names are not allowed for type Manifest");
                CheckActions(name, role, [ManifestActions.UpdateManifest], problems);
                break;
            default:
                string go = $"{{{role.ResourceType} [{string.Join(' ', role.ResourceNames)}] [{string.Join(' ', role.Actions)}]}}";
                ManifestChecks.Add(problems, ManifestProblemCode.RoleResourceTypeUnknown, $"Roles.{name}.ResourceType", $"unrecognized resource type: {go} for role: {name}");
                break;
        }
    }

    private static void CheckResources(string name, ManifestRole role, Func<string, bool> isDefined, ManifestProblems problems)
    {
        foreach (string resource in role.ResourceNames)
            if (!isDefined(resource))
                ManifestChecks.Add(problems, ManifestProblemCode.RoleResourceMissing, $"Roles.{name}.ResourceNames", $"role {name}: resource {resource} of type {role.ResourceType} is not defined in manifest");
    }

    private static void CheckActions(string name, ManifestRole role, string[] known, ManifestProblems problems)
    {
        foreach (string action in role.Actions)
            if (!known.Contains(action, StringComparer.OrdinalIgnoreCase))
                ManifestChecks.Add(problems, ManifestProblemCode.RoleActionUnknown, $"Roles.{name}.Actions", $"unknown action: {action} for type {role.ResourceType} in role: {name}");
    }

    private static void CheckSecrets(ManifestDocument manifest, string name, ManifestRole role, ManifestProblems problems)
    {
        foreach (string resource in role.ResourceNames)
        {
            if (!manifest.Secrets.TryGetValue(resource, out ManifestSecret? secret)) continue;
            if (Has(ManifestActions.WriteSecret) && !secret.UserDefined)
                ManifestChecks.Add(problems, ManifestProblemCode.RoleSecretWrong, $"Roles.{name}", $"manifest specifies write permission for role {name} and non-user-defined secret {resource}");
            if (Has(ManifestActions.ReadSecret) && secret is { UserDefined: false, Shared: false })
                ManifestChecks.Add(problems, ManifestProblemCode.RoleSecretWrong, $"Roles.{name}", $"manifest specifies read permission for role {name} and per-marble-unique secret {resource}");
        }

        bool Has(string action) => role.Actions.Contains(action, StringComparer.OrdinalIgnoreCase);
    }
}
