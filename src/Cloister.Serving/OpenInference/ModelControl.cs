using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.OpenInference;

/// <summary>Loads and unloads models for those whom <see cref="PredictionService.DemandControl"/> let through, and says in the log who they were.</summary>
internal static class ModelControl
{
    /// <exception cref="ServingException">What is served may not be changed, or the model could not be opened.</exception>
    public static Task LoadAsync(HttpContext http, PredictionService service, string model, CancellationToken cancellation)
    {
        service.Logger.Loads(RequestRecord.Of(http)?.Caller, model);
        return service.Repository.LoadModelAsync(model, cancellation);
    }

    /// <exception cref="ServingException">What is served may not be changed.</exception>
    public static Task UnloadAsync(HttpContext http, PredictionService service, string model, CancellationToken cancellation)
    {
        service.Logger.Unloads(RequestRecord.Of(http)?.Caller, model);
        return service.Repository.UnloadModelAsync(model, cancellation);
    }
}
