using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Callers;

/// <summary>
/// Counts refused credentials and writes one line a second at most, so that guessing is seen and fills no disk. It slows nobody down: tokens
/// cannot be guessed, and behind one address there may be a proxy with everybody's requests.
/// </summary>
internal sealed class RefusalLog(TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private long _count, _said;
    private long? _at;

    public long Count => Interlocked.Read(ref _count);

    public void Add(HttpContext http, ServingException refusal)
    {
        long unsaid;
        lock (_lock)
        {
            _count++;
            if (_at is { } at && time.GetElapsedTime(at) < s_quiet) return;
            _at = time.GetTimestamp();
            unsaid = _count - 1 - _said;
            _said = _count;
        }
        logger.CredentialRefused(http.Connection.RemoteIpAddress, (int)refusal.Error, refusal.Message, unsaid);
    }
}
