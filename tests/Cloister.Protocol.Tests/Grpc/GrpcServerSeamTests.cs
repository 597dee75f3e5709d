using System.Buffers;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Grpc.Health;
using Cloister.Protocol.Grpc.Reflection;
using Cloister.Protocol.Marble;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Cloister.Protocol.Tests.Grpc;

/// <summary>The seam at which another gRPC server takes over: everything that is mapped goes through it, as methods of bytes.</summary>
public sealed class GrpcServerSeamTests
{
    [Fact]
    public async Task EveryMethodGoesThroughTheApplicationsServer()
    {
        var other = new OtherServer();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton<IGrpcServer>(other);
        await using WebApplication app = builder.Build();
        app.MapGrpcUnary<ChallengeReq, ChallengeResp>("/test.Echo/Unary", ChallengeReq.Parser, (_, request, _) => Task.FromResult(new ChallengeResp { Challenge = request.Nonce }));
        app.MapGrpcBidirectional<ChallengeReq, ChallengeResp>("/test.Echo/Both", ChallengeReq.Parser, (_, requests, _) => requests.Select(request => new ChallengeResp { Challenge = request.Nonce }));
        app.MapGrpcHealth(new GrpcHealthTable());
        app.MapGrpcReflection([]);
        Assert.Equal(
            ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/List", "/grpc.health.v1.Health/Watch", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "/test.Echo/Both", "/test.Echo/Unary"],
            other.Methods.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(GrpcMethodKind.ServerStreaming, other.Methods["/grpc.health.v1.Health/Watch"].Kind);

        var context = new GrpcCallContext(new DefaultHttpContext(), null);
        byte[] request = new ChallengeReq { Nonce = ByteString.CopyFromUtf8("hello") }.ToByteArray();
        var answer = new ArrayBufferWriter<byte>();
        await other.Methods["/test.Echo/Unary"].Unary!(context, new ReadOnlySequence<byte>(request), answer, CancellationToken.None);
        Assert.Equal("hello", ChallengeResp.Parser.ParseFrom(answer.WrittenSpan).Challenge.ToStringUtf8());

        var answers = new Answers();
        await other.Methods["/test.Echo/Both"].Stream!(context, new Requests([request, [], request]), answers, CancellationToken.None);
        Assert.Equal(["hello", "", "hello"], answers.Messages.Select(message => ChallengeResp.Parser.ParseFrom(message).Challenge.ToStringUtf8()));
    }

    private sealed class OtherServer : IGrpcServer
    {
        public Dictionary<string, GrpcMethod> Methods { get; } = [];

        public IEndpointConventionBuilder Map(IEndpointRouteBuilder endpoints, GrpcMethod method)
        {
            Methods.Add(method.Path, method);
            return endpoints.MapPost(method.Path, (RequestDelegate)(_ => Task.CompletedTask));
        }
    }

    private sealed class Requests(byte[][] messages) : GrpcMessageReader
    {
        private int _at = -1;

        public override ReadOnlySequence<byte> Current => new(messages[_at]);

        public override ValueTask<bool> MoveNextAsync(CancellationToken cancellation = default) => ValueTask.FromResult(++_at < messages.Length);
    }

    private sealed class Answers : GrpcMessageWriter
    {
        public List<byte[]> Messages { get; } = [];

        public override ValueTask WriteAsync<TState>(TState state, Action<TState, IBufferWriter<byte>> write, CancellationToken cancellation = default)
        {
            var message = new ArrayBufferWriter<byte>();
            write(state, message);
            Messages.Add(message.WrittenSpan.ToArray());
            return ValueTask.CompletedTask;
        }
    }
}
