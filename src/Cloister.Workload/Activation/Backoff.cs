using System.Security.Cryptography;

namespace Cloister.Workload;

/// <summary>Waiting times that double up to a limit, each shortened by up to a quarter at random so that many workloads do not come back at once.</summary>
internal sealed class Backoff(TimeSpan first, TimeSpan limit)
{
    private TimeSpan _next = first;

    /// <summary>The next waiting time, within [3/4, 1] of the current step.</summary>
    public TimeSpan Next()
    {
        TimeSpan step = _next;
        _next = step * 2 < limit ? step * 2 : limit;
        return step * (1 - RandomNumberGenerator.GetInt32(0, 251) / 1000.0);
    }
}
