using System.Runtime.InteropServices;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Tests.Grpc;
using Cloister.Serving.OpenInference.Grpc.Wire;
using Cloister.Serving.Tests.Server;
using Google.Protobuf;

namespace Cloister.Serving.Tests.OpenInference.Grpc;

/// <summary>Calls the gRPC surface with generated messages, over TLS.</summary>
internal sealed class GrpcClient(TestServer server, string? token = null) : IDisposable
{
    private readonly HttpClient _http = Create(server, token);

    public Task<TResponse> CallAsync<TRequest, TResponse>(string method, TRequest request, MessageParser<TResponse> parser, GrpcCallOptions? options = null, CancellationToken cancellation = default)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse> =>
        new GrpcChannel(_http, server.Host.Address).UnaryAsync(Path(method), request, parser, options, cancellation);

    public Task<ModelInferResponse> InferAsync(ModelInferRequest request, GrpcCallOptions? options = null, CancellationToken cancellation = default) =>
        CallAsync("ModelInfer", request, ModelInferResponse.Parser, options, cancellation);

    public async Task<GrpcException> RefusedAsync(ModelInferRequest request, GrpcCallOptions? options = null) =>
        await Assert.ThrowsAsync<GrpcException>(() => InferAsync(request, options));

    public StreamCall Stream() => new(Create(server, token), server.Host.Address, Path("ModelStreamInfer"));

    public void Dispose() => _http.Dispose();

    /// <summary>A request of one input, its values as raw bytes.</summary>
    public static ModelInferRequest Raw<T>(string model, string datatype, long[] shape, params T[] values) where T : unmanaged
    {
        ModelInferRequest request = Announce(model, datatype, shape);
        request.RawInputContents.Add(ByteString.CopyFrom(MemoryMarshal.AsBytes(values.AsSpan())));
        return request;
    }

    /// <summary>A request of one input without values.</summary>
    public static ModelInferRequest Announce(string model, string datatype, params long[] shape) => new()
    {
        ModelName = model,
        Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "x", Datatype = datatype, Shape = { shape } } },
    };

    private static string Path(string method) => $"/inference.GRPCInferenceService/{method}";

    private static HttpClient Create(TestServer server, string? token)
    {
        HttpClient http = server.CreateClient(http2: true);
        if (token is not null) http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        return http;
    }
}
