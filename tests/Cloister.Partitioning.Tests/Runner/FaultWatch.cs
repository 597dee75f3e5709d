using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>A logger that tests wait on: what a pool says of its accelerators.</summary>
internal sealed class FaultWatch : ILogger
{
    public const int PeerRefused = 8003;
    public const int Failed = 8021;
    public const int Lied = 8022;

    private readonly ConcurrentDictionary<int, TaskCompletionSource<string>> _seen = new();

    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>The first line of an id, when it comes.</summary>
    public Task<string> FirstAsync(int id) => Of(id).Task.WaitAsync(RunningHost.Patience);

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        string line = formatter(state, exception);
        Lines.Enqueue(line);
        Of(eventId.Id).TrySetResult(line);
    }

    private TaskCompletionSource<string> Of(int id) => _seen.GetOrAdd(id, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
