using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Coordinator.Quote;
using Cloister.Coordinator.State;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Rest;
using Google.Protobuf;

namespace Cloister.Coordinator.Activation;

/// <summary>Gives out challenges, each with the coordinator's own evidence, so that a workload verifies the coordinator before it says anything.</summary>
internal sealed class ChallengeService(LiveState state, ChallengeBook challenges, EvidenceSource evidence)
{
    public async Task<ChallengeResp> ChallengeAsync(ChallengeReq request, CancellationToken cancellation)
    {
        CoordinatorSnapshot snapshot = ActivationBudget.RequireReady(state.Current);
        if (request.Nonce.Length is < NonceText.MinBytes or > NonceText.MaxBytes)
            throw new CoordinatorException(CoordinatorError.BadRequest, $"The nonce has {request.Nonce.Length} bytes; {NonceText.MinBytes} to {NonceText.MaxBytes} fresh random bytes are expected.");
        // The mesh port's TLS key is the marble root's, which is the intermediate's.
        EvidenceSet issued = await evidence.IssueAsync(snapshot, request.Nonce.Memory, snapshot.Authority.IntermediateSpki, cancellation);
        var answer = new ChallengeResp
        {
            Challenge = ByteString.CopyFrom(challenges.Issue()),
            CoordinatorEvidence = ByteString.CopyFrom(EvidenceCodec.Encode(issued)),
            MarbleRoot = ByteString.CopyFrom(snapshot.Authority.MarbleRoot.RawDataMemory.Span),
            ManifestFingerprint = ByteString.CopyFrom(Convert.FromHexString(snapshot.Manifest!.Fingerprint)),
        };
        answer.CertificateChain.Add(ByteString.CopyFrom(snapshot.Authority.Intermediate.RawDataMemory.Span));
        answer.CertificateChain.Add(ByteString.CopyFrom(snapshot.Authority.Root.RawDataMemory.Span));
        foreach (var owner in snapshot.Manifest.OwnerSignatures)
        {
            answer.OwnerSignatures.Add(new OwnerSignatureMessage
            {
                PublicKey = ByteString.CopyFrom(owner.PublicKey.Span),
                Signature = ByteString.CopyFrom(owner.Signature.Span),
            });
        }
        return answer;
    }

    /// <summary>Opens a credential for a workload that verifies this coordinator.</summary>
    public async Task<CredentialResp> OpenAsync(TpmCredentialMessage request, CancellationToken cancellation)
    {
        byte[] secret = await evidence.OpenAsync(new TpmCredential(request.Blob.Memory, request.EncryptedSecret.Memory), cancellation);
        return new CredentialResp { Secret = UnsafeByteOperations.UnsafeWrap(secret) };
    }
}
