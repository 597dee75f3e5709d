using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Cloister.Protocol.Grpc;

/// <summary>Serves one streaming method.</summary>
internal sealed class GrpcStreamCall(GrpcMethod method) : GrpcCall(method)
{
    protected override async Task RunAsync(GrpcCallContext context, CallDeadline deadline, string? encoding)
    {
        HttpContext http = context.Http;
        var responses = new PipeMessageWriter(http.Response.BodyWriter, encoding, context);
        if (Method.Kind == GrpcMethodKind.ServerStreaming)
        {
            using SingleMessage request = await SingleMessage.ReadAsync(http.Request, Method.Options, deadline.Token);
            await Method.Stream!(context, new OneMessageReader(request.Message), responses, deadline.Token);
        }
        else
        {
            // A caller may be silent between two messages for as long as the call may take.
            if (http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = null;
            using var requests = new PipeMessageReader(http.Request, Method.Options);
            await Method.Stream!(context, requests, responses, deadline.Token);
        }
        RequireSuccess(context, deadline);
    }

    private sealed class OneMessageReader(ReadOnlySequence<byte> message) : GrpcMessageReader
    {
        private bool _read;

        public override ReadOnlySequence<byte> Current => message;

        public override ValueTask<bool> MoveNextAsync(CancellationToken cancellation = default)
        {
            bool first = !_read;
            _read = true;
            return ValueTask.FromResult(first);
        }
    }
}
