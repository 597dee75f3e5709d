using Cloister.Sealing;
using Cloister.Serving.Callers;
using Cloister.Serving.Encrypted;
using Cloister.Serving.Engines;
using Cloister.Serving.Execution;
using Cloister.Serving.Metrics;
using Cloister.Serving.OpenInference;
using Cloister.Serving.OpenInference.Grpc;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;
using Cloister.Serving.TensorFlow;
using Cloister.Serving.TensorFlow.Configuration;
using Cloister.Serving.TensorFlow.Grpc;
using Cloister.Workload;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving;

/// <summary>A running inference server: Kestrel under the identity's certificate, the granted models, and the protocols.</summary>
public sealed class InferenceHost : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ServingObservation _observation;
    private readonly InferenceExecutor _executor;
    private readonly ModelRepository _repository;
    private readonly TensorPool _pool;
    private readonly CallerRegistry _callers;
    private readonly EnvelopeKeys _envelopes;
    private readonly ExtractionWatch _extraction;
    private readonly CancellationTokenSource _stopping = new();
    private readonly InferenceOptions _options;
    private readonly TimeProvider _time;
    private readonly Task _loading, _watching;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isStopping;
    private Action? _unsubscribe;

    private InferenceHost(
        WebApplication application, ServingObservation observation, InferenceExecutor executor, ModelRepository repository, TensorPool pool, CallerRegistry callers, EnvelopeKeys envelopes, ExtractionWatch extraction,
        SealedModelLoader loader, ModelMemory memory, InferenceOptions options, TimeProvider time)
    {
        (_application, _observation, _executor, _repository, _pool, _callers, _options, _time) = (application, observation, executor, repository, pool, callers, options, time);
        (_envelopes, _extraction) = (envelopes, extraction);
        Addresses = [.. application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];
        Address = new Uri(Addresses[0]);
        _loading = Task.Run(() => repository.LoadAsync(loader, memory, options.StoreFolder, options.Progress, _stopping.Token));
        _watching = Task.Run(async () =>
        {
            await _loading;
            Task store = repository.WatchAsync(_stopping.Token);
            if (options is { ModelConfigFile: { } file, ModelConfigPoll: var poll } && poll > TimeSpan.Zero)
                await new ModelConfigWatch(file, poll, repository, time, application.Services.GetRequiredService<ILogger<ModelConfigWatch>>()).RunAsync(_stopping.Token);
            await store;
        });
    }

    /// <summary>Where the server listens, with the port that was taken.</summary>
    public Uri Address { get; }

    /// <summary>Every address, the main one first, then the further ones in the order of the options; Unix sockets as <c>http://unix:/path</c>.</summary>
    public IReadOnlyList<string> Addresses { get; }

    /// <summary>Ends when every model is either ready or refused.</summary>
    public Task ModelsLoaded => _loading;

    /// <summary>Every granted model, where it stands, and why it is unavailable if it is.</summary>
    public IReadOnlyList<(string Name, ModelState State, string? Reason)> Models =>
        [.. _repository.Slots.Select(slot => (slot.Name, slot.State, slot.Reason?.Message))];

    /// <summary>
    /// Starts serving what an activation grants, under its certificate and with its evidence. When a newer manifest changes who may call
    /// (<see cref="Activation.RightsChanged"/>), the server follows without a restart.
    /// </summary>
    /// <inheritdoc cref="StartAsync(InferenceOptions, ServingGrants, IServingIdentity, Action{ILoggingBuilder}, TimeProvider, CancellationToken)"/>
    public static async Task<InferenceHost> StartAsync(
        InferenceOptions options, Activation activation, Action<ILoggingBuilder>? logging = null, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        CallerRights rights = activation.Rights;
        using SecretBytes? master = EnvelopeMaster.Of(activation.Parameters);
        InferenceHost host = await StartAsync(options, new ServingGrants(activation.Models, rights) { EnvelopeMaster = master }, new ActivatedIdentity(activation.Identity), logging, time, cancellation);
        EventHandler follow = (_, _) => host.UpdateRights(activation.Rights);
        activation.RightsChanged += follow;
        host._unsubscribe = () => activation.RightsChanged -= follow;
        if (!ReferenceEquals(rights, activation.Rights)) host.UpdateRights(activation.Rights);
        return host;
    }

    /// <summary>Starts serving. The server answers at once; each model does when it is open.</summary>
    /// <param name="options">How to serve.</param>
    /// <param name="grants">What to serve to whom.</param>
    /// <param name="identity">The certificate, and the evidence behind it.</param>
    /// <param name="logging">Where logs go; nowhere if null.</param>
    /// <param name="time">The clock of deadlines.</param>
    /// <param name="cancellation">Gives up starting.</param>
    /// <exception cref="ArgumentException">The grants contradict themselves.</exception>
    /// <exception cref="IOException">The address is taken.</exception>
    public static async Task<InferenceHost> StartAsync(
        InferenceOptions options, ServingGrants grants, IServingIdentity identity, Action<ILoggingBuilder>? logging = null, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        time ??= TimeProvider.System;
        var envelopes = new EnvelopeKeys(grants.EnvelopeMaster, time);
        if (options.LockProcessMemory) ModelMemory.LockProcess();
        WebApplication application = Build(options, identity, time, logging);
        if (grants.EnvelopeMaster is not null) application.Services.GetRequiredService<ILogger<EnvelopeKeys>>().MasterGiven();
        var pool = new TensorPool(options.KeptTensorBytes);
        var loads = new LoadMetrics(time);
        options = options with { Repository = options.Repository with { Observer = loads } };
        var repository = new ModelRepository(grants.Models, options.Repository, time, application.Services.GetRequiredService<ILogger<ModelRepository>>());
        var callers = new CallerRegistry(grants.Rights, time, application.Services.GetRequiredService<ILogger<CallerRegistry>>());
        var observation = new ServingObservation(options, repository, loads, callers, identity, time, application.Services.GetRequiredService<ILogger<ServingObservation>>());
        var service = new PredictionService(repository, callers, pool, options, observation.Observers, time, application.Services.GetRequiredService<ILogger<PredictionService>>());
        identity.MapEvidence(application);
        foreach (IServingSurface surface in (IServingSurface[])[.. Surfaces(options, envelopes, time), .. observation.Surfaces]) surface.Map(application, service);
        GrpcServices.Map(application, repository, time);
        try
        {
            await application.StartAsync(cancellation);
        }
        catch
        {
            await callers.DisposeAsync();
            envelopes.Dispose();
            throw;
        }
        var executor = new InferenceExecutor(options.Executor, time);
        var memory = new ModelMemory(application.Services.GetRequiredService<ILogger<ModelMemory>>());
        var engines = new EngineFactory(executor, pool, envelopes, options.Accelerators, application.Services.GetRequiredService<ILogger<EngineFactory>>());
        var extraction = new ExtractionWatch(callers, application.Services.GetRequiredService<ILogger<ExtractionWatch>>());
        return new InferenceHost(
            application, observation, executor, repository, pool, callers, envelopes, extraction, new SealedModelLoader(options, engines, pool, memory, extraction), memory, options, time);
    }

    /// <summary>
    /// Takes other rights from the next request on; requests under way keep what they were allowed. Whoever serves an
    /// <see cref="Activation"/> need not call this.
    /// </summary>
    /// <exception cref="ArgumentException">The rights contradict themselves; those before stay.</exception>
    public void UpdateRights(CallerRights rights)
    {
        _callers.Replace(rights);
        foreach (ModelSlot slot in _repository.Slots)
            if (slot.Newest is { } model) _extraction.Look(model);
    }

    /// <summary>Serves what an activation grants until it is cancelled.</summary>
    /// <inheritdoc cref="StartAsync(InferenceOptions, Activation, Action{ILoggingBuilder}, TimeProvider, CancellationToken)"/>
    public static async Task RunAsync(
        InferenceOptions options, Activation activation, Action<ILoggingBuilder>? logging = null, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        await using InferenceHost host = await StartAsync(options, activation, logging, time, cancellation);
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration registration = cancellation.Register(cancelled.SetResult);
        await cancelled.Task;
    }

    /// <summary>
    /// Stops: says that it is not ready, still answers for as long as the options' drain delay, then takes no new requests or
    /// connections; requests under way are answered within the shutdown timeout, models are released.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        bool first;
        lock (_stopped) (first, _isStopping) = (!_isStopping, true);
        if (first) await StopAsync();
        await _stopped.Task;
    }

    private async Task StopAsync()
    {
        _unsubscribe?.Invoke();
        _repository.BeginStop();
        if (_options.DrainDelay > TimeSpan.Zero) await Task.Delay(_options.DrainDelay, _time);
        _repository.RefuseRequests();
        await _stopping.CancelAsync();
        await _application.StopAsync();
        await _loading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _executor.DisposeAsync();
        await _repository.DisposeAsync();
        await _observation.DisposeAsync();
        _pool.Dispose();
        await _callers.DisposeAsync();
        _envelopes.Dispose();
        await _application.DisposeAsync();
        _stopping.Dispose();
        _stopped.SetResult();
    }

    /// <summary>Every protocol that is served.</summary>
    private static IServingSurface[] Surfaces(InferenceOptions options, EnvelopeKeys envelopes, TimeProvider time) =>
    [
        new OpenInferenceSurface(), new OpenInferenceGrpcSurface(GrpcServices.Bounds(options, time)),
        new EncryptedSurface(options.CrossOrigin, envelopes), new TensorFlowSurface(options.CrossOrigin), new TensorFlowGrpcSurface(GrpcServices.Bounds(options, time), options.AnswersAsTensorContent),
    ];

    private static void Listen(KestrelServerOptions kestrel, ServingEndpoint endpoint, InferenceOptions options, IServingIdentity identity)
    {
        endpoint.Demand();
        kestrel.Listen(endpoint.Address, listen =>
        {
            listen.Protocols = endpoint.Http2Only ? HttpProtocols.Http2 : endpoint.Plaintext ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
            if (!endpoint.Plaintext) identity.UseTls(listen, options.HeadersTimeout);
        });
    }

    private static WebApplication Build(InferenceOptions options, IServingIdentity identity, TimeProvider time, Action<ILoggingBuilder>? logging)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRouting();
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.ShutdownTimeout);
        logging?.Invoke(builder.Logging);
        // Saves a change of thread a read; the sockets' callbacks come on pool threads already, so none of it runs on the one that polls.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaximumRequestBytes;
            kestrel.Limits.MaxConcurrentConnections = options.MaximumConnections;
            kestrel.Limits.RequestHeadersTimeout = options.HeadersTimeout;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 << 10;
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(options.MinimumBodyBytesPerSecond, options.BodyGrace);
            kestrel.Limits.Http2.MaxStreamsPerConnection = 256;
            // A caller who is gone without a word would keep its streams open for ever.
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromMinutes(1);
            kestrel.Limits.Http2.InitialConnectionWindowSize = 4 << 20;
            kestrel.Limits.Http2.InitialStreamWindowSize = 2 << 20;
            foreach (ServingEndpoint endpoint in options.FurtherEndpoints.Prepend(new ServingEndpoint(options.Endpoint))) Listen(kestrel, endpoint, options, identity);
        });
        WebApplication application = builder.Build();
        if (options.ClientAuthorities is { } authorities) new ClientCertificateDemand(authorities, time).Use(application);
        application.UseRouting();
        return application;
    }
}
