using Microsoft.AspNetCore.Http;

namespace Cloister.Protocol.Grpc;

/// <summary>The token of one served call: ends at its deadline, or when the caller is gone.</summary>
internal sealed class CallDeadline(GrpcServerOptions options) : IDisposable
{
    private CancellationTokenSource? _source;
    private CancellationTokenRegistration _gone;
    private CancellationToken _aborted;

    /// <summary>When the call ends, or null where nothing bounds it.</summary>
    public DateTimeOffset? At { get; private set; }

    public CancellationToken Token { get; private set; }

    public bool Passed => _source?.IsCancellationRequested == true && !_aborted.IsCancellationRequested;

    public void Start(HttpContext http)
    {
        _aborted = http.RequestAborted;
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
            _source = new CancellationTokenSource(time, options.Clock);
            _gone = _aborted.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
        }
        Token = _source?.Token ?? _aborted;
    }

    public void Dispose()
    {
        _gone.Dispose(); // waits for a running callback, so that the source is not disposed under it
        _source?.Dispose();
    }
}
