using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Protocol;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Trust;

namespace Cloister.Client;

/// <summary>
/// Verifies a coordinator and the manifest in force, by a policy that comes from elsewhere than the deployment: evidence
/// for a fresh nonce, whose key is the key of this TLS connection (and held by the TPM that the policy asks for), then the manifest's fingerprint and owner, then the
/// intermediate and the marble root that everything else chains to.
/// </summary>
public sealed class DeploymentVerifier
{
    private const int MaxEvidence = 8 << 20, MaxManifest = 16 << 20;
    private static readonly ImmutableArray<PlannedCheck> s_plan = [new("manifest.bytes", "manifest"), new("manifest.document", "manifest")];
    private readonly ClientOptions _options;
    private readonly VerifierRegistry _verifiers;

    /// <summary>Creates a verifier.</summary>
    /// <param name="options">Bounds and clock.</param>
    /// <param name="verifiers">The kinds of TEE that can be verified; all known ones if null.</param>
    public DeploymentVerifier(ClientOptions? options = null, VerifierRegistry? verifiers = null) =>
        (_options, _verifiers) = (options ?? new ClientOptions(), verifiers ?? VerifierRegistry.CreateDefault());

    /// <summary>Verifies the coordinator at an address.</summary>
    /// <param name="coordinator">Its https address (client API).</param>
    /// <param name="policy">Which coordinator, owner and manifest are wanted.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="PeerRefusedException">Whoever answers is not the coordinator that the policy wants; the exception holds every check.</exception>
    /// <exception cref="ClientException">It cannot be reached, or its answer cannot be read.</exception>
    public async Task<VerifiedDeployment> VerifyCoordinatorAsync(Uri coordinator, CoordinatorPolicy policy, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(policy);
        using var http = new PinnedHttp(coordinator, _options);
        byte[] nonce = RandomNumberGenerator.GetBytes(NonceText.OwnBytes);
        EvidenceV3 answer = RestAnswer.Data(
            await http.GetAsync($"{RestPaths.EvidenceV3}?nonce={NonceText.Encode(nonce)}", MaxEvidence, cancellation),
            RestJson.Strict.JSendEvidenceV3, $"the evidence of the coordinator at {coordinator.Authority}");

        ManifestV3? manifest = StatesManifest(answer) ? await FetchManifestAsync(http, coordinator, cancellation) : null;
        CoordinatorPresentation presented;
        try
        {
            presented = CoordinatorPresentation.FromRest(answer, manifest, http.PeerKey);
        }
        catch (ProtocolException e)
        {
            throw new ClientException(ClientError.AnswerMalformed, $"The coordinator at {coordinator.Authority} presents itself malformed: {e.Message}", e);
        }
        var time = VerificationTime.At(_options.Time.GetUtcNow());
        Outcome<TpmEnrolledKey>? enrolled = await CoordinatorEnrolment.RunAsync(http, policy.Coordinator, presented.Evidence, time, cancellation);
        CoordinatorJudgement judgement = CoordinatorAppraiser.Judge(presented, nonce, policy, _verifiers, time, enrolled);
        return Accept(coordinator, judgement, manifest);
    }

    private static VerifiedDeployment Accept(Uri coordinator, CoordinatorJudgement judgement, ManifestV3? manifest)
    {
        string peer = $"The coordinator at {coordinator.Authority}";
        if (judgement.Verified is not { } trust)
            throw new PeerRefusedException(peer, judgement.Result);
        if (manifest is null)
            return new VerifiedDeployment(coordinator, judgement.Result, trust, default, null);
        var checks = new CheckList(s_plan);
        ManifestOutcome? read = null;
        _ = checks.Next("manifest.bytes", trust.IsManifest(manifest.Manifest), Refusal.ManifestFingerprintMismatch, "the manifest that came is not the one in force", ManifestFingerprint.Of(manifest.Manifest), trust.ManifestFingerprint)
            && (read = ManifestReader.Read(manifest.Manifest, ManifestDialect.Cloister)) is { IsAccepted: false } refused
            ? checks.Fail("manifest.document", Refusal.PolicyMalformed, refused.Problems[0].Message)
            : read is not null && checks.Pass("manifest.document");
        AttestationResult result = judgement.Result.Append(checks.Finish());
        return result.Refused is null
            ? new VerifiedDeployment(coordinator, result, trust, manifest.Manifest, read!.Document)
            : throw new PeerRefusedException(peer, result);
    }

    // Not yet believed: it only says whether there is a manifest to ask for. The appraisal judges the statement itself.
    private static bool StatesManifest(EvidenceV3 answer)
    {
        Outcome<EvidenceSet> evidence = EvidenceCodec.Decode(answer.Evidence);
        if (!evidence.IsAccepted)
            return false;
        try
        {
            return CoordinatorStatement.Read(evidence.Value.Primary.RuntimeData.Span).ManifestFingerprint.Length > 0;
        }
        catch (ProtocolException)
        {
            // The appraisal refuses the statement with its reason.
            return false;
        }
    }

    private static async Task<ManifestV3> FetchManifestAsync(PinnedHttp http, Uri coordinator, CancellationToken cancellation) => RestAnswer.Data(
        await http.GetAsync(RestPaths.ManifestV3, MaxManifest, cancellation), RestJson.Strict.JSendManifestV3, $"the manifest of the coordinator at {coordinator.Authority}");
}
