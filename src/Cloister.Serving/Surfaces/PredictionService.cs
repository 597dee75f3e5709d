using Cloister.Serving.Callers;
using Cloister.Serving.Engines;
using Cloister.Serving.Repository;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Surfaces;

/// <summary>What every surface does alike: find the model, check the caller, read the body, predict.</summary>
internal sealed class PredictionService(ModelRepository repository, CallerRegistry callers, TensorPool pool, InferenceOptions options, ILogger<PredictionService> logger)
{
    public ModelRepository Repository { get; } = repository;

    public TensorPool Pool { get; } = pool;

    public ILogger Logger { get; } = logger;

    /// <summary>The ready model, for a caller who may use it.</summary>
    /// <param name="http">The request.</param>
    /// <param name="name">The model's name.</param>
    /// <param name="version">The version asked for; null for whichever there is.</param>
    /// <exception cref="ServingException">There is no such model or version, the caller may not use it, or it is not ready.</exception>
    public ServedModel Open(HttpContext http, string name, string? version)
    {
        ModelSlot slot = Repository.Find(name);
        callers.Authorise(http, name);
        ServedModel model = slot.Require();
        DemandVersion(model, version);
        return model;
    }

    /// <summary>As <see cref="Open"/>, refusing early, before a body is read, where the model's queue is full.</summary>
    /// <exception cref="ServingException">As <see cref="Open"/>, or <see cref="ServingError.Overloaded"/>.</exception>
    public ServedModel Admit(HttpContext http, string name, string? version)
    {
        ServedModel model = Open(http, name, version);
        if (model.Engine.IsOverloaded(out TimeSpan retryAfter))
            throw new ServingException(ServingError.Overloaded, $"The queue of model '{name}' is full; try again in {retryAfter.TotalSeconds:0} s.") { RetryAfter = retryAfter };
        return model;
    }

    /// <summary>Checks the version in an address.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.VersionNotFound"/>.</exception>
    public static void DemandVersion(ServedModel model, string? version)
    {
        if (version is null || (long.TryParse(version, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long number) && number == model.Version)) return;
        throw new ServingException(ServingError.VersionNotFound, $"Model '{model.Name}' is served in version {model.Version}, not '{version}'.");
    }

    /// <summary>Predicts within the shortest of the given time limits.</summary>
    /// <exception cref="ServingException">The engine's refusal.</exception>
    public Task<Tensor[]> PredictAsync(ServedModel model, IReadOnlyList<Tensor> inputs, TimeSpan? asked, CancellationToken cancellation)
    {
        TimeSpan timeout = model.Configuration.Timeout ?? options.PredictionTimeout;
        if (asked < timeout || (asked is not null && timeout == Timeout.InfiniteTimeSpan)) timeout = asked.Value;
        return model.Engine.PredictAsync(inputs, timeout, cancellation);
    }
}
