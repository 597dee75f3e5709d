using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Rest;

namespace Cloister.Protocol.Trust;

/// <summary>Which of the coordinator's ports the evidence came over; each presents another certificate in TLS.</summary>
public enum CoordinatorPort
{
    /// <summary>The client API: presents the root.</summary>
    Client = 1,
    /// <summary>The marbles' gRPC service: presents the marble root.</summary>
    Mesh = 2,
}

/// <summary>What somebody who says that it is the coordinator presented. Nothing in it is checked yet.</summary>
public sealed record CoordinatorPresentation
{
    /// <summary>The port it came over.</summary>
    public required CoordinatorPort Port { get; init; }
    /// <summary>SubjectPublicKeyInfo of the certificate that the TLS connection it came over was made with, DER.</summary>
    public required ReadOnlyMemory<byte> TlsPublicKey { get; init; }
    /// <summary>Encoded evidence set.</summary>
    public required ReadOnlyMemory<byte> Evidence { get; init; }
    /// <summary>Root certificate, DER.</summary>
    public required ReadOnlyMemory<byte> Root { get; init; }
    /// <summary>Intermediate certificate, DER.</summary>
    public required ReadOnlyMemory<byte> Intermediate { get; init; }
    /// <summary>Marble root certificate, DER.</summary>
    public required ReadOnlyMemory<byte> MarbleRoot { get; init; }
    /// <summary>Fingerprint of the manifest it says is in force; empty if none is.</summary>
    public required string ManifestFingerprint { get; init; }
    /// <summary>Signatures of the manifest's owners.</summary>
    public ImmutableArray<OwnerSignature> OwnerSignatures { get; init; } = [];

    /// <summary>From the answer to <c>rpc.Marble/Challenge</c>.</summary>
    /// <exception cref="ProtocolException">The answer lacks a part.</exception>
    public static CoordinatorPresentation FromChallenge(ChallengeResp answer, ReadOnlyMemory<byte> tlsPublicKey)
    {
        ArgumentNullException.ThrowIfNull(answer);
        if (answer.CertificateChain.Count != 2) throw new ProtocolException(ProtocolError.BadValue, "CertificateChain", "is not intermediate and root.");
        if (answer.ManifestFingerprint.Length is not (0 or 32)) throw new ProtocolException(ProtocolError.BadValue, "ManifestFingerprint", "is neither empty nor 32 bytes.");
        return new CoordinatorPresentation
        {
            Port = CoordinatorPort.Mesh,
            TlsPublicKey = tlsPublicKey,
            Evidence = answer.CoordinatorEvidence.Memory,
            Intermediate = answer.CertificateChain[0].Memory,
            Root = answer.CertificateChain[1].Memory,
            MarbleRoot = answer.MarbleRoot.Memory,
            ManifestFingerprint = Convert.ToHexStringLower(answer.ManifestFingerprint.Span),
            OwnerSignatures = [.. answer.OwnerSignatures.Select(one => new OwnerSignature(one.PublicKey.Memory, one.Signature.Memory))],
        };
    }

    /// <summary>From the answers to <c>GET /api/v3/evidence</c> and, once a manifest is set, <c>GET /api/v3/manifest</c>.</summary>
    /// <exception cref="ProtocolException">An answer lacks a part, or the manifest's fingerprint is not that of its bytes.</exception>
    public static CoordinatorPresentation FromRest(EvidenceV3 evidence, ManifestV3? manifest, ReadOnlyMemory<byte> tlsPublicKey)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ReadOnlyMemory<byte>[] chain = ReadPem(evidence.CertificateChain, "certificateChain", 2);
        if (manifest is not null && Manifest.ManifestFingerprint.Of(manifest.Manifest) != manifest.Fingerprint)
            throw new ProtocolException(ProtocolError.BadValue, "fingerprint", "is not the SHA-256 of the manifest that came with it.");
        return new CoordinatorPresentation
        {
            Port = CoordinatorPort.Client,
            TlsPublicKey = tlsPublicKey,
            Evidence = evidence.Evidence,
            Intermediate = chain[0],
            Root = chain[1],
            MarbleRoot = ReadPem(evidence.MarbleRoot, "marbleRoot", 1)[0],
            ManifestFingerprint = manifest?.Fingerprint ?? "",
            OwnerSignatures = manifest is null ? [] : [.. manifest.OwnerSignatures.Select(one => new OwnerSignature(one.PublicKey, one.Signature))],
        };
    }

    /// <summary>The DER of exactly <paramref name="count"/> PEM certificates.</summary>
    /// <exception cref="ProtocolException">The text is something else.</exception>
    public static ReadOnlyMemory<byte>[] ReadPem(string pem, string field, int count)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            if (pem.Length <= 64 << 10) certificates.ImportFromPem(pem);
        }
        catch (CryptographicException)
        {
            throw new ProtocolException(ProtocolError.BadValue, field, "is not PEM certificates.");
        }
        ReadOnlyMemory<byte>[] der = [.. certificates.Select(certificate => certificate.RawDataMemory)];
        foreach (X509Certificate2 certificate in certificates) certificate.Dispose();
        return der.Length == count ? der : throw new ProtocolException(ProtocolError.BadValue, field, $"holds {der.Length} PEM certificates, not {count}.");
    }
}
