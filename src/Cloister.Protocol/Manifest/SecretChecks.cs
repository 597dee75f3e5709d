using Cloister.Protocol.Certificates;

namespace Cloister.Protocol.Manifest;

/// <summary>
/// What MarbleRun finds out when it generates secrets, decrypts nothing yet, and reads users and recovery keys: the stages after
/// its checks, in their order.
/// </summary>
internal static class SecretChecks
{
    // HKDF-SHA256 yields at most 255 blocks of 32 bytes.
    private const ulong MaxDerivedBits = 255 * 32 * 8;

    // An Ed25519 key of zeros: what a template asks for does not depend on the key.
    private static readonly byte[] s_key = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, .. new byte[32]];

    // Like the coordinator's, a name that is not the subject's.
    private static readonly byte[] s_issuer = new CertificateName { CommonName = "MarbleRun Coordinator - Intermediate CA" }.Encode();
    private static readonly DateTimeOffset s_begin = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static void Check(ManifestDocument manifest, ManifestProblems problems)
    {
        // First those that all marbles share, then the placeholders of the others.
        foreach ((string name, ManifestSecret secret) in manifest.Secrets.OrderByDescending(secret => secret.Value.Shared))
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
                if (secret.Size < 1024) Size($"crypto/rsa: {secret.Size}-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)");
                break;
        }
        if (secret.Type is ManifestSecretTypes.CertRsa or ManifestSecretTypes.CertEcdsa or ManifestSecretTypes.CertEd25519)
            CheckCertificate(name, secret, stage, problems);

        void Size(string message) => problems.Add(ManifestProblemCode.SecretSizeWrong, $"Secrets.{name}.Size", stage + message);
    }

    private static void CheckCertificate(string name, ManifestSecret secret, string stage, ManifestProblems problems)
    {
        try
        {
            DateTimeOffset end = secret.NotAfter(s_begin);
            new CertificateDraft(secret.Certificate.WithDefaults(), s_issuer, s_key.AsMemory(^20..), s_key, s_key.AsMemory(^1..), s_begin, end).Encode(out _);
        }
        catch (ProtocolException error)
        {
            problems.Add(ManifestProblemCode.SecretCertificateWrong, $"Secrets.{name}.Cert", stage + error.Reason);
        }
    }
}
