using System.Net;
using Cloister.Attestation;
using Cloister.Coordinator.Activation;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.Counters;
using Cloister.Coordinator.Manifest;
using Cloister.Coordinator.Metrics;
using Cloister.Coordinator.Quote;
using Cloister.Coordinator.Recovery;
using Cloister.Coordinator.Rest;
using Cloister.Coordinator.Secrets;
using Cloister.Coordinator.Sgx;
using Cloister.Coordinator.SignQuote;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Status;
using Cloister.Coordinator.Stores;
using Cloister.Coordinator.Update;
using Cloister.Platform;
using Cloister.Protocol.Rest;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Coordinator;

/// <summary>A running coordinator: the client API on one port, the service for workloads on the other.</summary>
public sealed class CoordinatorHost : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _owned = [];
    private readonly List<IDisposable> _held = [];

    private CoordinatorHost()
    {
    }

    /// <summary>Where the client API listens.</summary>
    public IPEndPoint ClientAddress { get; private set; } = null!;

    /// <summary>Where workloads are activated.</summary>
    public IPEndPoint MeshAddress { get; private set; } = null!;

    /// <summary>Where metrics and events are served in plain HTTP; null if nowhere.</summary>
    public IPEndPoint? MetricsAddress { get; private set; }

    internal Door Client { get; private set; } = null!;

    internal LiveState State { get; private set; } = null!;

    internal RecoveryService Recovery { get; private set; } = null!;

    internal OwnModeActivation Own { get; private set; } = null!;

    internal ChallengeBook Challenges { get; private set; } = null!;

    /// <summary>Opens or makes the state and listens on both ports; running when it returns.</summary>
    /// <param name="options">Checked first.</param>
    /// <param name="loggers">Where to log; null for nowhere.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="cancellation">Cancels the start.</param>
    /// <exception cref="ArgumentException">The options cannot work.</exception>
    /// <exception cref="StoreException">The state is damaged, newer, or held by another process; it was not changed.</exception>
    /// <exception cref="PlatformException">The platform's key or attester cannot be used.</exception>
    /// <exception cref="IOException">A port cannot be listened on.</exception>
    public static Task<CoordinatorHost> CreateAsync(CoordinatorOptions options, ILoggerFactory? loggers = null, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        IEvidenceIssuer? issuer = options.SimulatorSocket is null && options.Tpm is null ? null : PlatformProbe.CreateIssuer(new PlatformOptions(options.SimulatorSocket, Tpm: options.Tpm));
        return CreateAsync(options, issuer, VerifierRegistry.CreateDefault(), loggers ?? NullLoggerFactory.Instance, time ?? TimeProvider.System, cancellation);
    }

    /// <summary>Runs a coordinator until cancelled.</summary>
    /// <inheritdoc cref="CreateAsync(CoordinatorOptions, ILoggerFactory?, TimeProvider?, CancellationToken)"/>
    public static async Task RunAsync(CoordinatorOptions options, ILoggerFactory? loggers = null, CancellationToken cancellation = default)
    {
        await using CoordinatorHost host = await CreateAsync(options, loggers, null, cancellation);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration registration = cancellation.Register(() => ended.TrySetResult());
        await ended.Task;
    }

    internal static async Task<CoordinatorHost> CreateAsync(
        CoordinatorOptions options, IEvidenceIssuer? issuer, VerifierRegistry verifiers, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellation)
    {
        options.Checked();
        var host = new CoordinatorHost();
        try
        {
            await host.OpenStateAsync(options, loggers, time, cancellation);
            await host.OpenDoorsAsync(options, issuer, verifiers, loggers, time, cancellation);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    private async Task OpenStateAsync(CoordinatorOptions options, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellation)
    {
        ILogger logger = loggers.CreateLogger<CoordinatorHost>();
        IPlatformSealer sealer = PlatformProbe.CreateSealer(new PlatformOptions(HostKeyFolder: Path.GetFullPath(options.HostKeyFolder), Tpm: options.SealToTpm ? options.Tpm : null));
        OpenedSealFolder folder = await SealFolder.OpenAsync(options.SealFolder, sealer, cancellation);
        _owned.Add(folder);
        if (folder.RecoveryReason is { } reason)
            logger.RecoveryNeeded(options.SealFolder, reason);
        if (folder.ClearCopiesRepaired)
            logger.RecoveryDataRepaired();
        // In recovery nothing is written: what the coordinator needs to answer at all lives in memory.
        var store = new SwitchedStore(folder.Store is { } opened ? opened : new MemoryStore());
        CoordinatorState first = folder.Store is null ? CoordinatorState.Recovery : CoordinatorState.AcceptingManifest;
        State = await LiveState.OpenAsync(store, () => new CoordinatorSnapshot
        {
            State = first,
            Authority = CertificateAuthority.Create(options.DnsNames, time.GetUtcNow()),
            RootSecret = System.Security.Cryptography.RandomNumberGenerator.GetBytes(32),
        }, cancellation);
        Recovery = new RecoveryService(State, store, folder, options.Simulation, time, loggers.CreateLogger<RecoveryService>());
        _owned.Add(Recovery);
        logger.StateOpened(State.Current.State, State.Current.Version);
    }

    private async Task OpenDoorsAsync(
        CoordinatorOptions options, IEvidenceIssuer? issuer, VerifierRegistry verifiers, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellation)
    {
        ILogger<CoordinatorHost> logger = loggers.CreateLogger<CoordinatorHost>();
        ILogger requests = loggers.CreateLogger("Cloister.Coordinator.Requests");
        Measurements? measured = options.PrometheusAddress is null ? null : new Measurements(State, time);
        if (measured is not null)
            _held.Add(measured);
        var evidence = new EvidenceSource(issuer, loggers.CreateLogger<EvidenceSource>());
        _owned.Add(evidence);
        var collateral = CollateralSource.Of(options, time);
        _held.Add(collateral);
        var quotes = new SgxQuoteProver(collateral.Source, options.Anchors, time);
        var counters = new CounterService(State, loggers.CreateLogger<CounterService>());
        var disks = new DiskService(State, loggers.CreateLogger<DiskService>());
        var intake = new ManifestIntake(options.OwnerKeys, options.Simulation, loggers.CreateLogger<ManifestService>());
        var manifests = new ManifestService(State, Recovery, intake, time, loggers.CreateLogger<ManifestService>());
        var updates = new UpdateService(State, intake, time, loggers.CreateLogger<UpdateService>());
        var secrets = new SecretService(State, time, loggers.CreateLogger<SecretService>());
        await StartupManifest.SetAsync(options.StartupManifest, State, manifests, cancellation);
        Client = await Door.OpenAsync(ListenAddress.Parse(options.ClientAddress, nameof(options.ClientAddress)), HttpProtocols.Http1AndHttp2,
            new TlsIdentity(State, authority => authority.Root, requireClientCertificate: false), options, loggers, routes =>
            {
                routes.MapStatus(State, evidence, options.Simulation, requests);
                routes.MapQuote(State, evidence, options.Simulation, requests);
                routes.MapManifest(manifests, State, requests);
                routes.MapRecovery(Recovery, requests);
                routes.MapSecrets(secrets, requests);
                routes.MapUpdates(updates, new SecretAcknowledgement(State, time, requests), State, requests);
                routes.MapSignQuote(State, quotes, requests);
                routes.MapCounters(counters, State, time, requests);
                routes.MapUnknown();
            }, cancellation, measured is null ? null : measured.AroundRequests);
        _owned.Add(Client);
        ClientAddress = Client.Address;

        var budget = new ActivationBudget(State);
        Challenges = new ChallengeBook(time);
        _held.Add(Challenges);
        var enrolments = new EnrolmentService(State, Challenges, time, requests);
        Own = new OwnModeActivation(State, Challenges, enrolments, budget, verifiers, time, options.LeafLifetime, requests);
        var marbleRun = new MarbleRunActivation(State, budget, quotes, options.Simulation, time, requests);
        Door mesh = await Door.OpenAsync(ListenAddress.Parse(options.MeshAddress, nameof(options.MeshAddress)), HttpProtocols.Http2,
            new TlsIdentity(State, authority => authority.MarbleRoot, requireClientCertificate: true), options, loggers,
            routes =>
            {
                routes.MapDisks(disks, State, time, requests);
                routes.MapActivation(new ChallengeService(State, Challenges, evidence), enrolments, Own, marbleRun, State, measured?.Activations, requests);
            }, cancellation, measured is null ? null : measured.AroundCalls);
        _owned.Add(mesh);
        MeshAddress = mesh.Address;
        if (measured is not null)
        {
            Door metrics = await Door.OpenAsync(ListenAddress.Parse(options.PrometheusAddress!, nameof(options.PrometheusAddress)), HttpProtocols.Http1, null, options, loggers, measured.Map, cancellation);
            _owned.Add(metrics);
            MetricsAddress = metrics.Address;
            logger.MetricsServed(metrics.Address);
        }
        logger.Listening(ClientAddress, MeshAddress);
        if (options.Simulation)
            logger.MarbleRunSimulation();
        if (evidence.Simulated)
            logger.SimulatedEvidence();
    }

    /// <summary>Stops listening, lets running requests end, and releases the state.</summary>
    public async ValueTask DisposeAsync()
    {
        for (int i = _owned.Count - 1; i >= 0; i--)
            await _owned[i].DisposeAsync();
        _owned.Clear();
        foreach (IDisposable held in _held)
            held.Dispose();
        _held.Clear();
    }
}
