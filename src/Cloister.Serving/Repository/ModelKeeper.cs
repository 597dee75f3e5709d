using Cloister.Onnx.Runtime;
using Cloister.Sealing;
using Cloister.Workload;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Repository;

/// <summary>Brings one model's versions to what is planned. Its methods are called one at a time.</summary>
internal sealed class ModelKeeper : IAsyncDisposable
{
    private readonly ModelGrant _grant;
    private readonly RepositoryOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Dictionary<long, (string Path, FileStamp Stamp)> _loaded = [];
    private readonly Dictionary<string, Attempt> _failed = new(StringComparer.Ordinal);
    private readonly List<Task> _leaving = [];
    private ModelKey? _key;

    public ModelKeeper(ModelGrant grant, RepositoryOptions options, TimeProvider time, ILogger logger)
    {
        (_grant, _options, _time, _logger) = (grant, options, time, logger);
        Slot = new ModelSlot(grant.Name);
    }

    public ModelSlot Slot { get; }

    /// <summary>When a version that could not be read should be tried again; null if none.</summary>
    public DateTimeOffset? NextAttempt { get; private set; }

    /// <summary>Why the last <see cref="ReconcileAsync"/> did not reach all that is wanted; null if it did.</summary>
    public ServingException? Problem { get; private set; }

    /// <summary>Whether the model's key was zeroed, so that nothing of it can be opened any more.</summary>
    public bool IsKeyGone => _key is { Bytes: null };

    /// <summary>Moves the key into locked memory; the grant's own is zeroed.</summary>
    public void TakeKey(IMemoryGuard memory) => _key ??= new ModelKey(_grant.Key, memory);

    /// <summary>Zeroes the key.</summary>
    public void ForgetKey() => _key?.Dispose();

    /// <summary>Tries again what was refused, though its file did not change.</summary>
    public void Retry() => _failed.Clear();

    /// <summary>Opens what is wanted and not there, then releases what is there and not wanted.</summary>
    /// <param name="plan">What is wanted; null if the model is not to be served.</param>
    /// <param name="loader">Opens a version.</param>
    /// <param name="storeFolder">Where base paths that are not absolute begin.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task ReconcileAsync(ModelPlan? plan, SealedModelLoader loader, string storeFolder, CancellationToken cancellation)
    {
        _leaving.RemoveAll(task => task.IsCompletedSuccessfully);
        (NextAttempt, Problem) = (null, null);
        if (plan is null)
        {
            Slot.Unplan();
            foreach (long number in _loaded.Keys.ToList()) Release(number);
            return;
        }
        if (Wanted(plan, storeFolder) is not { } wanted) return;
        if (_options.UnloadFirst)
        {
            foreach (long number in Others(wanted)) Release(number);
            await Task.WhenAll(_leaving).WaitAsync(cancellation);
        }
        SealedTrust trust = SealedModelLoader.Trust(_grant);
        foreach (IGrouping<long, StoredVersion> same in wanted.GroupBy(version => version.Number))
            if (same.Skip(1).Any())
                Refuse(same.First(), new ServingException(ServingError.VersionMismatch, $"Version {same.Key} is there more than once: {string.Join(", ", same.Select(version => version.Name))}; leave one."));
            else
                await OpenAsync(same.First(), trust, loader, cancellation);
        // What answers goes only once something that is wanted answers in its place.
        if (wanted.Any(version => Slot.Loaded(version.Number) is not null))
            foreach (long number in Unwanted(wanted)) Release(number);
        Slot.Forget(number => wanted.Any(version => version.Number == number));
        if (wanted.All(IsLoaded)) Slot.Settle();
        else Problem ??= new ServingException(ServingError.ModelUnavailable, "A version waits to be tried again.");
    }

    /// <summary>Releases every version, when its last request is answered, and zeroes the key.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (long number in _loaded.Keys.ToList()) Release(number);
        await Task.WhenAll(_leaving);
        ForgetKey();
        _grant.Key.Dispose();
    }

    // Null if nothing can be done now: what is served stays.
    private IReadOnlyList<StoredVersion>? Wanted(ModelPlan plan, string storeFolder)
    {
        string basePath = Path.Combine(storeFolder, plan.BasePath is { Length: > 0 } given ? Path.TrimEndingDirectorySeparator(given) : _grant.Name);
        try
        {
            SealedModelLoader.Trust(_grant);
            IReadOnlyList<StoredVersion> stored = StoreFolder.Find(basePath, _grant.Name, _grant.Digest);
            IReadOnlyList<StoredVersion> wanted = VersionSelection.Choose(plan.Versions, stored);
            foreach (string gone in _failed.Keys.Where(path => wanted.All(version => version.Path != path)).ToList()) _failed.Remove(gone);
            if (wanted.Count > 0) return wanted;
            string missing = stored.Count > 0
                ? $"The store has no version of {_grant.Name} that is to be served; it has {string.Join(", ", stored.Select(version => version.Number))}."
                : $"The store has no {_grant.Name}{SealedModelLoader.Extension}; put the file that the model's owner sealed there{(_options.PollInterval > TimeSpan.Zero ? "." : " and start the workload again.")}";
            Refuse(0, new ServingException(ServingError.SealedFileMissing, missing));
        }
        catch (ServingException refusal)
        {
            Refuse(0, refusal);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Refuse(0, new ServingException(ServingError.StoreUnreadable, $"The store could not be looked through: {failure.Message.Replace(basePath, _grant.Name, StringComparison.Ordinal)}", failure));
        }
        return null;
    }

    private bool IsLoaded(StoredVersion version) => _loaded.Any(loaded => loaded.Value == (version.Path, version.Stamp));

    private List<long> Unwanted(IReadOnlyList<StoredVersion> wanted) =>
        [.. _loaded.Where(loaded => wanted.All(version => version.Number != loaded.Key && version.Path != loaded.Value.Path)).Select(loaded => loaded.Key)];

    private List<long> Others(IReadOnlyList<StoredVersion> wanted) =>
        [.. _loaded.Where(loaded => !wanted.Any(version => loaded.Value == (version.Path, version.Stamp))).Select(loaded => loaded.Key)];

    private async Task OpenAsync(StoredVersion version, SealedTrust trust, SealedModelLoader loader, CancellationToken cancellation)
    {
        if (IsLoaded(version)) return;
        Attempt before = _failed.TryGetValue(version.Path, out Attempt? attempt) && attempt.Stamp == version.Stamp ? attempt : new Attempt(version.Stamp, 0, null, null);
        if (before.Count > 0 && !(before.Next <= _time.GetUtcNow()))
        {
            Expect(before.Next);
            Problem ??= before.Reason;
            return;
        }
        Slot.Report(version.Number, ModelVersionState.Loading);
        long start = _time.GetTimestamp();
        try
        {
            ReadOnlyMemory<byte> key = _key?.Bytes ?? throw new ServingException(ServingError.ChangesNotAllowed, "The model's key was zeroed after the start; allow changes and start the workload again.");
            ServedModel model = await loader.OpenAsync(trust, _grant, version, key, replaces: Slot.LoadedNumbers.Count > 0, cancellation);
            _failed.Remove(version.Path);
            // The new one first, so that somebody answers at every moment.
            if (Slot.Serve(model) is { } replaced) _leaving.Add(replaced.RetireAsync());
            foreach (long older in _loaded.Where(loaded => loaded.Value.Path == version.Path && loaded.Key != model.Version).Select(loaded => loaded.Key).ToList()) Release(older);
            _loaded[model.Version] = (version.Path, version.Stamp);
            _logger.ModelReady(model.Name, model.Version, _time.GetElapsedTime(start).TotalMilliseconds);
            _options.Observer?.Opened(model.Name, model.Version, _time.GetElapsedTime(start), succeeded: true);
        }
        catch (ServingException refusal)
        {
            _options.Observer?.Opened(_grant.Name, version.Number, _time.GetElapsedTime(start), succeeded: false);
            Refuse(version, refusal, before.Count + 1);
        }
#pragma warning disable CA1031 // Whatever a model does to its engine, the other models are served.
        catch (Exception failure) when (failure is not OperationCanceledException)
#pragma warning restore CA1031
        {
            _logger.ModelFailed(_grant.Name, failure);
            _options.Observer?.Opened(_grant.Name, version.Number, _time.GetElapsedTime(start), succeeded: false);
            Refuse(version, new ServingException(ServingError.EngineFailed, "It could not be opened; the server's log says why.", failure), before.Count + 1);
        }
    }

    private void Refuse(StoredVersion version, ServingException reason, int attempts = 1)
    {
        // What can pass by itself is tried again; a file that is refused must change first.
        bool passes = reason.Error is ServingError.StoreUnreadable or ServingError.SealedFileMissing or ServingError.EngineFailed or ServingError.AcceleratorFailed;
        // An accelerator may come at any time, and a model that is served already waits for one for ever, too.
        DateTimeOffset? next = passes && (attempts <= _options.LoadRetries || reason.Error == ServingError.AcceleratorFailed) ? _time.GetUtcNow() + _options.RetryInterval : null;
        bool isNew = !_failed.TryGetValue(version.Path, out Attempt? known) || known.Stamp != version.Stamp;
        _failed[version.Path] = new Attempt(version.Stamp, attempts, next, reason);
        Expect(next);
        if (isNew || passes) Refuse(version.Number, reason);
        else Problem ??= reason;
    }

    private void Refuse(long number, ServingException reason)
    {
        if (Slot.Versions.All(known => known.Version != number || known.Reason?.Message != reason.Message)) _logger.ModelRefused(_grant.Name, (int)reason.Error, reason.Message);
        Slot.Report(number, ModelVersionState.End, reason);
        Problem ??= reason;
    }

    private void Expect(DateTimeOffset? attempt)
    {
        if (attempt is { } next && (NextAttempt is null || next < NextAttempt)) NextAttempt = next;
    }

    private void Release(long number)
    {
        _loaded.Remove(number);
        if (Slot.Withdraw(number) is not { } version) return;
        _leaving.Add(ReleaseAsync(version));
    }

    private async Task ReleaseAsync(LoadedVersion version)
    {
        await version.RetireAsync();
        Slot.End(version.Model.Version);
        _logger.ModelReleased(version.Model.Name, version.Model.Version);
    }

    /// <summary>What became of a file: how often it was tried, and when it is to be tried again.</summary>
    private sealed record Attempt(FileStamp Stamp, int Count, DateTimeOffset? Next, ServingException? Reason);
}
