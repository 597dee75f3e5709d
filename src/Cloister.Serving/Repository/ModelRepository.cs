using System.Collections.Immutable;
using Cloister.Workload;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Repository;

/// <summary>
/// The granted models, by name. A plan says which of them are served, in which versions; the store is looked through as the options say.
/// One model that is refused does not keep the others from being served.
/// </summary>
internal sealed class ModelRepository : IAsyncDisposable
{
    private readonly Dictionary<string, ModelKeeper> _keepers = new(StringComparer.Ordinal);
    private readonly ImmutableArray<string> _names;
    private readonly RepositoryOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly SemaphoreSlim _changed = new(0, 1);
    private readonly CancellationTokenSource _ended = new();
    private Opening? _opening;
    private ServingPlan _plan;
    private volatile bool _stopping, _refusing;

    /// <exception cref="ArgumentException">A model is granted twice.</exception>
    /// <exception cref="ServingException">The options' plan contradicts itself or the grants.</exception>
    public ModelRepository(IReadOnlyList<ModelGrant> grants, RepositoryOptions options, TimeProvider time, ILogger<ModelRepository> logger)
    {
        (_options, _time, _logger) = (options, time, logger);
        foreach (ModelGrant grant in grants)
            if (!_keepers.TryAdd(grant.Name, new ModelKeeper(grant, options, time, logger))) throw new ArgumentException($"Model '{grant.Name}' is granted twice.", nameof(grants));
        _names = [.. grants.Select(grant => grant.Name)];
        _plan = options.Plan ?? ServingPlan.Everything(_names);
        Demand(_plan);
    }

    /// <summary>Every granted model, in the order of the grants, whether it is planned or not.</summary>
    public IEnumerable<ModelSlot> Slots => _names.Select(name => _keepers[name].Slot);

    /// <summary>What is to be served.</summary>
    public ServingPlan Plan => Volatile.Read(ref _plan);

    /// <summary>Whether every planned model reached its versions and answers, and the server is not stopping.</summary>
    public bool IsReady => !_stopping && _opening is not null && Plan.Models.All(model => _keepers[model.Name].Slot.IsReady);

    /// <summary>Whether what is served may be changed now.</summary>
    public bool AllowsChanges => _options.AllowChanges && !_stopping;

    /// <summary>The model of this name.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.ModelNotFound"/>, or <see cref="ServingError.Stopping"/> once the server refuses requests.</exception>
    public ModelSlot Find(string name) => _refusing
        ? throw new ServingException(ServingError.Stopping, "The server is stopping; ask another one.")
        : _keepers.TryGetValue(name, out ModelKeeper? keeper)
            ? keeper.Slot
            : throw new ServingException(ServingError.ModelNotFound, $"There is no model '{name}' here.");

    /// <summary>Opens what is planned, one model after the other, so that no two of them need their peak of memory at once.</summary>
    /// <param name="loader">Opens a version.</param>
    /// <param name="memory">Where keys are kept.</param>
    /// <param name="storeFolder">Where the models lie.</param>
    /// <param name="progress">Told when a model is open or refused.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task LoadAsync(SealedModelLoader loader, ModelMemory memory, string storeFolder, IProgress<ModelProgress>? progress, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            foreach (ModelKeeper keeper in _keepers.Values) keeper.TakeKey(memory);
            _opening = new Opening(loader, storeFolder, progress);
            if (_options.PollInterval >= TimeSpan.Zero) await ReconcileAsync(_names, cancellation);
            if (ApplyLabels(Plan) is { } refusal) _logger.LabelsRefused(refusal.Message);
        }
        finally
        {
            ForgetKeys();
            _turn.Release();
        }
    }

    /// <summary>Looks through the store again and again, as the options say, until it is cancelled.</summary>
    public async Task WatchAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await RestAsync(cancellation);
            await _turn.WaitAsync(cancellation);
            try
            {
                bool all = _options.PollInterval > TimeSpan.Zero;
                await ReconcileAsync([.. _names.Where(name => all || _keepers[name].NextAttempt <= _time.GetUtcNow())], cancellation);
            }
#pragma warning disable CA1031 // A round that fails must not be the last one.
            catch (Exception failure) when (failure is not OperationCanceledException)
#pragma warning restore CA1031
            {
                _logger.RoundFailed(failure);
            }
            finally
            {
                ForgetKeys();
                _turn.Release();
            }
        }
    }

    /// <summary>
    /// Serves what the plan says from now on: opens what is new, then releases what is not wanted any more. No request is dropped or
    /// refused on the way. The plan stays in force even if some of it cannot be reached now.
    /// </summary>
    /// <exception cref="ServingException">
    /// <see cref="ServingError.ChangesNotAllowed"/>, <see cref="ServingError.PlanRefused"/> or <see cref="ServingError.ModelNotGranted"/>: nothing was
    /// changed. <see cref="ServingError.PlanIncomplete"/>: the rest was applied. <see cref="ServingError.LabelRefused"/>: all but the labels was.
    /// </exception>
    public async Task ApplyAsync(ServingPlan plan, CancellationToken cancellation)
    {
        DemandChanges();
        Demand(plan);
        await ChangeAsync(async stop =>
        {
            Volatile.Write(ref _plan, plan);
            await ReconcileAsync(_names, stop);
            if (ApplyLabels(plan) is { } refusal) throw refusal;
            DemandReached(plan.Models.Select(model => model.Name));
        }, cancellation);
    }

    /// <summary>Opens a model as it is planned, or, if it is not, in its newest version. What was refused is tried again.</summary>
    /// <exception cref="ServingException">As <see cref="ApplyAsync"/>.</exception>
    public Task LoadModelAsync(string name, CancellationToken cancellation) => ChangeAsync(
        name, plan => plan.Find(name) is null ? plan with { Models = plan.Models.Add(ModelPlan.Newest(name)) } : plan, reached: true, cancellation);

    /// <summary>Releases a model, when its last request is answered.</summary>
    /// <exception cref="ServingException">As <see cref="ApplyAsync"/>.</exception>
    public Task UnloadModelAsync(string name, CancellationToken cancellation) => ChangeAsync(
        name, plan => plan with { Models = plan.Models.RemoveAll(model => model.Name == name) }, reached: false, cancellation);

    /// <summary>The server begins to stop: it says that it is not ready, and still answers.</summary>
    public void BeginStop() => _stopping = true;

    /// <summary>From now on requests are refused; those under way go on.</summary>
    public void RefuseRequests() => (_stopping, _refusing) = (true, true);

    public async ValueTask DisposeAsync()
    {
        RefuseRequests();
        await _ended.CancelAsync();
        await _turn.WaitAsync();
        foreach (ModelKeeper keeper in _keepers.Values) await keeper.DisposeAsync();
        _turn.Dispose();
        _changed.Dispose();
        _ended.Dispose();
    }

    private async Task ChangeAsync(string name, Func<ServingPlan, ServingPlan> change, bool reached, CancellationToken cancellation)
    {
        DemandChanges();
        if (!_keepers.TryGetValue(name, out ModelKeeper? keeper)) throw NotGranted(name);
        await ChangeAsync(async stop =>
        {
            Volatile.Write(ref _plan, change(Plan));
            keeper.Retry();
            await ReconcileAsync([name], stop);
            if (reached) DemandReached([name]);
        }, cancellation);
    }

    // Whoever asked for a change may stop waiting for it; the change itself is not left half done.
    private async Task ChangeAsync(Func<CancellationToken, Task> change, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        await InTurnAsync().WaitAsync(cancellation);

        async Task InTurnAsync()
        {
            try
            {
                if (_opening is null) throw new ServingException(ServingError.Stopping, "The server has not started yet; try again soon.") { RetryAfter = TimeSpan.FromSeconds(1) };
                await change(_ended.Token);
            }
            finally
            {
                ForgetKeys();
                _turn.Release();
                // The watcher counts anew: a version may wait to be tried again.
                lock (_changed)
                    if (_changed.CurrentCount == 0) _changed.Release();
            }
        }
    }

    private async Task ReconcileAsync(ImmutableArray<string> names, CancellationToken cancellation)
    {
        (SealedModelLoader loader, string folder, IProgress<ModelProgress>? progress) = _opening!;
        foreach (string name in names)
        {
            ModelKeeper keeper = _keepers[name];
            (ModelState State, string? Reason) before = (keeper.Slot.State, keeper.Slot.Reason?.Message);
            await keeper.ReconcileAsync(Plan.Find(name), loader, folder, cancellation);
            (ModelState State, string? Reason) after = (keeper.Slot.State, keeper.Slot.Reason?.Message);
            if (before != after) progress?.Report(new ModelProgress(name, after.State, 0, 0, after.Reason));
        }
    }

    private ServingException? ApplyLabels(ServingPlan plan)
    {
        ServingException? refusal = null;
        foreach (ModelPlan model in plan.Models)
        {
            ModelSlot slot = _keepers[model.Name].Slot;
            KeyValuePair<string, long>[] dangling = _options.LabelsForUnavailable ? [] : [.. model.Labels.Where(label => slot.Loaded(label.Value) is null)];
            if (dangling.Length == 0) slot.Label(model.Labels);
            else
                refusal ??= new ServingException(ServingError.LabelRefused,
                    $"Label '{dangling[0].Key}' of model '{model.Name}' names version {dangling[0].Value}, which is not available; its labels stay as they were.");
        }
        return refusal;
    }

    private void Demand(ServingPlan plan)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (ModelPlan model in plan.Models)
        {
            if (!_keepers.ContainsKey(model.Name)) throw NotGranted(model.Name);
            if (!names.Add(model.Name)) throw new ServingException(ServingError.PlanRefused, $"Model '{model.Name}' is configured twice.");
            if (model.Versions is VersionPolicy.Latest { Count: < 1 } or VersionPolicy.Specific { Numbers.IsDefaultOrEmpty: true })
                throw new ServingException(ServingError.PlanRefused, $"The version policy of model '{model.Name}' asks for no version.");
        }
    }

    private void DemandChanges()
    {
        if (_stopping) throw new ServingException(ServingError.Stopping, "The server is stopping.");
        if (!_options.AllowChanges) throw new ServingException(ServingError.ChangesNotAllowed, "What is served here was fixed when the server started.");
    }

    private void DemandReached(IEnumerable<string> names)
    {
        foreach (string name in names)
            if (_keepers[name].Problem is { } problem)
                throw new ServingException(ServingError.PlanIncomplete, $"Model '{name}' is not served as it should be: {problem.Message}", problem);
    }

    private static ServingException NotGranted(string name) =>
        new(ServingError.ModelNotGranted, $"The manifest does not grant model '{name}' to this workload; only its models can be served.");

    private void ForgetKeys()
    {
        if (_options.KeepsKeys) return;
        foreach (ModelKeeper keeper in _keepers.Values.Where(keeper => keeper.NextAttempt is null)) keeper.ForgetKey();
    }

    // Until the next look at the store, or until a change may have made another moment the next one.
    private async Task RestAsync(CancellationToken cancellation)
    {
        using var rest = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task changed = _changed.WaitAsync(rest.Token);
        await Task.WhenAny(changed, Task.Delay(UntilNextRound(), _time, rest.Token));
        await rest.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
    }

    private TimeSpan UntilNextRound()
    {
        TimeSpan? wait = _options.PollInterval > TimeSpan.Zero ? _options.PollInterval : null;
        foreach (ModelKeeper keeper in _keepers.Values)
        {
            if (keeper.NextAttempt is not { } next) continue;
            TimeSpan left = next - _time.GetUtcNow();
            if (wait is null || left < wait) wait = left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
        return wait ?? Timeout.InfiniteTimeSpan;
    }

    private sealed record Opening(SealedModelLoader Loader, string StoreFolder, IProgress<ModelProgress>? Progress);
}
