using System.Globalization;

namespace Cloister.Protocol.Manifest;

/// <summary>
/// MarbleRun's checks of a decoded manifest, in its order and its words (coordinator/manifest, "Check"), except that all
/// problems are collected. Cloister's dialect does not let a debug package go without an identity.
/// </summary>
internal static class ManifestChecks
{
    private const string Stage = "checking manifest: ";

    private static readonly string[] s_secretTypes =
        [ManifestSecretTypes.SymmetricKey, ManifestSecretTypes.CertRsa, ManifestSecretTypes.CertEcdsa, ManifestSecretTypes.CertEd25519, ManifestSecretTypes.Plain];
    private static readonly string[] s_sealModes = ["", "ProductKey", "UniqueKey", "Disabled"];
    private static readonly string[] s_featureGates = ["SignQuoteEndpoint", "MonotonicCounter", "AzureHSMSealing"];

    public static void Check(ManifestDocument manifest, ManifestProblems problems)
    {
        if (manifest.Packages.IsEmpty) Add(problems, ManifestProblemCode.NoPackages, "Packages", "no allowed packages defined");
        if (manifest.Marbles.IsEmpty) Add(problems, ManifestProblemCode.NoMarbles, "Marbles", "no allowed marbles defined");
        CheckMarbles(manifest, problems);
        CheckTls(manifest, problems);
        CheckUsers(manifest, problems);
        foreach ((string name, ManifestRole role) in manifest.Roles) RoleChecks.Check(manifest, name, role, problems);
        CheckSecretTypes(manifest, problems);
        CheckConfig(manifest, problems);
    }

    internal static void Add(ManifestProblems problems, ManifestProblemCode code, string field, string message) => problems.Add(code, field, Stage + message);

    private static void CheckMarbles(ManifestDocument manifest, ManifestProblems problems)
    {
        var judged = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string name, ManifestMarble marble) in manifest.Marbles)
        {
            if (!manifest.Packages.TryGetValue(marble.Package, out ManifestPackage? package))
                Add(problems, ManifestProblemCode.MarblePackageMissing, $"Marbles.{name}.Package", $"manifest does not contain marble package {marble.Package}");
            else if (package.Policy is null && judged.Add(marble.Package))
                CheckSgxIdentity(marble.Package, package, problems);
            foreach (string tag in marble.Tls)
                if (!manifest.Tls.ContainsKey(tag))
                    Add(problems, ManifestProblemCode.TlsTagMissing, $"Marbles.{name}.TLS", $"manifest misses TLS entry for {tag}");
        }
    }

    private static void CheckSgxIdentity(string name, ManifestPackage package, ManifestProblems problems)
    {
        if (!string.IsNullOrEmpty(package.UniqueId))
        {
            if (!string.IsNullOrEmpty(package.SignerId) || package.ProductId is not null || package.SecurityVersion is not null)
                Identity(ManifestProblemCode.PackageOverspecified, $"manifest specifies both UniqueID *and* SignerID/ProductID/SecurityVersion in package {name}");
            return;
        }
        if (string.IsNullOrEmpty(package.SignerId)) Identity(ManifestProblemCode.PackageUnderspecified, $"manifest misses value for SignerID in package {name}");
        if (package.ProductId is null) Identity(ManifestProblemCode.PackageUnderspecified, $"manifest misses value for ProductID in package {name}");
        if (package.SecurityVersion is null) Identity(ManifestProblemCode.PackageUnderspecified, $"manifest misses value for SecurityVersion in package {name}");

        void Identity(ManifestProblemCode code, string message)
        {
            if (package.Debug && !problems.IsCloister) problems.Warn(code, $"Packages.{name}", message);
            else Add(problems, code, $"Packages.{name}", message);
        }
    }

    private static void CheckTls(ManifestDocument manifest, ManifestProblems problems)
    {
        foreach ((string tag, ManifestTlsTag connections) in manifest.Tls)
        {
            foreach (ManifestTlsEntry incoming in connections.Incoming)
            {
                string at = $"TLS.{tag}.Incoming";
                if (incoming.Port.Length == 0) Entry(at, $"manifest misses Port in TLS.Incoming.{tag}");
                if (incoming.Cert.Length == 0)
                {
                    if (incoming.DisableClientAuth) Entry(at, $"TLS.Incoming.{tag} disables client authentication");
                    continue;
                }
                if (!manifest.Secrets.ContainsKey(incoming.Cert)) Entry(at, $"TLS.Incoming.{tag} references undefined secret {incoming.Cert}");
                if (!incoming.DisableClientAuth) Entry(at, $"TLS.Incoming.{tag} defines Cert but does not disable client authentication");
            }
            foreach (ManifestTlsEntry outgoing in connections.Outgoing)
            {
                if (outgoing.Addr.Length == 0) Entry($"TLS.{tag}.Outgoing", $"manifest misses Addr in TLS.Outgoing.{tag}");
                if (outgoing.Port.Length == 0) Entry($"TLS.{tag}.Outgoing", $"manifest misses Port in TLS.Outgoing.{tag}");
            }
        }

        void Entry(string field, string message) => Add(problems, ManifestProblemCode.TlsEntryWrong, field, message);
    }

    private static void CheckUsers(ManifestDocument manifest, ManifestProblems problems)
    {
        var certificates = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, ManifestUser user) in manifest.Users)
        {
            if (user.Certificate.Length == 0)
                Add(problems, ManifestProblemCode.UserCertificateMissing, $"Users.{name}.Certificate", $"manifest does not contain a certificate for user {name}");
            foreach (string role in user.Roles)
                if (!manifest.Roles.ContainsKey(role))
                    Add(problems, ManifestProblemCode.UserRoleMissing, $"Users.{name}.Roles", $"role {role} of user {name} does not exist");
            // MarbleRun compares the text, which a trailing newline evades; Cloister compares the certificate.
            string identity = problems.IsCloister && !user.CertificateDer.IsEmpty ? Convert.ToBase64String(user.CertificateDer.Span) : user.Certificate;
            if (identity.Length != 0 && !certificates.TryAdd(identity, name))
                Add(problems, ManifestProblemCode.UserCertificateRepeated, $"Users.{name}.Certificate", $"users {certificates[identity]} and {name} have the same certificate");
        }
    }

    private static void CheckSecretTypes(ManifestDocument manifest, ManifestProblems problems)
    {
        foreach ((string name, ManifestSecret secret) in manifest.Secrets)
        {
            if (secret.ValidFor != 0 && secret.Certificate.NotAfter is not null)
                Add(problems, ManifestProblemCode.SecretLifetimeTwice, $"Secrets.{name}", $"ambiguous certificate validity duration for secret: {name}, both NotAfter and ValidFor are specified");
            if (!s_secretTypes.Contains(secret.Type))
                Add(problems, ManifestProblemCode.SecretTypeUnknown, $"Secrets.{name}.Type", $"unknown type: {secret.Type} for secret: {name}");
        }
    }

    private static void CheckConfig(ManifestDocument manifest, ManifestProblems problems)
    {
        ManifestConfig config = manifest.Config;
        ulong updaters = (ulong)manifest.Users.Values.Count(user => user.Roles.Any(role => MayUpdate(manifest, role)));
        if (config.UpdateThreshold > updaters)
            Add(problems, ManifestProblemCode.UpdateThresholdTooHigh, "Config.UpdateThreshold", $"not enough users with manifest update permissions ({Text(updaters)}) to meet the threshold of {Text(config.UpdateThreshold)}");
        if (!s_sealModes.Contains(config.SealMode))
            Add(problems, ManifestProblemCode.SealModeUnknown, "Config.SealMode", $"unknown seal mode: {config.SealMode}");
        foreach (string gate in config.FeatureGates)
            if (!s_featureGates.Contains(gate, StringComparer.OrdinalIgnoreCase))
                Add(problems, ManifestProblemCode.FeatureGateUnknown, "Config.FeatureGates", $"unknown feature gate: {gate}");
        if (config.RecoveryThreshold > (ulong)manifest.RecoveryKeys.Count)
            Add(problems, ManifestProblemCode.RecoveryThresholdWrong, "Config.RecoveryThreshold", $"not enough recovery keys ({manifest.RecoveryKeys.Count}) defined to meet the recovery threshold of {Text(config.RecoveryThreshold)}");
        else if (config.RecoveryThreshold == 1)
            Add(problems, ManifestProblemCode.RecoveryThresholdWrong, "Config.RecoveryThreshold", "invalid recovery threshold: if set, threshold must be at least 2");
    }

    // MarbleRun looks at a role's first action only.
    private static bool MayUpdate(ManifestDocument manifest, string role) =>
        manifest.Roles.TryGetValue(role, out ManifestRole? found)
        && found.ResourceType == ManifestActions.Manifest
        && !found.Actions.IsEmpty
        && found.Actions[0].Equals(ManifestActions.UpdateManifest, StringComparison.OrdinalIgnoreCase);

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);
}
