using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Trust;

namespace Cloister.Client;

/// <summary>A coordinator that proved to be the one a policy wants, and the manifest that is in force there. Only <see cref="DeploymentVerifier"/> makes one.</summary>
public sealed class VerifiedDeployment
{
    internal VerifiedDeployment(Uri coordinator, AttestationResult result, VerifiedCoordinator trust, ReadOnlyMemory<byte> manifestBytes, ManifestDocument? manifest)
    {
        (Coordinator, Result, Trust, ManifestBytes, Manifest) = (coordinator, result, trust, manifestBytes, manifest);
        using X509Certificate2 root = X509CertificateLoader.LoadCertificate(trust.Root.Span);
        RootKey = root.PublicKey.ExportSubjectPublicKeyInfo();
    }

    /// <summary>The coordinator's address.</summary>
    public Uri Coordinator { get; }

    /// <summary>Every check that was made, in order; all passed.</summary>
    public AttestationResult Result { get; }

    /// <summary>The attested certificates: root, intermediate and marble root.</summary>
    public VerifiedCoordinator Trust { get; }

    /// <summary>The attested root's key, DER SubjectPublicKeyInfo: the key of every further TLS connection to this coordinator.</summary>
    public ReadOnlyMemory<byte> RootKey { get; }

    /// <summary>SHA-256 of the manifest in force, lower-case hex; empty if none is set yet.</summary>
    public string Fingerprint => Trust.ManifestFingerprint;

    /// <summary>The manifest's exact bytes; empty if none is set yet.</summary>
    public ReadOnlyMemory<byte> ManifestBytes { get; }

    /// <summary>The manifest; null if none is set yet.</summary>
    public ManifestDocument? Manifest { get; }

    /// <summary>Whether the evidence is simulated: then nothing is proven against the host.</summary>
    public bool Simulated => Result.Simulated;
}
