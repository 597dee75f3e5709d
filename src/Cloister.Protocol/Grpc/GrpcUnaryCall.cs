using Microsoft.AspNetCore.Http;

namespace Cloister.Protocol.Grpc;

/// <summary>Serves one unary method.</summary>
internal sealed class GrpcUnaryCall(GrpcMethod method) : GrpcCall(method)
{
    protected override async Task RunAsync(GrpcCallContext context, CallDeadline deadline, string? encoding)
    {
        HttpContext http = context.Http;
        using MessageBuffer answer = MessageBuffer.WithPrefix();
        using (SingleMessage request = await SingleMessage.ReadAsync(http.Request, Method.Options, deadline.Token))
            await Method.Unary!(context, request.Message, answer, deadline.Token);
        RequireSuccess(context, deadline);
        GrpcEncodings.Send(http.Response.BodyWriter, answer, context.Uncompressed ? null : encoding);
    }
}
