using Cloister.Protocol.Grpc;
using Cloister.Serving.Tests.Server;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Cloister.Serving.Tests.TensorFlow;

/// <summary>Calls of TF Serving's gRPC services over a real connection.</summary>
internal sealed class GrpcCalls : IDisposable
{
    private readonly HttpClient _http;
    private readonly Uri _address;

    public GrpcCalls(TestServer server, string? token = null)
    {
        _address = server.Host.Address;
        _http = server.CreateClient(http2: true);
        if (token is not null) _http.DefaultRequestHeaders.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", token);
    }

    public async Task<TAnswer> CallAsync<TRequest, TAnswer>(string method, TRequest request, MessageParser<TAnswer> parser)
        where TRequest : IMessage<TRequest>
        where TAnswer : IMessage<TAnswer> =>
        await new GrpcChannel(_http, _address).UnaryAsync("/tensorflow.serving." + method, request, parser, new GrpcCallOptions { Timeout = TimeSpan.FromMinutes(2) });

    /// <summary>Sends bytes as they are.</summary>
    public Task<TAnswer> CallAsync<TAnswer>(string method, byte[] request, MessageParser<TAnswer> parser)
        where TAnswer : IMessage<TAnswer> => CallAsync(method, Empty.Parser.ParseFrom(request), parser); // what it does not know it keeps

    public async Task<(GrpcStatus, string)> RefusedAsync<TRequest>(string method, TRequest request)
        where TRequest : IMessage<TRequest>
    {
        GrpcException refusal = await Assert.ThrowsAsync<GrpcException>(() => CallAsync(method, request, Empty.Parser));
        return (refusal.Status, refusal.Detail);
    }

    public void Dispose() => _http.Dispose();
}
