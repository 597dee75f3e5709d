using Cloister.Serving.Callers;
using Cloister.Serving.Engines;
using Cloister.Serving.Repository;
using Cloister.Serving.Statistics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Surfaces;

/// <summary>What every surface does alike: find the model, check the caller, hold the version, predict, and tell the observers.</summary>
internal sealed class PredictionService(
    ModelRepository repository, CallerRegistry callers, TensorPool pool, InferenceOptions options, IReadOnlyList<IServingObserver> observers, TimeProvider time, ILogger<PredictionService> logger)
{
    public ModelRepository Repository { get; } = repository;

    public TensorPool Pool { get; } = pool;

    public ILogger Logger { get; } = logger;

    /// <summary>What every version did since the server started.</summary>
    public StatisticsBook Statistics { get; } = new(time);

    /// <summary>Begins the record of a request; <see cref="End"/> ends it.</summary>
    /// <param name="http">The request, of REST or of gRPC.</param>
    /// <param name="surface">The surface's name, as in <see cref="RequestRecord.Surface"/>.</param>
    /// <param name="method">The operation, as in <see cref="RequestRecord.Method"/>.</param>
    public RequestRecord Begin(HttpContext http, string surface, string method)
    {
        var record = new RequestRecord { Surface = surface, Method = method, Started = time.GetTimestamp() };
        http.Features.Set(record);
        foreach (IServingObserver observer in observers) observer.Began(record, http);
        return record;
    }

    /// <summary>Tells the observers of a request that has ended.</summary>
    public void End(RequestRecord record)
    {
        TimeSpan total = time.GetElapsedTime(record.Started);
        Statistics.Ended(record, total);
        foreach (IServingObserver observer in observers) observer.Ended(record, total);
    }

    /// <summary>Holds a version for a caller who may use the model.</summary>
    /// <param name="http">The request.</param>
    /// <param name="name">The model's name.</param>
    /// <param name="choice">The version asked for.</param>
    /// <exception cref="ServingException">There is no such model or version, the caller may not use it or not now, or it is not ready.</exception>
    public ModelLease Open(HttpContext http, string name, VersionChoice choice)
    {
        RequestRecord? record = RequestRecord.Of(http);
        ModelSlot slot = Repository.Find(name);
        // Only now: a name that nobody serves would let strangers fill the metrics with names.
        record?.Model = slot.Name;
        CallPermit permit = callers.Enter(http, name);
        record?.Caller = permit.Caller?.Name;
        try
        {
            ModelLease lease = slot.Lease(choice, permit);
            record?.Version = lease.Model.Version;
            return lease;
        }
        catch
        {
            permit.Dispose();
            throw;
        }
    }

    /// <summary>As <see cref="Open"/>, refusing early, before a body is read, where the model's queue is full.</summary>
    /// <exception cref="ServingException">As <see cref="Open"/>, or <see cref="ServingError.Overloaded"/>.</exception>
    public ModelLease Admit(HttpContext http, string name, VersionChoice choice)
    {
        RequestRecord.Of(http)?.IsPrediction = true;
        ModelLease lease = Open(http, name, choice);
        if (!lease.Model.Engine.IsOverloaded(out TimeSpan retryAfter)) return WithRow(lease);
        lease.Dispose();
        throw new ServingException(ServingError.Overloaded, $"The queue of model '{name}' is full; try again in {retryAfter.TotalSeconds:0} s.") { RetryAfter = retryAfter };
    }

    /// <summary>Checks from a request's headers alone that whoever asks may use some model, before a large message is read.</summary>
    /// <exception cref="ServingException">Nobody may who shows no more than that.</exception>
    public void RequireAnyRight(HttpContext http) => callers.RequireAnyRight(http);

    /// <summary>Whether whoever asks may use the model: for lists, which leave out what they may not see.</summary>
    public bool MayUse(HttpContext http, string name)
    {
        try
        {
            callers.Authorise(http, name);
            return true;
        }
        catch (ServingException refusal) when (refusal.Error is ServingError.Unauthenticated or ServingError.Forbidden)
        {
            return false;
        }
    }

    /// <summary>Checks that whoever asks may load and unload the model: a caller who administers models by the manifest.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.NotAdministrator"/>, or no such caller or model.</exception>
    public void DemandControl(HttpContext http, string name)
    {
        RequestRecord.Of(http)?.Model = Repository.Find(name).Name;
        RequireAdministrator(http);
    }

    /// <summary>Checks that whoever asks administers models by the manifest, and notes who it is.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.NotAdministrator"/>, or nobody whom the manifest names.</exception>
    public void RequireAdministrator(HttpContext http)
    {
        Caller caller = callers.RequireAdministrator(http);
        RequestRecord.Of(http)?.Caller = caller.Name;
    }

    /// <summary>Predicts within the shortest of the given time limits.</summary>
    /// <param name="http">The request; its end stops the prediction.</param>
    /// <param name="lease">The version that answers.</param>
    /// <param name="inputs">One tensor an input; the caller keeps them.</param>
    /// <param name="asked">How long the caller wants to wait; null if it did not say.</param>
    /// <param name="cancellation">Ends when nobody waits for the answer any more.</param>
    /// <exception cref="ServingException">The engine's refusal, or <see cref="ServingError.QuotaExceeded"/>.</exception>
    public async Task<Prediction> PredictAsync(HttpContext http, ModelLease lease, IReadOnlyList<Tensor> inputs, TimeSpan? asked, CancellationToken cancellation)
    {
        RequestRecord? record = RequestRecord.Of(http);
        record?.Read = time.GetElapsedTime(record.Started);
        TimeSpan timeout = lease.Model.Configuration.Timeout ?? options.PredictionTimeout;
        if (asked < timeout || (asked is not null && timeout == Timeout.InfiniteTimeSpan)) timeout = asked.Value;
        lease.Charge(inputs);
        Prediction prediction = lease.Model.Engine is IQueryEngine query
            ? await query.PredictAsync(inputs, lease, timeout, cancellation)
            : await lease.Model.Engine.PredictAsync(inputs, timeout, cancellation);
        if (record is not null)
        {
            if (prediction.Rows is { } rows) (record.Rows, record.CiphertextIn, record.CiphertextOut) = (rows, inputs[0].Bytes.Length, prediction.Outputs[0].Bytes.Length);
            (record.Queued, record.Computed, record.Predicted) = (prediction.Queued, prediction.Computed, time.GetTimestamp());
            record.Items = prediction.Rows ?? (inputs is [{ Shape.Length: > 0 } first, ..] ? first.Shape[0] : 1);
        }
        return prediction;
    }

    // A caller whose rows are used up need not send a large body to hear it.
    private static ModelLease WithRow(ModelLease lease)
    {
        if (lease.Model.Engine is not IQueryEngine) return lease;
        try
        {
            lease.DemandRow();
            return lease;
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }
}
