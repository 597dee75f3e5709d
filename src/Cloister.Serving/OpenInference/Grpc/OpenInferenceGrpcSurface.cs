using System.Buffers;
using Cloister.Protocol.Grpc;
using Cloister.Serving.Engines;
using Cloister.Serving.OpenInference.Grpc.Wire;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;
using Google.Protobuf;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Serving.OpenInference.Grpc;

/// <summary>
/// The Open Inference Protocol, version 2, over gRPC (github.com/kserve/open-inference-protocol, inference_grpc.md), and those of
/// Triton's extensions that have a meaning here (github.com/triton-inference-server/server, docs/protocol).
/// </summary>
internal sealed class OpenInferenceGrpcSurface(GrpcServerOptions options) : IServingSurface
{
    /// <summary>The service's name, for health.</summary>
    public const string Service = "inference.GRPCInferenceService";

    private const string Name = "open-inference-grpc";

    public void Map(IEndpointRouteBuilder routes, PredictionService service)
    {
        var surface = new GrpcSurface(Name, service, options);
        void Async<TRequest>(string method, MessageParser<TRequest> parser, Func<GrpcCallContext, TRequest, CancellationToken, ValueTask<IMessage>> answer)
            where TRequest : IMessage<TRequest> =>
            surface.MapUnary(routes, $"/{Service}/{method}", async (context, request, response, cancellation) =>
                (await answer(context, GrpcMessages.Parse(parser, request), cancellation)).WriteTo(response));
        void Unary<TRequest>(string method, MessageParser<TRequest> parser, Func<GrpcCallContext, TRequest, IMessage> answer)
            where TRequest : IMessage<TRequest> =>
            Async(method, parser, (context, request, _) => ValueTask.FromResult(answer(context, request)));

        surface.MapUnary(routes, $"/{Service}/ModelInfer", (context, request, response, cancellation) => InferAsync(context, request, response, service, cancellation));
        var stream = new ModelStream(Name, surface, service);
        surface.MapBidirectional(routes, $"/{Service}/ModelStreamInfer", stream.ServeAsync);

        Unary("ServerLive", ServerLiveRequest.Parser, (_, _) => new ServerLiveResponse { Live = true });
        Unary("ServerReady", ServerReadyRequest.Parser, (_, _) => new ServerReadyResponse { Ready = service.Repository.IsReady });
        Unary("ModelReady", ModelReadyRequest.Parser, (_, request) => ModelMessages.Ready(service, request.Name, request.Version));
        Unary("ServerMetadata", ServerMetadataRequest.Parser, (_, _) => ModelMessages.Server());
        Unary("ModelMetadata", ModelMetadataRequest.Parser, (context, request) => ModelMessages.Metadata(context.Http, service, request.Name, request.Version));
        Unary("ModelConfig", ModelConfigRequest.Parser, (context, request) => ModelMessages.Configuration(context.Http, service, request.Name, request.Version));
        Unary("ModelStatistics", ModelStatisticsRequest.Parser, (context, request) => StatisticsMessages.Of(context.Http, service, request.Name, request.Version));
        Unary("RepositoryIndex", RepositoryIndexRequest.Parser, (_, request) => RepositoryMessages.Index(service, request));
        Async("RepositoryModelLoad", RepositoryModelLoadRequest.Parser, (context, request, cancellation) => RepositoryMessages.LoadAsync(context.Http, service, request, cancellation));
        Async("RepositoryModelUnload", RepositoryModelUnloadRequest.Parser, (context, request, cancellation) => RepositoryMessages.UnloadAsync(context.Http, service, request, cancellation));
        foreach ((string method, string reason) in RefusedMethods.All)
            surface.MapUnary(routes, $"/{Service}/{method}", (_, _, _, _) => throw new ServingException(ServingError.Unsupported, reason));
    }

    /// <summary>Answers one <c>ModelInferRequest</c>.</summary>
    /// <exception cref="GrpcException">The message is malformed.</exception>
    /// <exception cref="ServingException">The request is refused.</exception>
    private static async ValueTask InferAsync(GrpcCallContext context, ReadOnlySequence<byte> message, IBufferWriter<byte> response, PredictionService service, CancellationToken cancellation)
    {
        ModelAddress address = ModelAddress.Read(message);
        using ModelLease lease = service.Admit(context.Http, address.Model, address.Choice);
        context.Uncompressed = lease.Model.Engine.AnswersInOneSize;
        using InferRequest request = ModelInferReader.Read(message, address, lease.Model, service.Pool);
        using Prediction prediction = await service.PredictAsync(context.Http, lease, request.Inputs!, request.Timeout, cancellation);
        new ModelInferAnswer(request, prediction.Outputs).Write(response);
    }
}
