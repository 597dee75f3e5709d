using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.Tpm;

/// <summary>
/// Ties an attestation key to the endorsement key of a genuine TPM by credential activation (TPM 2.0 Library part 1, 24.6): the
/// certificate's chain is checked, the key's attributes are, and a fresh secret is wrapped that the TPM gives up only if it holds
/// both keys. Its outcome is the name that <see cref="TpmKeyPolicy.Named"/> takes. One activation serves one try; not thread-safe.
/// </summary>
public sealed class TpmActivation : IDisposable
{
    private const int SecretSize = 32;

    private readonly byte[] _secret;
    private bool _used, _completed;

    private TpmActivation(TpmPublic key, string certificate, TpmCredential credential, byte[] secret) => (Key, Certificate, Credential, _secret) = (key, certificate, credential, secret);

    /// <summary>The attestation key; not yet proven.</summary>
    public TpmPublic Key { get; }

    /// <summary>SHA-256 of the endorsement key's certificate (DER), lower-case hexadecimal; its chain was checked.</summary>
    public string Certificate { get; }

    /// <summary>The key for <see cref="TpmEnrolment.Name"/>.</summary>
    /// <exception cref="InvalidOperationException">The activation was not completed, or failed.</exception>
    public TpmEnrolledKey Enrolled => _completed ? new TpmEnrolledKey(Convert.ToHexStringLower(Key.Name.Span), Certificate) : throw new InvalidOperationException("The activation was not completed.");

    /// <summary>What the peer gives to TPM2_ActivateCredential.</summary>
    public TpmCredential Credential { get; }

    /// <summary>Starts an activation.</summary>
    /// <param name="certificate">The endorsement key's certificate, DER, hostile.</param>
    /// <param name="intermediates">Intermediate certificates, DER, hostile.</param>
    /// <param name="endorsementKey">The endorsement key's public area (TPMT_PUBLIC), hostile.</param>
    /// <param name="attestationKey">The attestation key's public area (TPMT_PUBLIC), hostile.</param>
    /// <param name="anchors">The authorities of endorsement keys.</param>
    /// <param name="time">When certificates must be valid.</param>
    public static Outcome<TpmActivation> Begin(
        ReadOnlyMemory<byte> certificate, ImmutableArray<ReadOnlyMemory<byte>> intermediates, ReadOnlyMemory<byte> endorsementKey, ReadOnlyMemory<byte> attestationKey, Anchors anchors, VerificationTime time)
    {
        Outcome<Certificate> leaf = CertificateParser.ParseAny(certificate);
        if (!leaf.IsAccepted) return leaf.RefuseAs<TpmActivation>();
        var hints = new Endorsements([.. (intermediates.IsDefault ? [] : intermediates).Select(one => new Endorsement(TpmVerifier.Intermediate, one))]);
        if (TpmCertificates.CheckEndorsementKey(leaf.Value, TpmKeyCertificate.IntermediatesOf(hints), TpmRoots.Of(anchors), new SignatureChecker(), time) is { } problem)
            return Refuse(problem.Refusal, problem.Field, problem.Reason);

        Outcome<TpmPublic> endorsement = TpmLayout.ParsePublic(endorsementKey), attestation = TpmLayout.ParsePublic(attestationKey);
        if (!endorsement.IsAccepted) return endorsement.RefuseAs<TpmActivation>();
        if (!attestation.IsAccepted) return attestation.RefuseAs<TpmActivation>();
        if (ProblemOf(endorsement.Value, leaf.Value) is { } unusable) return Refuse(Refusal.TpmEndorsementKey, "endorsementKey", unusable);
        if (attestation.Value.AttestationKeyProblem is { } unfit) return Refuse(Refusal.TpmKeyAttributes, "attestationKey", unfit);
        byte[] secret = RandomNumberGenerator.GetBytes(SecretSize);
        return Outcome.Accept(new TpmActivation(attestation.Value, Convert.ToHexStringLower(SHA256.HashData(leaf.Value.Encoded.Span)), TpmCredential.Make(endorsement.Value, attestation.Value.Name.Span, secret), secret));
    }

    /// <summary>Ends the activation with what the peer's TPM gave up. The outcome is the attestation key, now known to be in that TPM.</summary>
    /// <exception cref="InvalidOperationException">It was ended before.</exception>
    public Outcome<TpmPublic> Complete(ReadOnlySpan<byte> secret)
    {
        if (_used) throw new InvalidOperationException("An activation serves one try.");
        _used = true;
        bool same = CryptographicOperations.FixedTimeEquals(secret, _secret);
        _completed = same;
        CryptographicOperations.ZeroMemory(_secret);
        return same
            ? Outcome.Accept(Key)
            : Outcome.Refuse<TpmPublic>(Refusal.TpmActivationFailed, "secret", "not the secret that was wrapped: the attestation key is not in the TPM of this endorsement key");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _used = true;
        CryptographicOperations.ZeroMemory(_secret);
    }

    private static string? ProblemOf(TpmPublic key, Certificate certificate)
    {
        const TpmAttributes required = TpmAttributes.FixedTpm | TpmAttributes.FixedParent | TpmAttributes.SensitiveDataOrigin | TpmAttributes.Restricted | TpmAttributes.Decrypt;
        if ((key.Attributes & required) != required || (key.Attributes & TpmAttributes.Sign) != 0) return "its attributes are not those of an endorsement key";
        if (key.Symmetric != TpmAlgorithm.Aes || TpmHash.SizeOf(key.NameAlgorithm) < SecretSize) return "it has no AES, or a name hash below SHA-256";
        using TpmSigner? imported = TpmSigner.Import(key);
        if (imported is null) return "it is not an RSA key of 2048 to 4096 bits or a point on a known curve";
        return imported.SubjectPublicKeyInfo().AsSpan().SequenceEqual(certificate.SubjectPublicKeyInfo.Span) ? null : "it is not the key of the certificate";
    }

    private static Outcome<TpmActivation> Refuse(Refusal refusal, string field, string reason) => Outcome.Refuse<TpmActivation>(refusal, field, reason);
}
