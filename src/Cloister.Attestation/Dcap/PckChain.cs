using System.Collections.Immutable;
using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.Dcap;

/// <summary>
/// A platform's certificate with its authority and the root, proven but for time and revocation
/// ("Intel SGX PCK Certificate and Certificate Revocation List Profile Specification").
/// </summary>
internal sealed class PckChain
{
    private const string LeafName = "Intel SGX PCK Certificate", PlatformCa = "Intel SGX PCK Platform CA", ProcessorCa = "Intel SGX PCK Processor CA";

    private PckChain(Certificate leaf, Certificate authority, Certificate root, PckExtension platform)
    {
        Leaf = leaf;
        Platform = platform;
        LeafFirst = [leaf, authority, root];
    }

    public Certificate Leaf { get; }

    public Certificate Authority => LeafFirst[1];

    public ImmutableArray<Certificate> LeafFirst { get; }

    public PckExtension Platform { get; }

    /// <summary>Proves a chain. Its PEM blocks may stand in any order and may leave out the root, which counts only as the anchor's own bytes.</summary>
    /// <param name="pem">Hostile certificates.</param>
    /// <param name="root">The anchor.</param>
    /// <param name="signatures">Checks signatures.</param>
    public static Outcome<PckChain> Prove(ReadOnlySpan<byte> pem, Certificate root, SignatureChecker signatures)
    {
        Outcome<ImmutableArray<Certificate>> parsed = CertificateParser.ParsePem(pem);
        if (!parsed.IsAccepted) return parsed.RefuseAs<PckChain>();
        Certificate? leaf = null, authority = null;
        foreach (Certificate one in parsed.Value)
        {
            if (one.Encoded.Span.SequenceEqual(root.Encoded.Span)) continue;
            ref Certificate? slot = ref one.IsAuthority ? ref authority : ref leaf;
            if (slot is not null) return Refuse(Refusal.PckChainInvalid, one.IsSelfIssued ? "it has a root that is not the anchor" : "it has more than one leaf and one authority");
            slot = one;
        }
        if (leaf is null || authority is null) return Refuse(Refusal.PckChainInvalid, leaf is null ? "it has no PCK certificate" : "it lacks the authority of the PCK certificate");
        if (CertificateChainCheck.Links([leaf, authority, root], signatures) is { } broken) return Outcome.Refuse<PckChain>(broken.Refusal, broken.Field, broken.Reason);
        if (leaf.SubjectCommonName != LeafName) return Refuse(Refusal.PckCertificateInvalid, $"its leaf is for {leaf.SubjectCommonName}");
        if (authority.SubjectCommonName is not (PlatformCa or ProcessorCa)) return Refuse(Refusal.PckCertificateInvalid, $"{authority.SubjectCommonName} is no authority of PCK certificates");
        if (leaf.KeyKind != PublicKeyKind.P256) return Refuse(Refusal.PckCertificateInvalid, "the PCK is not a P-256 key");
        Outcome<PckExtension> platform = PckExtension.Parse(leaf);
        return platform.IsAccepted ? Outcome.Accept(new PckChain(leaf, authority, root, platform.Value)) : platform.RefuseAs<PckChain>();
    }

    /// <summary>Fuzz target: any bytes give a chain or a refusal.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> pem, Certificate root, SignatureChecker signatures) => _ = Prove(pem, root, signatures).IsAccepted;

    private static Outcome<PckChain> Refuse(Refusal refusal, string reason) => Outcome.Refuse<PckChain>(refusal, "pckChain", reason);
}
