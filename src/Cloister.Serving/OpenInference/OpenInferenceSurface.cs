using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Serving.OpenInference;

/// <summary>
/// The Open Inference Protocol, version 2, over REST (github.com/kserve/open-inference-protocol, inference_rest.md), and those of
/// Triton's extensions that have a meaning here (github.com/triton-inference-server/server, docs/protocol).
/// </summary>
internal sealed class OpenInferenceSurface : IServingSurface
{
    /// <summary>The extensions that are offered, on REST and gRPC.</summary>
    public static readonly string[] Extensions =
        ["binary_tensor_data", "classification", "model_configuration", "model_repository", "model_repository(unload_dependents)", "parameters", "statistics"];

    private static readonly OpenInferenceErrors Errors = new();

    private static readonly string[] Models = ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"];

    public void Map(IEndpointRouteBuilder routes, PredictionService service)
    {
        void Get(string pattern, string method, Func<HttpContext, Task> handler) => routes.MapGet(pattern, SurfaceEndpoint.Of(handler, Errors, service, method));
        void Post(string pattern, string method, Func<HttpContext, Task> handler) => routes.MapPost(pattern, SurfaceEndpoint.Of(handler, Errors, service, method));
        Get("/v2", "server-metadata", SendServer);
        Get("/v2/health/live", "live", SendLive);
        Get("/v2/health/ready", "ready", http => SendReady(http, service));
        foreach (string model in Models)
        {
            Get(model, "metadata", http => SendModel(http, service));
            Get(model + "/ready", "model-ready", http => SendModelReady(http, service));
            Get(model + "/config", "config", http => SendConfiguration(http, service));
            Get(model + "/stats", "statistics", http => SendStatistics(http, service));
            Post(model + "/infer", "infer", http => InferAsync(http, service));
        }
        Get("/v2/models/stats", "statistics", http => SendStatistics(http, service));
        Post("/v2/repository/index", "repository-index", http => SendIndex(http, service));
        Post("/v2/repository/models/{model}/load", "load", http => ControlAsync(http, service, load: true));
        Post("/v2/repository/models/{model}/unload", "unload", http => ControlAsync(http, service, load: false));
        foreach ((string pattern, string reason) in RefusedAddresses.All)
            routes.Map(pattern, SurfaceEndpoint.Of(_ => throw new ServingException(ServingError.SettingRefused, reason), Errors, service, "refused"));
        routes.Map("/v2/{**rest}", SurfaceEndpoint.Of(
            http => throw new ServingException(ServingError.ModelNotFound, $"There is no {http.Request.Method} {http.Request.Path}."), Errors, service, "unknown"));
    }

    private static async Task InferAsync(HttpContext http, PredictionService service)
    {
        using ModelLease lease = service.Admit(http, ModelOf(http), ChoiceOf(http));
        using InferRequest request = await InferBody.ReadAsync(http, lease.Model, service.Pool);
        using Prediction prediction = await service.PredictAsync(http, lease, request.Inputs!, request.Timeout, http.RequestAborted);
        using var response = new InferResponse(request, prediction.Outputs);
        await response.SendAsync(http);
    }

    private static async Task SendServer(HttpContext http)
    {
        using var json = new JsonOutput();
        json.Raw("{\"name\":\"cloister\",\"version\":"u8).Text(typeof(OpenInferenceSurface).Assembly.GetName().Version?.ToString(3) ?? "").Raw(",\"extensions\":["u8);
        for (int i = 0; i < Extensions.Length; i++) json.Raw(i == 0 ? ""u8 : ","u8).Text(Extensions[i]);
        await SurfaceEndpoint.SendAsync(http, json.Raw("]}"u8));
    }

    // KServe's clients read the body of health answers, Triton's only their status.
    private static async Task SendLive(HttpContext http)
    {
        using var json = new JsonOutput();
        await SurfaceEndpoint.SendAsync(http, json.Raw("{\"live\":true}"u8));
    }

    private static async Task SendReady(HttpContext http, PredictionService service)
    {
        using var json = new JsonOutput();
        bool ready = service.Repository.IsReady;
        json.Raw("{\"ready\":"u8).Boolean(ready).Raw("}"u8);
        await SurfaceEndpoint.SendAsync(http, json, ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    // Open to probes: the names of models and why one was refused are no secrets, shapes are the owner's.
    private static async Task SendModelReady(HttpContext http, PredictionService service)
    {
        ServedModel model = service.Repository.Find(ModelOf(http)).Require(ChoiceOf(http));
        using var json = new JsonOutput();
        bool ready = model.Engine.IsReady;
        json.Raw("{\"name\":"u8).Text(model.Name).Raw(",\"ready\":"u8).Boolean(ready).Raw("}"u8);
        await SurfaceEndpoint.SendAsync(http, json, ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task SendModel(HttpContext http, PredictionService service)
    {
        using ModelLease lease = service.Open(http, ModelOf(http), ChoiceOf(http));
        using var json = new JsonOutput();
        ModelDocuments.WriteMetadata(json, lease.Model, Available(service.Repository.Find(lease.Model.Name)));
        await SurfaceEndpoint.SendAsync(http, json);
    }

    private static async Task SendConfiguration(HttpContext http, PredictionService service)
    {
        using ModelLease lease = service.Open(http, ModelOf(http), ChoiceOf(http));
        using var json = new JsonOutput();
        ModelDocuments.WriteConfiguration(json, ConfiguredModel.Of(lease.Model, Available(service.Repository.Find(lease.Model.Name))));
        await SurfaceEndpoint.SendAsync(http, json);
    }

    private static async Task SendStatistics(HttpContext http, PredictionService service)
    {
        using var json = new JsonOutput();
        StatisticsDocument.Write(json, StatisticsDocument.Read(http, service, (string?)http.GetRouteValue("model"), (string?)http.GetRouteValue("version")));
        await SurfaceEndpoint.SendAsync(http, json);
    }

    // As open as a model's readiness.
    private static async Task SendIndex(HttpContext http, PredictionService service)
    {
        using RequestBody body = await RequestBody.ReadAsync(http, RepositoryDocuments.MaximumBytes);
        using var json = new JsonOutput();
        RepositoryDocuments.WriteIndex(json, service.Repository.Slots, RepositoryDocuments.ReadIndex(body.Span));
        await SurfaceEndpoint.SendAsync(http, json);
    }

    private static async Task ControlAsync(HttpContext http, PredictionService service, bool load)
    {
        service.DemandControl(http, ModelOf(http));
        using RequestBody body = await RequestBody.ReadAsync(http, RepositoryDocuments.MaximumBytes);
        if (load)
        {
            RepositoryDocuments.ReadLoad(body.Span);
            await ModelControl.LoadAsync(http, service, ModelOf(http), http.RequestAborted);
        }
        else
        {
            RepositoryDocuments.ReadUnload(body.Span);
            await ModelControl.UnloadAsync(http, service, ModelOf(http), http.RequestAborted);
        }
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = 0;
    }

    private static IEnumerable<long> Available(ModelSlot slot) =>
        slot.Versions.Where(version => version.State == ModelVersionState.Available).Select(version => version.Version);

    private static string ModelOf(HttpContext http) => (string)http.GetRouteValue("model")!;

    private static VersionChoice ChoiceOf(HttpContext http) => VersionChoice.Parse(ModelOf(http), (string?)http.GetRouteValue("version"));
}
