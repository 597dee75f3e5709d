using System.Security.Cryptography;

namespace Cloister.Protocol.Manifest;

/// <summary>Decodes and checks what only Cloister's dialect has: models, callers, anonymous models.</summary>
internal sealed class CloisterMembers(GoDecoder go, ManifestProblems problems)
{
    private static readonly string[] s_model = ["Digest", "MakerKey", "Secret", "MinimumVersion"];
    private static readonly string[] s_caller = ["Certificate", "TokenSha256", "Models"];

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

    public ManifestCaller Caller(GoNode node)
    {
        var caller = new ManifestCaller();
        foreach ((string name, GoNode member) in go.Members(node, "Caller", s_caller))
            caller = name switch
            {
                "Certificate" => caller with { CertificateDer = Certificate(member) },
                "TokenSha256" => caller with { TokenSha256 = Token(member) },
                _ => caller with { Models = go.Strings(member, caller.Models) },
            };
        return caller;
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
        CheckCallers(manifest, problems);
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

    private static void CheckCallers(ManifestDocument manifest, ManifestProblems problems)
    {
        var credentials = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, ManifestCaller caller) in manifest.Callers)
        {
            string at = $"Callers.{name}";
            if (caller.CertificateDer.IsEmpty == caller.TokenSha256.IsEmpty)
            {
                problems.Add(ManifestProblemCode.CallerCredentialWrong, at, "a caller has exactly one of Certificate and TokenSha256");
            }
            else
            {
                string credential = caller.CertificateDer.IsEmpty
                    ? "token " + Convert.ToHexString(caller.TokenSha256.Span)
                    : "certificate " + Convert.ToHexString(SHA256.HashData(caller.CertificateDer.Span));
                if (!credentials.TryAdd(credential, name))
                    problems.Add(ManifestProblemCode.CallerCredentialRepeated, at, $"has the same credential as caller '{credentials[credential]}'");
            }
            if (caller.Models.IsEmpty) problems.Add(ManifestProblemCode.CallerModelWrong, $"{at}.Models", "names no model");
            CheckNames(manifest, caller.Models, $"{at}.Models", ManifestProblemCode.CallerModelWrong, problems);
        }
    }

    private static void CheckNames(ManifestDocument manifest, IReadOnlyCollection<string> models, string field, ManifestProblemCode code, ManifestProblems problems)
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

    private byte[] Certificate(GoNode node)
    {
        string pem = go.String(node, "");
        byte[]? der = ManifestCertificates.FirstBlock(pem, out string label);
        if (der is not null && label == "CERTIFICATE" && ManifestCertificates.IsCertificate(der)) return der;
        problems.Add(ManifestProblemCode.CallerCredentialWrong, node.Field, "is not a PEM certificate");
        return [];
    }

    private byte[] Token(GoNode node)
    {
        string hex = go.String(node, "");
        if (ManifestFingerprint.IsValid(hex)) return Convert.FromHexString(hex);
        problems.Add(ManifestProblemCode.CallerCredentialWrong, node.Field, "is not the token's SHA-256 as 64 lower-case hex digits");
        return [];
    }
}
