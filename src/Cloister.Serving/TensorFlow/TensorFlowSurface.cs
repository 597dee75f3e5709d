using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;
using Cloister.Serving.TensorFlow.Examples;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Serving.TensorFlow;

/// <summary>TF Serving's REST API: predict, classify, regress, metadata and status (tensorflow/serving, g3doc/api_rest.md).</summary>
/// <param name="crossOrigin">Whether web pages of any origin may call it.</param>
internal sealed class TensorFlowSurface(bool crossOrigin) : IServingSurface
{
    private static readonly TensorFlowErrors Errors = new();

    public void Map(IEndpointRouteBuilder routes, PredictionService service) =>
        routes.Map("/v1/{**rest}", SurfaceEndpoint.Of(http => AnswerAsync(http, service), Errors, service, ""));

    private Task AnswerAsync(HttpContext http, PredictionService service)
    {
        if (crossOrigin)
        {
            http.Response.Headers.AccessControlAllowOrigin = "*";
            http.Response.Headers.AccessControlAllowMethods = "POST, GET";
            http.Response.Headers.AccessControlAllowHeaders = "Content-Type";
        }
        if (HttpMethods.IsOptions(http.Request.Method)) return AnswerPreflightAsync(http);
        string address = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        int query = address.IndexOf('?', StringComparison.Ordinal);
        var path = TensorFlowPath.Parse(http.Request.Method, address.StartsWith('/') ? query < 0 ? address : address[..query] : http.Request.Path);
        RequestRecord.Of(http)!.Method = path.Verb is "" ? "status" : path.Verb;
        if (path.Model.Length == 0) throw new ServingException(ServingError.InvalidRequest, "Missing model name in request.");
        return path.Verb switch
        {
            "predict" => PredictAsync(http, service, path),
            "classify" => ClassifyAsync(http, service, path),
            "regress" => RegressAsync(http, service, path),
            "metadata" => MetadataAsync(http, service, path),
            _ => StatusAsync(http, service, path),
        };
    }

    // A browser asks before it lets a page of another origin call. As at TF Serving, the answer has no body.
    private static Task AnswerPreflightAsync(HttpContext http)
    {
        string origin = http.Request.Headers.Origin.ToString();
        bool named = origin.Contains("http://", StringComparison.Ordinal) || origin.Contains("https://", StringComparison.Ordinal);
        http.Response.StatusCode = named ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest;
        RequestRecord.Of(http)!.Method = "preflight";
        return Task.CompletedTask;
    }

    private static async Task PredictAsync(HttpContext http, PredictionService service, TensorFlowPath path)
    {
        using ModelLease lease = Admit(http, service, path);
        using PredictRequest request = await ReadPredictAsync(http, service, lease.Model);
        using Prediction prediction = await service.PredictAsync(http, lease, request.Inputs!, null, http.RequestAborted);
        using var json = new JsonOutput();
        if (lease.Model.Engine is IQueryEngine) PredictResponse.WriteBytes(json, prediction.Outputs[0], request.IsRow);
        else PredictResponse.Write(json, lease.Model.Engine.Outputs, prediction.Outputs, request.IsRow, lease.Model.Engine.AnswersInOneSize);
        await SurfaceEndpoint.SendAsync(http, json);
    }

    private static async Task ClassifyAsync(HttpContext http, PredictionService service, TensorFlowPath path)
    {
        using ModelLease lease = Admit(http, service, path);
        (ExampleBatch batch, string signature) = await ReadExamplesAsync(http, lease.Model);
        int output = ExampleResults.DemandClassify(lease.Model, signature);
        using Prediction prediction = await ExampleInference.RunAsync(http, service, lease, batch, null, http.RequestAborted);
        float[] scores = ExampleResults.Scores(prediction.Outputs[output], batch.Count, out int classes);
        using var json = new JsonOutput();
        ExampleResponse.WriteClasses(json, lease.Model, scores, batch.Count, classes);
        await SurfaceEndpoint.SendAsync(http, json);
    }

    private static async Task RegressAsync(HttpContext http, PredictionService service, TensorFlowPath path)
    {
        using ModelLease lease = Admit(http, service, path);
        (ExampleBatch batch, string signature) = await ReadExamplesAsync(http, lease.Model);
        int output = ExampleResults.DemandRegress(lease.Model, signature);
        using Prediction prediction = await ExampleInference.RunAsync(http, service, lease, batch, null, http.RequestAborted);
        using var json = new JsonOutput();
        ExampleResponse.WriteValues(json, ExampleResults.Values(prediction.Outputs[output], batch.Count));
        await SurfaceEndpoint.SendAsync(http, json);
    }

    private static async ValueTask<PredictRequest> ReadPredictAsync(HttpContext http, PredictionService service, ServedModel model)
    {
        using RequestBody body = await RequestBody.ReadAsync(http, model.MaximumRequestBytes);
        return PredictRequestReader.Read(body.Span, model, service.Pool);
    }

    private static async ValueTask<(ExampleBatch, string)> ReadExamplesAsync(HttpContext http, ServedModel model)
    {
        using RequestBody body = await RequestBody.ReadAsync(http, model.MaximumRequestBytes);
        ExampleBatch batch = ExampleRequestReader.Read(body.Span, model, out string signature);
        return (batch, signature);
    }

    private static async Task MetadataAsync(HttpContext http, PredictionService service, TensorFlowPath path)
    {
        using var json = new JsonOutput();
        using ModelLease lease = Named(path, () => service.Open(http, path.Model, path.Choice));
        ModelDocuments.WriteMetadata(json, lease.Model);
        await SurfaceEndpoint.SendAsync(http, json);
    }

    // Open to probes, as the Open Inference Protocol's readiness is.
    private static async Task StatusAsync(HttpContext http, PredictionService service, TensorFlowPath path)
    {
        using var json = new JsonOutput();
        ModelDocuments.WriteStatus(json, ModelStatuses.Of(service.Repository, path.Model, path.Choice));
        await SurfaceEndpoint.SendAsync(http, json);
    }

    private static ModelLease Admit(HttpContext http, PredictionService service, TensorFlowPath path) => Named(path, () => service.Admit(http, path.Model, path.Choice));

    private static ModelLease Named(TensorFlowPath path, Func<ModelLease> open)
    {
        try
        {
            return open();
        }
        catch (ServingException refusal)
        {
            throw TensorFlowNames.Translate(refusal, path.Model, path.Choice);
        }
    }
}
