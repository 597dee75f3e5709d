using Microsoft.AspNetCore.Http;

namespace Cloister.Protocol.Grpc;

/// <summary>The token of one served call: ends at its deadline, or when the caller is gone.</summary>
internal sealed class CallDeadline(GrpcServerOptions options) : IDisposable
{
    private CancellationTokenSource? _timer;
    private CancellationTokenSource? _linked;

    /// <summary>When the call ends, or null where nothing bounds it.</summary>
    public DateTimeOffset? At { get; private set; }

    public CancellationToken Token { get; private set; }

    public bool Passed => _timer?.IsCancellationRequested == true;

    public void Start(HttpContext http)
    {
        TimeSpan? left = options.MaxDuration;
        string? asked = http.Request.Headers[GrpcHeaders.Timeout];
        if (asked is not null)
        {
            if (!GrpcHeaders.TryReadTimeout(asked, out TimeSpan timeout))
                throw new GrpcException(GrpcStatus.Internal, "grpc-timeout is malformed: 1 to 8 digits and one of H M S m u n.");
            left = left is { } bound && bound < timeout ? bound : timeout;
        }
        if (left is { } time)
        {
            At = options.Clock.GetUtcNow() + time;
            _timer = new CancellationTokenSource(time, options.Clock);
            _linked = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, _timer.Token);
        }
        Token = _linked?.Token ?? http.RequestAborted;
    }

    public void Dispose()
    {
        _linked?.Dispose();
        _timer?.Dispose();
    }
}
