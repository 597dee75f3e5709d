using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Update;
using Cloister.Protocol;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Templates;
using Cloister.Protocol.Trust;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Activation;

/// <summary>
/// Activation in Cloister's own mode: evidence over the coordinator's challenge and the workload's own key, a short-lived certificate for that key.
/// The order of the checks is fixed; a refusal before the last of them uses nothing up but the challenge.
/// </summary>
internal sealed class OwnModeActivation(
    LiveState state, ChallengeBook challenges, EnrolmentService enrolments, ActivationBudget budget, VerifierRegistry verifiers, TimeProvider time, TimeSpan leafLifetime, ILogger logger)
{
    public async Task<ActivationResp> ActivateAsync(ActivationReq request, X509Certificate2? connection, CancellationToken cancellation)
    {
        CoordinatorSnapshot snapshot = ActivationBudget.RequireReady(state.Current);
        using PendingEnrolment? pending = challenges.Redeem(request.Challenge.Span);
        Guid uuid = CanonicalUuid(request.UUID);
        MarblePlan plan = ActivationBudget.FindType(snapshot, request.MarbleType);
        RequireThisWire(snapshot, plan);
        SigningRequest signing = SigningRequest.Read(request.CSR.Span, connection, out string reason)
            ?? throw new CoordinatorException(CoordinatorError.RequestRefused, $"Refused: {reason}. Ask with a P-256 or P-384 key.");
        TpmEnrolledKey? enrolled = enrolments.End(pending, request.EnrolmentSecret.Span, plan.Type, snapshot.Manifest!.Fingerprint);
        CheckEvidence(request, snapshot, plan, uuid, signing, enrolled);
        if (request.Renewal)
            RenewalCheck.Require(connection, snapshot.Authority, plan.Type, uuid, time.GetUtcNow());
        else
            RequireSameKey(connection, signing);
        if (!request.Renewal)
            ActivationBudget.RequireLeft(snapshot, plan);
        DateTimeOffset now = time.GetUtcNow();
        using MarbleSecrets secrets = NeededSecrets.Collect(snapshot, plan, uuid, now), previous = new(snapshot, plan, uuid, previous: true, now);
        TemplateData data = GrantedParameters.Data(snapshot) with { Secrets = secrets, PreviousSecrets = previous };

        byte[] leaf = Issue(snapshot, plan, uuid, signing, enrolled);
        ActivationResp answer = Answer(snapshot, plan, leaf, data with { MarbleCertificate = new TemplateSecret("", leaf, signing.SubjectPublicKeyInfo, default) });
        if (!request.Renewal)
            await budget.UseAsync(plan, snapshot.Manifest!.Fingerprint, cancellation);
        logger.Activated(plan.Type, uuid, request.Renewal);
        return answer;
    }

    // What this mode would not obey is refused rather than left out.
    private static void RequireThisWire(CoordinatorSnapshot snapshot, MarblePlan plan)
    {
        if (!plan.Marble.Tls.IsEmpty)
            throw new CoordinatorException(CoordinatorError.WireNotAllowed,
                $"Workload type '{plan.Type}' has TLS tags, whose keys only MarbleRun's wire can hand over: here the coordinator never has the workload's key.");
        if (!snapshot.Manifest!.Document.Infrastructures.IsEmpty)
            throw new CoordinatorException(CoordinatorError.WireNotAllowed,
                "The manifest names Infrastructures, which are compared with the SGX quotes of MarbleRun's wire alone: say in the package's policy what platform is accepted.");
    }

    private void CheckEvidence(ActivationReq request, CoordinatorSnapshot snapshot, MarblePlan plan, Guid uuid, SigningRequest signing, TpmEnrolledKey? enrolled)
    {
        if (PackageInForce.Find(snapshot, plan.Marble.Package)?.Policy is not { } asked)
            throw new CoordinatorException(CoordinatorError.EvidenceRefused,
                $"Package '{plan.Marble.Package}' has no policy for this coordinator's verifiers: name Simulation, AllOf or AnyOf in the manifest.");
        PackagePolicy policy = enrolled is null ? asked : TpmEnrolment.Name(asked, enrolled);
        Outcome<EvidenceSet> evidence = EvidenceCodec.Decode(request.Evidence.Span);
        if (!evidence.IsAccepted)
            throw new CoordinatorException(CoordinatorError.EvidenceRefused, $"The evidence cannot be read ({(int)evidence.Refusal} {evidence.Refusal}): {evidence.Field}: {evidence.Reason}.");
        var binding = new Binding(AttesterRole.Workload, request.Challenge.Memory, signing.SubjectPublicKeyInfo);
        AttestationResult result = verifiers.Appraise(evidence.Value, binding, policy, VerificationTime.At(time.GetUtcNow()));
        if (!result.TryAccept(out Claims? claims, out Check? refused))
            throw new CoordinatorException(CoordinatorError.EvidenceRefused,
                $"The evidence was refused ({(int)refused.Refusal} {refused.Refusal}) at {refused.Id}, {refused.Field}: {refused.Reason}.");
        if (claims.Simulated)
            logger.SimulatedWorkload(plan.Type, uuid);
        CheckStatement(evidence.Value.Primary.RuntimeData, snapshot.Manifest!, plan, uuid);
    }

    private static void CheckStatement(ReadOnlyMemory<byte> runtimeData, ManifestInForce manifest, MarblePlan plan, Guid uuid)
    {
        (string type, string fingerprint) = (plan.Type, manifest.Fingerprint);
        WorkloadStatement statement;
        try
        {
            statement = WorkloadStatement.Read(runtimeData.Span);
        }
        catch (ProtocolException error)
        {
            throw new CoordinatorException(CoordinatorError.StatementRefused, $"The evidence's runtime data is no workload statement: {error.Message}", error);
        }
        if (statement.Type != type || statement.Uuid != uuid.ToString("D"))
            throw new CoordinatorException(CoordinatorError.StatementRefused,
                $"The evidence states type '{statement.Type}' and UUID {statement.Uuid}; the request says '{type}' and {uuid:D}.");
        if (statement.ManifestFingerprint != fingerprint)
            throw new CoordinatorException(CoordinatorError.StatementRefused,
                $"The evidence states manifest {statement.ManifestFingerprint}; in force is {fingerprint}. Ask for a new challenge and verify the coordinator again.");
        // Whoever asks for an activation does not know them yet.
        if (!statement.Modes.IsEmpty && !statement.Modes.SequenceEqual(manifest.Document.ModesOf(plan.Marble)))
            throw new CoordinatorException(CoordinatorError.StatementRefused, $"The evidence states other modes of models than the manifest does for '{type}'. Start the workload anew.");
    }

    // Secrets go to the connection on which they were asked for, so its other end has to hold the attested key.
    private static void RequireSameKey(X509Certificate2? connection, SigningRequest signing)
    {
        if (connection is null || !connection.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(signing.SubjectPublicKeyInfo.Span))
            throw new CoordinatorException(CoordinatorError.KeyNotBound,
                "The TLS client certificate's key is not the key of the certificate request. Connect with a certificate, which may be self-signed, of the very key that is attested.");
    }

    private byte[] Issue(CoordinatorSnapshot snapshot, MarblePlan plan, Guid uuid, SigningRequest signing, TpmEnrolledKey? enrolled)
    {
        DateTimeOffset now = time.GetUtcNow();
        return snapshot.Authority.Issue(new LeafProfile(uuid, plan.Type, signing.Key, signing.Names, now - CertificateAuthority.ClockSkew, now + leafLifetime) { ActivatedKey = enrolled });
    }

    private static ActivationResp Answer(CoordinatorSnapshot snapshot, MarblePlan plan, byte[] leaf, TemplateData data)
    {
        var answer = new ActivationResp
        {
            Parameters = GrantedParameters.Render(plan, data),
            MarbleRoot = ByteString.CopyFrom(snapshot.Authority.MarbleRoot.RawDataMemory.Span),
            CoordinatorRoot = ByteString.CopyFrom(snapshot.Authority.Root.RawDataMemory.Span),
            ManifestFingerprint = ByteString.CopyFrom(Convert.FromHexString(snapshot.Manifest!.Fingerprint)),
        };
        answer.CertificateChain.Add(ByteString.CopyFrom(leaf));
        answer.CertificateChain.Add(ByteString.CopyFrom(snapshot.Authority.Intermediate.RawDataMemory.Span));
        GrantedParameters.AddGrants(answer, plan, data);
        return answer;
    }

    private static Guid CanonicalUuid(string text) =>
        Guid.TryParseExact(text, "D", out Guid uuid) && uuid.ToString("D") == text && uuid != Guid.Empty
            ? uuid
            : throw new CoordinatorException(CoordinatorError.BadUuid, "The UUID is not one in lower case with dashes, other than the nil UUID.");
}
