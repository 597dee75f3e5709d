using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Platform;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Trust;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Workload;

/// <summary>
/// Turns a started program into an activated workload: verifies the coordinator by the measured policy, proves itself by
/// evidence, and waits, as long as it takes, for a coordinator that is away and for secrets that are not yet released.
/// </summary>
public sealed class WorkloadActivator
{
    private static readonly TimeSpan s_firstDelay = TimeSpan.FromMilliseconds(250), s_longestDelay = TimeSpan.FromSeconds(15);

    private readonly WorkloadOptions _options;
    private readonly IEvidenceIssuer _issuer;
    private readonly VerifierRegistry _verifiers;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <summary>Creates an activator with this machine's own evidence and every known verifier.</summary>
    /// <param name="options">What the workload is told from outside.</param>
    /// <param name="logger">Where steps are written; never a secret.</param>
    /// <param name="time">The clock; the system's if null.</param>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.InvalidOptions"/> or <see cref="WorkloadError.EvidenceIssuer"/>.</exception>
    public WorkloadActivator(WorkloadOptions options, ILogger? logger = null, TimeProvider? time = null)
        : this(options, PlatformIssuer.Create(options), VerifierRegistry.CreateDefault(), logger, time)
    {
    }

    /// <summary>Creates an activator with a given source of evidence and given verifiers.</summary>
    /// <inheritdoc cref="WorkloadActivator(WorkloadOptions, ILogger?, TimeProvider?)"/>
    /// <param name="options">What the workload is told from outside.</param>
    /// <param name="issuer">Produces this machine's evidence.</param>
    /// <param name="verifiers">Verify the coordinator's.</param>
    /// <param name="logger">Where steps are written; never a secret.</param>
    /// <param name="time">The clock; the system's if null.</param>
    public WorkloadActivator(WorkloadOptions options, IEvidenceIssuer issuer, VerifierRegistry verifiers, ILogger? logger = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(issuer);
        ArgumentNullException.ThrowIfNull(verifiers);
        options.Validate();
        (_options, _issuer, _verifiers) = (options, issuer, verifiers);
        (_logger, _time) = (logger ?? NullLogger.Instance, time ?? TimeProvider.System);
    }

    /// <summary>Activates the workload; waits until it succeeds, is refused for good, or is cancelled.</summary>
    /// <param name="progress">Told every step, and what is waited for.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="WorkloadException">A refusal that waiting does not change: of the coordinator by this workload, or of this workload by the coordinator.</exception>
    public async Task<Activation> ActivateAsync(IProgress<WorkloadState>? progress = null, CancellationToken cancellation = default)
    {
        ExchangeContext context = CreateContext();
        Uri coordinator = _options.CoordinatorUri();
        _logger.Activating(_options.MarbleType, context.Uuid, coordinator);
        if (_issuer.Simulated)
            _logger.SimulatedEvidence(_options.MarbleType);
        progress?.Report(new(WorkloadPhase.Contacting, $"Asks the coordinator at {_options.CoordinatorAddress} for activation as '{_options.MarbleType}'."));

        var backoff = new Backoff(s_firstDelay, s_longestDelay);
        while (true)
        {
            try
            {
                return await TryAsync(context, progress, cancellation);
            }
            catch (GrpcException refusal)
            {
                TimeSpan delay = backoff.Next();
                Report(CoordinatorRefusal.Read(refusal), delay, progress);
                await Task.Delay(delay, _time, cancellation);
            }
        }
    }

    /// <summary>Options, UUID and policy, read once.</summary>
    internal ExchangeContext CreateContext() => new(
        _options, _options.Uuid ?? UuidFile.LoadOrCreate(_options.UuidFile), CoordinatorPolicyFile.Read(_options.CoordinatorPolicyFile), _issuer, _verifiers, _time, _logger);

    private async Task<Activation> TryAsync(ExchangeContext context, IProgress<WorkloadState>? progress, CancellationToken cancellation)
    {
        using var key = new WorkloadKey();
        using var temporary = key.CreateSelfSigned(_time.GetUtcNow());
        var client = SslStreamCertificateContext.Create(temporary, null, offline: true);
        var (answer, coordinator) = await ActivationExchange.RunAsync(context, key, client, renewal: false, Verified, cancellation);

        var expected = new ActivationExpectation(_options.MarbleType, context.Uuid, key, coordinator, _time.GetUtcNow());
        Activation activation;
        try
        {
            activation = ActivationAnswer.Read(answer, expected, _issuer);
        }
        finally
        {
            ActivationAnswer.Wipe(answer);
        }
        _logger.Activated(_options.MarbleType, context.Uuid, activation.ManifestFingerprint, activation.Identity.Current.NotAfter);
        progress?.Report(new(WorkloadPhase.Activated, $"Activated under manifest {activation.ManifestFingerprint} with {activation.Models.Count} model(s)."));
        return activation;

        void Verified(AttestationResult result, VerifiedCoordinator verified)
        {
            _logger.CoordinatorVerified(_options.CoordinatorUri(), verified.ManifestFingerprint, result.Simulated);
            progress?.Report(new(WorkloadPhase.CoordinatorVerified, $"Verified the coordinator; manifest {verified.ManifestFingerprint} is in force.") { Coordinator = result });
        }
    }

    /// <summary>
    /// One attempt at a new certificate, over TLS under the current one and for a new key. Where another manifest has come into force that
    /// leaves this workload what it is, callers aside, the workload follows it.
    /// </summary>
    /// <exception cref="GrpcException">The coordinator's or the connection's refusal.</exception>
    /// <exception cref="WorkloadException">A refusal of this workload's own; <see cref="WorkloadError.ManifestChanged"/>: it has to start anew.</exception>
    internal async Task RenewAsync(Activation activation, CancellationToken cancellation)
    {
        WorkloadIdentity identity = activation.Identity;
        ExchangeContext context = ContextOf(identity);
        using var key = new WorkloadKey();
        string inForce = identity.ManifestFingerprint;
        try
        {
            var (answer, coordinator) = await ActivationExchange.RunAsync(
                context, key, identity.Current.TlsContext, renewal: true, (_, verified) => inForce = verified.ManifestFingerprint, cancellation);
            try
            {
                Renew(activation, answer, new ActivationExpectation(_options.MarbleType, identity.Uuid, key, coordinator, _time.GetUtcNow()));
            }
            finally
            {
                ActivationAnswer.Wipe(answer); // files and keys came again, and are here already
            }
        }
        catch (GrpcException refusal) when (refusal.Status == GrpcStatus.PermissionDenied && inForce != identity.ManifestFingerprint)
        {
            throw Changed(identity, inForce, $"the coordinator does not carry this workload over: {refusal.Detail}", refusal);
        }
    }

    /// <summary>The fingerprint of the manifest in force, from the verified coordinator.</summary>
    /// <exception cref="GrpcException">The coordinator's or the connection's refusal.</exception>
    /// <exception cref="WorkloadException">It is not the coordinator that the policy wants.</exception>
    internal async Task<string> ManifestInForceAsync(WorkloadIdentity identity, CancellationToken cancellation) =>
        (await ActivationExchange.AskAsync(ContextOf(identity), identity.Current.TlsContext, cancellation)).ManifestFingerprint;

    /// <summary>How often the coordinator is asked which manifest is in force; infinite: only at renewals.</summary>
    internal TimeSpan ManifestPoll => _options.ManifestPoll;

    /// <summary>One question about a sealed disk, over TLS under the current certificate, to the coordinator of the activation.</summary>
    /// <exception cref="GrpcException">The coordinator's or the connection's refusal.</exception>
    /// <exception cref="WorkloadException">It is not that coordinator.</exception>
    internal Task<DiskResp> AskDiskAsync(Activation activation, DiskReq request, CancellationToken cancellation) => ActivationExchange.AskDiskAsync(
        ContextOf(activation.Identity), activation.Identity.Current.TlsContext, activation.CoordinatorRoot.RawDataMemory, request, cancellation);

    private ExchangeContext ContextOf(WorkloadIdentity identity) =>
        new(_options, identity.Uuid, CoordinatorPolicyFile.Read(_options.CoordinatorPolicyFile), _issuer, _verifiers, _time, _logger);

    private void Renew(Activation activation, ActivationResp answer, ActivationExpectation expected)
    {
        WorkloadIdentity identity = activation.Identity;
        string inForce = expected.Coordinator.ManifestFingerprint;
        if (inForce == identity.ManifestFingerprint)
        {
            identity.Replace(ActivationAnswer.ReadCertificate(answer, expected), inForce);
            return;
        }
        if (ActivationAnswer.Changed(answer, activation) is { } changed)
            throw Changed(identity, inForce, $"under it {changed} differ");
        WorkloadCertificate certificate = ActivationAnswer.ReadCertificate(answer, expected);
        activation.Follow(certificate, inForce, X509CertificateLoader.LoadCertificate(answer.MarbleRoot.Span), CallerAnswer.Read(answer));
        _logger.ManifestFollowed(_options.MarbleType, inForce, activation.Rights.Callers.Count);
    }

    private static WorkloadException Changed(WorkloadIdentity identity, string inForce, string why, Exception? inner = null) => new(WorkloadError.ManifestChanged,
        $"The manifest in force is {inForce}, and this workload was activated under {identity.ManifestFingerprint}; {why}. Start it anew to run under the new manifest.", inner);

    private void Report(CoordinatorRefusal refusal, TimeSpan delay, IProgress<WorkloadState>? progress)
    {
        if (refusal.AwaitedSecrets.Count > 0)
        {
            _logger.AwaitingSecrets(refusal.Message, delay);
            progress?.Report(new(WorkloadPhase.AwaitingSecrets, refusal.Message) { AwaitedSecrets = refusal.AwaitedSecrets, RetryAfter = delay });
            return;
        }
        _logger.CoordinatorUnavailable(refusal.Message, delay);
        progress?.Report(new(WorkloadPhase.CoordinatorUnavailable, refusal.Message) { RetryAfter = delay });
    }
}
