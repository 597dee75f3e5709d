namespace Cloister.Protocol.Manifest;

/// <summary>Checks what only Cloister's dialect has, callers aside.</summary>
internal static class CloisterMembers
{
    /// <summary>Checks the decoded members against each other and against the rest of the manifest.</summary>
    public static void Check(ManifestDocument manifest, ManifestProblems problems)
    {
        foreach ((string name, ManifestPackage package) in manifest.Packages)
            CheckPackage(name, package, problems);
        foreach ((string name, ManifestMarble marble) in manifest.Marbles)
        {
            CheckNames(manifest, marble.Models, $"Marbles.{name}.Models", ManifestProblemCode.MarbleModelWrong, problems);
            ModelMembers.CheckStated(name, marble, manifest, problems);
        }
        foreach ((string name, ManifestModel model) in manifest.Models)
            ModelMembers.Check(manifest, name, model, problems);
        CheckNames(manifest, manifest.AnonymousModels, "AnonymousModels", ManifestProblemCode.AnonymousModelWrong, problems);
    }

    private static void CheckPackage(string name, ManifestPackage package, ManifestProblems problems)
    {
        foreach ((string member, string? value) in new[] { ("UniqueID", package.UniqueId), ("SignerID", package.SignerId) })
            if (!string.IsNullOrEmpty(value) && !(value.Length == 64 && value.All(char.IsAsciiHexDigit)))
                problems.Add(ManifestProblemCode.PackageIdentityWrong, $"Packages.{name}.{member}", "is not 64 hex digits");
    }

    internal static void CheckNames(ManifestDocument manifest, IReadOnlyCollection<string> models, string field, ManifestProblemCode code, ManifestProblems problems)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string model in models)
        {
            if (!manifest.Models.ContainsKey(model)) problems.Add(code, field, $"names the model '{model}', which is not defined");
            if (!seen.Add(model)) problems.Add(code, field, $"names the model '{model}' twice");
        }
    }
}
