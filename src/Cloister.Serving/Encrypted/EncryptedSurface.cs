using System.Buffers;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Wire;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Serving.Encrypted;

/// <summary>
/// What an encrypted model's own clients speak: what to encrypt for, a key for envelopes, an envelope in and one out (docs/serving.md). The caller
/// is the owner of the key that it registers, and asks with its own queries alone.
/// </summary>
/// <param name="crossOrigin">Whether web pages of any origin may call it.</param>
/// <param name="envelopes">The keys of envelopes.</param>
internal sealed class EncryptedSurface(bool crossOrigin, EnvelopeKeys envelopes) : IServingSurface
{
    private static readonly EncryptedErrors Errors = new();

    private static readonly string[] Models = ["/v2/models/{model}/encrypted", "/v2/models/{model}/versions/{version}/encrypted"];

    public void Map(IEndpointRouteBuilder routes, PredictionService service)
    {
        foreach (string model in Models)
        {
            routes.MapGet(model, Of(http => SendSpecification(http, service), service, "specification"));
            routes.MapPost(model + "/keys", Of(http => RegisterAsync(http, service), service, "register"));
            routes.MapPost(model + "/infer", Of(http => InferAsync(http, service), service, "infer"));
            if (!crossOrigin) continue;
            foreach (string path in (string[])[model, model + "/keys", model + "/infer"])
                routes.MapMethods(path, [HttpMethods.Options], Of(_ => Task.CompletedTask, service, "preflight"));
        }
    }

    private RequestDelegate Of(Func<HttpContext, Task> handler, PredictionService service, string method) => SurfaceEndpoint.Of(
        http =>
        {
            if (crossOrigin)
            {
                http.Response.Headers.AccessControlAllowOrigin = "*";
                http.Response.Headers.AccessControlAllowMethods = "POST, GET";
                http.Response.Headers.AccessControlAllowHeaders = "Content-Type, Authorization";
            }
            return handler(http);
        },
        Errors, service, method);

    private static async Task SendSpecification(HttpContext http, PredictionService service)
    {
        using ModelLease lease = service.Open(http, ModelOf(http), ChoiceOf(http));
        using var json = new JsonOutput();
        json.Raw(ClientSpecificationJson.Write(EngineOf(lease).Model.Client));
        await SurfaceEndpoint.SendAsync(http, json);
    }

    private async Task RegisterAsync(HttpContext http, PredictionService service)
    {
        using ModelLease lease = service.Open(http, ModelOf(http), ChoiceOf(http));
        HomomorphicEngine engine = EngineOf(lease);
        using RequestBody body = await RequestBody.ReadAsync(http, KeyRegistration.MaximumBytes);
        KeyId keyId = KeyRegistration.Read(body.Span);
        byte[] owner = EnvelopeOwner.Of(lease.Caller);
        (EnvelopeKey key, DateTimeOffset expires) = envelopes.Register(engine.Digest.Span, keyId, owner);
        using (key)
        {
            using var json = new JsonOutput();
            KeyRegistration.Write(json, keyId, owner, key, expires);
            http.Response.Headers.CacheControl = "no-store";
            await SurfaceEndpoint.SendAsync(http, json);
        }
    }

    private static async Task InferAsync(HttpContext http, PredictionService service)
    {
        using ModelLease lease = service.Admit(http, ModelOf(http), ChoiceOf(http));
        HomomorphicEngine engine = EngineOf(lease);
        lease.Owner = EnvelopeOwner.Of(lease.Caller);
        using Tensor query = await ReadAsync(http, engine, service.Pool);
        using Prediction prediction = await service.PredictAsync(http, lease, [query], null, http.RequestAborted);
        Tensor answer = prediction.Outputs[0];
        http.Response.StatusCode = StatusCodes.Status200OK;
        http.Response.ContentType = "application/octet-stream";
        http.Response.ContentLength = answer.Bytes.Length;
        http.Response.BodyWriter.Write(answer.Bytes);
        await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
    }

    private static async ValueTask<Tensor> ReadAsync(HttpContext http, HomomorphicEngine engine, TensorPool pool)
    {
        using RequestBody body = await RequestBody.ReadAsync(http, engine.MaximumQueryBytes);
        var query = new Tensor(TensorElementType.UInt8, [body.Length], pool.Rent(Math.Max(1, body.Length)));
        body.Span.CopyTo(query.Bytes);
        return query;
    }

    private static HomomorphicEngine EngineOf(ModelLease lease) => lease.Model.Engine as HomomorphicEngine
        ?? throw new ServingException(ServingError.Unsupported, $"Model '{lease.Model.Name}' is not an encrypted one: ask it in clear, over this attested connection.");

    private static string ModelOf(HttpContext http) => (string)http.GetRouteValue("model")!;

    private static VersionChoice ChoiceOf(HttpContext http) => VersionChoice.Parse(ModelOf(http), (string?)http.GetRouteValue("version"));
}
