namespace Cloister.Cli.CommandLine;

/// <summary>Waits for Ctrl+C or SIGTERM.</summary>
internal static class Stop
{
    public static async Task WaitAsync(CancellationToken cancellation)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration registration = cancellation.Register(() => stopped.TrySetResult());
        await stopped.Task;
    }
}
