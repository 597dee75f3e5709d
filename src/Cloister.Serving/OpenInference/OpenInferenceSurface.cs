using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Serving.OpenInference;

/// <summary>The Open Inference Protocol, version 2, over REST (github.com/kserve/open-inference-protocol, inference_rest.md).</summary>
internal sealed class OpenInferenceSurface : IServingSurface
{
    private static readonly OpenInferenceErrors Errors = new();

    public void Map(IEndpointRouteBuilder routes, PredictionService service)
    {
        void Get(string pattern, string method, Func<HttpContext, Task> handler) => routes.MapGet(pattern, SurfaceEndpoint.Of(handler, Errors, service, method));
        Get("/v2", "server-metadata", SendServer);
        Get("/v2/health/live", "live", SendLive);
        Get("/v2/health/ready", "ready", http => SendReady(http, service));
        foreach (string model in new[] { "/v2/models/{model}", "/v2/models/{model}/versions/{version}" })
        {
            Get(model, "metadata", http => SendModel(http, service));
            Get(model + "/ready", "model-ready", http => SendModelReady(http, service));
            routes.MapPost(model + "/infer", SurfaceEndpoint.Of(http => InferAsync(http, service), Errors, service, "infer"));
        }
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
        json.Raw("{\"name\":\"cloister\",\"version\":"u8)
            .Text(typeof(OpenInferenceSurface).Assembly.GetName().Version?.ToString(3) ?? "")
            .Raw(",\"extensions\":[\"classification\",\"binary_tensor_data\",\"parameters\"]}"u8);
        await SurfaceEndpoint.SendAsync(http, json);
    }

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
        json.Raw("{\"name\":"u8).Text(model.Name).Raw(",\"ready\":true}"u8);
        await SurfaceEndpoint.SendAsync(http, json);
    }

    private static async Task SendModel(HttpContext http, PredictionService service)
    {
        using ModelLease lease = service.Open(http, ModelOf(http), ChoiceOf(http));
        ServedModel model = lease.Model;
        using var json = new JsonOutput();
        json.Raw("{\"name\":"u8).Text(model.Name).Raw(",\"versions\":[\""u8).Number(model.Version)
            .Raw("\"],\"platform\":"u8).Text(model.Engine.Platform).Raw(",\"inputs\":"u8);
        WriteTensors(json, model.Engine.Inputs);
        json.Raw(",\"outputs\":"u8);
        WriteTensors(json, model.Engine.Outputs);
        json.Raw("}"u8);
        await SurfaceEndpoint.SendAsync(http, json);
    }

    private static void WriteTensors(JsonOutput json, IReadOnlyList<TensorInfo> tensors)
    {
        json.Raw("["u8);
        for (int i = 0; i < tensors.Count; i++)
        {
            if (i > 0) json.Raw(","u8);
            json.Raw("{\"name\":"u8).Text(tensors[i].Name).Raw(",\"datatype\":"u8).Text(TensorTypes.OpenInference(tensors[i].Type))
                .Raw(",\"shape\":"u8).List([.. tensors[i].Shape]).Raw("}"u8);
        }
        json.Raw("]"u8);
    }

    private static string ModelOf(HttpContext http) => (string)http.GetRouteValue("model")!;

    private static VersionChoice ChoiceOf(HttpContext http) => VersionChoice.Parse(ModelOf(http), (string?)http.GetRouteValue("version"));
}
