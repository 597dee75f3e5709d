namespace Cloister.Protocol.Manifest;

/// <summary>
/// What MarbleRun finds out when it generates secrets, decrypts nothing yet, and reads users and recovery keys: the stages after
/// its checks, in their order.
/// </summary>
internal static class SecretChecks
{
    // HKDF-SHA256 yields at most 255 blocks of 32 bytes.
    private const ulong MaxDerivedBits = 255 * 32 * 8;

    // Go's x509.SignatureAlgorithm: ECDSA with SHA-256, -384, -512. Certificates are signed by the coordinator's ECDSA key.
    private const long EcdsaWithSha256 = 10, EcdsaWithSha512 = 12;

    // Go's x509.ExtKeyUsage: Any to MicrosoftKernelCodeSigning.
    private const long LastExtKeyUsage = 13;

    public static void Check(ManifestDocument manifest, ManifestProblems problems)
    {
        foreach ((string name, ManifestSecret secret) in manifest.Secrets)
            if (!secret.UserDefined)
                CheckGenerated(name, secret, problems);
        foreach ((string name, string pem) in manifest.RecoveryKeys)
        {
            if (!ManifestCertificates.TryReadPublicKey(pem, out bool? rsa))
                problems.Add(ManifestProblemCode.RecoveryKeyWrong, $"RecoveryKeys.{name}", "generating recovery encryption key: given PEM data is not a public key");
            else if (rsa == false)
                problems.Add(ManifestProblemCode.RecoveryKeyWrong, $"RecoveryKeys.{name}", "generating recovery encryption key: unsupported type of public key");
        }
        foreach ((string name, ManifestUser user) in manifest.Users)
        {
            if (user.Certificate.Length == 0) continue;
            if (user.CertificateDer.IsEmpty)
                problems.Add(ManifestProblemCode.UserCertificateWrong, $"Users.{name}.Certificate", $"generating users from manifest: received invalid certificate for user {name}");
            else if (!ManifestCertificates.IsCertificate(user.CertificateDer.Span))
                problems.Add(ManifestProblemCode.UserCertificateWrong, $"Users.{name}.Certificate", $"generating users from manifest: x509: malformed certificate for user {name}");
        }
    }

    private static void CheckGenerated(string name, ManifestSecret secret, ManifestProblems problems)
    {
        string stage = secret.Shared ? "generating secrets from manifest: " : "generating placeholder secrets from manifest: ";
        switch (secret.Type)
        {
            case ManifestSecretTypes.SymmetricKey:
                if (secret.Size == 0 || secret.Size % 8 != 0 || (!secret.Shared && secret.Size > MaxDerivedBits))
                    Size($"invalid secret size: {name}");
                break;
            case ManifestSecretTypes.Plain:
                problems.Add(ManifestProblemCode.SecretPlainGenerated, $"Secrets.{name}", $"{stage}secret {name} is invalid: unsupported secret of type plain");
                break;
            case ManifestSecretTypes.CertEd25519:
                if (secret.Size != 0) Size($"invalid secret size for cert-ed25519 secret {name}: none is expected, got: {secret.Size}");
                break;
            case ManifestSecretTypes.CertEcdsa:
                if (secret.Size is not (224 or 256 or 384 or 521))
                    Size($"invalid secret size for cert-ecdsa secret {name}: unsupported size {secret.Size}: does not map to a supported curve");
                break;
            case ManifestSecretTypes.CertRsa:
                if (secret.Size < 1024) Size($"crypto/rsa: {secret.Size}-bit keys are insecure");
                break;
        }
        if (CertificateTemplate.Read(secret) is { } template && secret.Type is not (ManifestSecretTypes.SymmetricKey or ManifestSecretTypes.Plain))
            CheckTemplate(name, template, stage, problems);

        void Size(string message) => problems.Add(ManifestProblemCode.SecretSizeWrong, $"Secrets.{name}.Size", stage + message);
    }

    private static void CheckTemplate(string name, CertificateTemplate template, string stage, ManifestProblems problems)
    {
        if (!template.IsCa && template.MaxPathLen != -1 && (template.MaxPathLen != 0 || template.MaxPathLenZero))
            Wrong("x509: only CAs are allowed to specify MaxPathLen");
        if (template.SignatureAlgorithm != 0 && template.SignatureAlgorithm is < EcdsaWithSha256 or > EcdsaWithSha512)
            Wrong("x509: requested SignatureAlgorithm does not match private key type");
        if (template.ExtKeyUsage.Any(usage => usage is < 0 or > LastExtKeyUsage))
            Wrong("x509: unknown extended key usage");

        void Wrong(string message) => problems.Add(ManifestProblemCode.SecretCertificateWrong, $"Secrets.{name}.Cert", stage + message);
    }
}
