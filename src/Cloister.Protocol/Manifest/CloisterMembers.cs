namespace Cloister.Protocol.Manifest;

/// <summary>Decodes and checks what only Cloister's dialect has: models and anonymous models.</summary>
internal sealed class CloisterMembers(GoDecoder go)
{
    private static readonly string[] s_model = ["Digest", "MakerKey", "Secret", "MinimumVersion"];

    public ManifestModel Model(GoNode node)
    {
        var model = new ManifestModel();
        foreach ((string name, GoNode member) in go.Members(node, "Model", s_model))
            model = name switch
            {
                "Digest" => model with { Digest = go.String(member, model.Digest) },
                "MakerKey" => model with { MakerKey = Base64(member) },
                "Secret" => model with { Secret = go.String(member, model.Secret) },
                _ => model with { MinimumVersion = (long)go.UInt(member, 0, long.MaxValue, "int64") },
            };
        return model;
    }

    /// <summary>Checks the decoded members against each other and against the rest of the manifest.</summary>
    public static void Check(ManifestDocument manifest, ManifestProblems problems)
    {
        foreach ((string name, ManifestPackage package) in manifest.Packages)
            CheckPackage(name, package, problems);
        foreach ((string name, ManifestMarble marble) in manifest.Marbles)
            CheckNames(manifest, marble.Models, $"Marbles.{name}.Models", ManifestProblemCode.MarbleModelWrong, problems);
        foreach ((string name, ManifestModel model) in manifest.Models)
            CheckModel(manifest, name, model, problems);
        CheckNames(manifest, manifest.AnonymousModels, "AnonymousModels", ManifestProblemCode.AnonymousModelWrong, problems);
    }

    private static void CheckPackage(string name, ManifestPackage package, ManifestProblems problems)
    {
        foreach ((string member, string? value) in new[] { ("UniqueID", package.UniqueId), ("SignerID", package.SignerId) })
            if (!string.IsNullOrEmpty(value) && !(value.Length == 64 && value.All(char.IsAsciiHexDigit)))
                problems.Add(ManifestProblemCode.PackageIdentityWrong, $"Packages.{name}.{member}", "is not 64 hex digits");
    }

    private static void CheckModel(ManifestDocument manifest, string name, ManifestModel model, ManifestProblems problems)
    {
        string at = $"Models.{name}";
        if (!ManifestFingerprint.IsValid(model.Digest))
            problems.Add(ManifestProblemCode.ModelDigestWrong, $"{at}.Digest", "is not 64 lower-case hex digits; 'cloister model inspect' prints the digest");
        if (!MakerKeys.IsValid(model.MakerKey))
            problems.Add(ManifestProblemCode.ModelMakerKeyWrong, $"{at}.MakerKey", "is not base64 of an Ed25519 or P-256 SubjectPublicKeyInfo");
        if (!manifest.Secrets.TryGetValue(model.Secret, out ManifestSecret? secret))
            problems.Add(ManifestProblemCode.ModelSecretWrong, $"{at}.Secret", $"names the secret '{model.Secret}', which is not defined");
        else if (secret is not { Type: ManifestSecretTypes.SymmetricKey, Size: 256, UserDefined: true })
            problems.Add(ManifestProblemCode.ModelSecretWrong, $"{at}.Secret", $"the secret '{model.Secret}' must be a user-defined symmetric-key of 256 bits");
        if (!manifest.Marbles.Values.Any(marble => marble.Models.Contains(name)))
            problems.Warn(ManifestProblemCode.ModelUnused, at, "no marble lists this model, so nothing can open it");
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

    private byte[] Base64(GoNode node)
    {
        string text = go.String(node, "");
        return GoBase64.TryDecode(text, out byte[] bytes) ? bytes : [];
    }
}
