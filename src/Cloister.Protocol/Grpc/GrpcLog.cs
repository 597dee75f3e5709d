using Microsoft.Extensions.Logging;

namespace Cloister.Protocol.Grpc;

/// <summary>Ids 1200 to 1219.</summary>
internal static partial class GrpcLog
{
    [LoggerMessage(1200, LogLevel.Error, "gRPC call {Path} failed")]
    public static partial void HandlerFailed(this ILogger logger, string path, Exception error);
}
