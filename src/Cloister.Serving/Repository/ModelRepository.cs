using Cloister.Workload;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Repository;

/// <summary>The granted models, by name. One that is refused does not keep the others from being served.</summary>
internal sealed class ModelRepository : IAsyncDisposable
{
    private readonly Dictionary<string, ModelSlot> _slots = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<ModelGrant> _grants;
    private readonly ILogger _logger;

    public ModelRepository(IReadOnlyList<ModelGrant> grants, ILogger<ModelRepository> logger)
    {
        _grants = grants;
        _logger = logger;
        foreach (ModelGrant grant in grants)
            if (!_slots.TryAdd(grant.Name, new ModelSlot(grant.Name))) throw new ArgumentException($"Model '{grant.Name}' is granted twice.", nameof(grants));
    }

    /// <summary>Every granted model, in the order of the grants.</summary>
    public IEnumerable<ModelSlot> Slots => _grants.Select(grant => _slots[grant.Name]);

    /// <summary>Whether every granted model answers.</summary>
    public bool IsReady => _slots.Values.All(slot => slot.State == ModelState.Ready);

    /// <summary>The model of this name.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.ModelNotFound"/>.</exception>
    public ModelSlot Find(string name) => _slots.TryGetValue(name, out ModelSlot? slot)
        ? slot
        : throw new ServingException(ServingError.ModelNotFound, $"There is no model '{name}' here.");

    /// <summary>Opens one model after the other, so that no two of them need their peak of memory at once. Each key is zeroed after its model.</summary>
    public async Task LoadAsync(SealedModelLoader loader, IProgress<ModelProgress>? progress, TimeProvider time, CancellationToken cancellation)
    {
        foreach (ModelGrant grant in _grants)
        {
            ModelSlot slot = _slots[grant.Name];
            long start = time.GetTimestamp();
            try
            {
                ServedModel model = await loader.OpenAsync(grant, cancellation);
                slot.Serve(model);
                _logger.ModelReady(model.Name, model.Version, time.GetElapsedTime(start).TotalMilliseconds);
            }
            catch (ServingException refusal)
            {
                slot.Refuse(refusal);
                _logger.ModelRefused(grant.Name, (int)refusal.Error, refusal.Message);
            }
#pragma warning disable CA1031 // Whatever a model does to its engine, the other models are served.
            catch (Exception failure) when (failure is not OperationCanceledException)
#pragma warning restore CA1031
            {
                slot.Refuse(new ServingException(ServingError.EngineFailed, "It could not be opened; the server's log says why.", failure));
                _logger.ModelFailed(grant.Name, failure);
            }
            finally
            {
                grant.Key.Dispose();
                progress?.Report(new ModelProgress(grant.Name, slot.State, 0, 0, slot.Reason?.Message));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ModelSlot slot in _slots.Values)
            await slot.RetireAsync();
    }
}
