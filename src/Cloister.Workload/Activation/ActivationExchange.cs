using System.Net.Security;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Platform;
using Cloister.Protocol;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Trust;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Cloister.Workload;

/// <summary>What every exchange of one workload has in common.</summary>
internal sealed record ExchangeContext(WorkloadOptions Options, Guid Uuid, CoordinatorPolicy Policy, IEvidenceIssuer Issuer, VerifierRegistry Verifiers, TimeProvider Time, ILogger Logger);

/// <summary>
/// One attempt at an activation or renewal over one TLS key of the coordinator: challenge, verification of the
/// coordinator, evidence, answer. Nothing but a nonce, a certificate and, for a coordinator in a TPM, a credential leaves before the coordinator was
/// verified.
/// </summary>
internal static class ActivationExchange
{
    private const int MaxChallengeAnswer = 1 << 20, MaxActivationAnswer = 64 << 20, MaxDiskAnswer = 4 << 10;
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    /// <summary>Runs the attempt.</summary>
    /// <param name="context">The workload.</param>
    /// <param name="key">The fresh key a certificate is asked for.</param>
    /// <param name="client">What to present in TLS: a throw-away certificate of <paramref name="key"/>, or, to renew, the current one.</param>
    /// <param name="renewal">Whether it is a renewal.</param>
    /// <param name="verified">Told when the coordinator was verified.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <exception cref="GrpcException">The coordinator's or the connection's refusal.</exception>
    /// <exception cref="WorkloadException">A refusal of this workload's own.</exception>
    public static async Task<(ActivationResp Answer, VerifiedCoordinator Coordinator)> RunAsync(ExchangeContext context, WorkloadKey key,
        SslStreamCertificateContext client, bool renewal, Action<AttestationResult, VerifiedCoordinator> verified, CancellationToken cancellation)
    {
        using var connection = new CoordinatorConnection(context.Options.CoordinatorUri(), client, context.Time);
        var (challenge, result, coordinator) = await ChallengeAsync(context, connection, cancellation);
        verified(result, coordinator);

        byte[] secret = await WorkloadEnrolment.RunAsync(context, connection.Channel, challenge.Challenge, s_timeout, cancellation);
        try
        {
            ActivationReq request = await RequestAsync(context, key, challenge.Challenge, coordinator.ManifestFingerprint, cancellation);
            request.Renewal = renewal;
            request.EnrolmentSecret = UnsafeByteOperations.UnsafeWrap(secret);
            ActivationResp answer = await connection.Channel.UnaryAsync(MarbleService.ActivatePath, request,
                ActivationResp.Parser, new GrpcCallOptions { Timeout = s_timeout, MaxResponseBytes = MaxActivationAnswer }, cancellation);
            return (answer, coordinator);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <summary>Asks the coordinator who it is, and nothing more: which manifest is in force.</summary>
    /// <exception cref="GrpcException">The coordinator's or the connection's refusal.</exception>
    /// <exception cref="WorkloadException">It is not the coordinator that the policy wants.</exception>
    public static async Task<VerifiedCoordinator> AskAsync(ExchangeContext context, SslStreamCertificateContext client, CancellationToken cancellation)
    {
        using var connection = new CoordinatorConnection(context.Options.CoordinatorUri(), client, context.Time);
        return (await ChallengeAsync(context, connection, cancellation)).Coordinator;
    }

    /// <summary>Verifies the coordinator, and asks it about a sealed disk over the same connection.</summary>
    /// <param name="context">The workload.</param>
    /// <param name="client">The certificate that it was activated under.</param>
    /// <param name="root">Root certificate of the coordinator that activated it: another one remembers other disks.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <exception cref="GrpcException">The coordinator's or the connection's refusal.</exception>
    /// <exception cref="WorkloadException">It is not the coordinator that the policy wants, or another one than before.</exception>
    public static async Task<DiskResp> AskDiskAsync(ExchangeContext context, SslStreamCertificateContext client, ReadOnlyMemory<byte> root, DiskReq request, CancellationToken cancellation)
    {
        using var connection = new CoordinatorConnection(context.Options.CoordinatorUri(), client, context.Time);
        VerifiedCoordinator coordinator = (await ChallengeAsync(context, connection, cancellation)).Coordinator;
        if (!coordinator.Root.Span.SequenceEqual(root.Span))
            throw new WorkloadException(WorkloadError.CoordinatorRefused,
                $"The coordinator at {context.Options.CoordinatorAddress} is one that the policy wants, and not the one that activated this workload: its root certificate is another. Start the workload anew.");
        return await connection.Channel.UnaryAsync(MarbleService.DiskPath, request,
            DiskResp.Parser, new GrpcCallOptions { Timeout = s_timeout, MaxResponseBytes = MaxDiskAnswer }, cancellation);
    }

    private static async Task<(ChallengeResp Challenge, AttestationResult Result, VerifiedCoordinator Coordinator)> ChallengeAsync(
        ExchangeContext context, CoordinatorConnection connection, CancellationToken cancellation)
    {
        byte[] nonce = RandomNumberGenerator.GetBytes(NonceText.OwnBytes);
        ChallengeResp challenge = await connection.Channel.UnaryAsync(MarbleService.ChallengePath, new ChallengeReq { Nonce = ByteString.CopyFrom(nonce) },
            ChallengeResp.Parser, new GrpcCallOptions { Timeout = s_timeout, MaxResponseBytes = MaxChallengeAnswer }, cancellation);
        // Not yet believed, and believing it costs only a wait: the operator has still to set a manifest.
        if (challenge.ManifestFingerprint.IsEmpty)
            throw new GrpcException(GrpcStatus.FailedPrecondition, "no manifest is set yet");
        Outcome<TpmEnrolledKey>? enrolled = await CoordinatorEnrolment.RunAsync(context, connection.Channel, challenge.CoordinatorEvidence.Memory, s_timeout, cancellation);
        var (result, coordinator) = Judge(context, challenge, nonce, connection.PeerKey, enrolled);
        return (challenge, result, coordinator);
    }

    private static async Task<ActivationReq> RequestAsync(ExchangeContext context, WorkloadKey key, ByteString challenge, string fingerprint, CancellationToken cancellation)
    {
        if (challenge.Length != MarbleService.ChallengeBytes)
            throw new WorkloadException(WorkloadError.InvalidAnswer, $"The coordinator's challenge has {challenge.Length} bytes, not {MarbleService.ChallengeBytes}.");
        var binding = new Binding(AttesterRole.Workload, challenge.Memory, key.SubjectPublicKeyInfo);
        byte[] statement = WorkloadIdentity.Statement(context.Options.MarbleType, context.Uuid, fingerprint);
        EvidenceSet evidence;
        try
        {
            evidence = await context.Issuer.IssueAsync(binding, statement, cancellation);
        }
        catch (PlatformException e)
        {
            throw new WorkloadException(WorkloadError.EvidenceIssuer, $"This machine could not produce evidence: {e.Message}", e);
        }
        return new ActivationReq
        {
            CSR = ByteString.CopyFrom(key.CreateRequest(context.Uuid, context.Options.DnsNames)),
            MarbleType = context.Options.MarbleType,
            UUID = context.Uuid.ToString("D"),
            Challenge = challenge,
            Evidence = ByteString.CopyFrom(EvidenceCodec.Encode(evidence)),
        };
    }

    private static (AttestationResult, VerifiedCoordinator) Judge(ExchangeContext context, ChallengeResp challenge, byte[] nonce, ReadOnlyMemory<byte> peerKey,
        Outcome<TpmEnrolledKey>? enrolled)
    {
        CoordinatorPresentation presented;
        try
        {
            presented = CoordinatorPresentation.FromChallenge(challenge, peerKey);
        }
        catch (ProtocolException e)
        {
            throw new WorkloadException(WorkloadError.InvalidAnswer, $"The coordinator's challenge is malformed: {e.Message}", e);
        }
        CoordinatorJudgement judgement = CoordinatorAppraiser.Judge(presented, nonce, context.Policy, context.Verifiers, VerificationTime.At(context.Time.GetUtcNow()), enrolled);
        if (judgement.Verified is { } verified)
            return (judgement.Result, verified);
        Check refused = judgement.Result.Refused!;
        throw new WorkloadException(WorkloadError.CoordinatorRefused,
            $"The coordinator at {context.Options.CoordinatorAddress} is not the one this workload's policy wants ({(int)refused.Refusal} {refused.Refusal}): {refused.Id}: {refused.Reason}.")
        {
            Coordinator = judgement.Result,
        };
    }
}
