using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Update;
using Cloister.Protocol.Marble;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Activation;

/// <summary>
/// The activation of a workload's attestation key, where its package asks for a key of an endorsed TPM: begun here for an open challenge, ended by
/// the request that redeems it. One try a challenge; what is kept is bounded and ends with the challenge.
/// </summary>
internal sealed class EnrolmentService(LiveState state, ChallengeBook challenges, TimeProvider time, ILogger logger)
{
    private const int MaxIntermediates = 8;

    /// <summary>Checks what the workload shows of its TPM and makes a credential for it; an empty answer if its package asks for none.</summary>
    /// <exception cref="CoordinatorException">The challenge, the type, or what the workload shows is refused.</exception>
    public EnrolResp Begin(EnrolReq request)
    {
        CoordinatorSnapshot snapshot = ActivationBudget.RequireReady(state.Current);
        challenges.TakeEnrolment(request.Challenge.Span);
        MarblePlan plan = ActivationBudget.FindType(snapshot, request.MarbleType);
        if (PackageInForce.Find(snapshot, plan.Marble.Package)?.Policy is not { } policy || !TpmEnrolment.IsAskedFor(policy))
            return new EnrolResp();
        if (request.Intermediates.Count > MaxIntermediates)
            throw new CoordinatorException(CoordinatorError.BadRequest, $"The enrolment brings {request.Intermediates.Count} intermediates; at most {MaxIntermediates} are read.");

        var endorsement = new TpmEndorsement(request.EndorsementCertificate.Memory, [.. request.Intermediates.Select(one => one.Memory)], request.EndorsementKey.Memory, request.AttestationKey.Memory);
        Outcome<TpmActivation> begun = TpmEnrolment.Begin(policy, endorsement, VerificationTime.At(time.GetUtcNow()));
        if (!begun.TryGetValue(out TpmActivation? activation))
            throw Refused(begun.Refusal, begun.Field, begun.Reason);
        TpmCredential credential = activation.Credential;
        challenges.Attach(request.Challenge.Span, new PendingEnrolment(activation, plan.Type, snapshot.Manifest!.Fingerprint));
        return new EnrolResp
        {
            Credential = new TpmCredentialMessage { Blob = ByteString.CopyFrom(credential.Blob.Span), EncryptedSecret = ByteString.CopyFrom(credential.EncryptedSecret.Span) },
        };
    }

    /// <summary>Ends what was begun for a challenge with the secret that the workload's TPM gave up.</summary>
    /// <param name="pending">What was begun; null if nothing was.</param>
    /// <param name="secret">As it came; empty if the workload brings none.</param>
    /// <param name="type">The type that is activated now.</param>
    /// <param name="fingerprint">The manifest in force now.</param>
    /// <returns>The key that the TPM holds; null if none was to be shown.</returns>
    /// <exception cref="CoordinatorException">EnrolmentRefused.</exception>
    public TpmEnrolledKey? End(PendingEnrolment? pending, ReadOnlySpan<byte> secret, string type, string fingerprint)
    {
        if (pending is null)
            return secret.IsEmpty ? null : throw new CoordinatorException(CoordinatorError.EnrolmentRefused, "The request brings an enrolment's secret, and none was begun for this challenge.");
        // Another type's package may name other authorities, and so may another manifest: what was checked counts for this one alone.
        if (pending.Type != type || pending.Fingerprint != fingerprint)
            throw new CoordinatorException(CoordinatorError.EnrolmentRefused, "The enrolment was begun for another workload type, or under another manifest. Ask for a new challenge.");
        Outcome<TpmEnrolledKey> ended = TpmEnrolment.Complete(pending.Activation, secret);
        if (!ended.IsAccepted)
            throw Refused(ended.Refusal, ended.Field, ended.Reason);
        logger.KeyActivated(ended.Value.Name, ended.Value.Certificate);
        return ended.Value;
    }

    private static CoordinatorException Refused(Refusal refusal, string field, string reason) =>
        new(CoordinatorError.EnrolmentRefused, $"The TPM's key was not activated ({(int)refusal} {refusal}): {field}: {reason}.");
}
