using Cloister.Partitioning.Runner;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Serving.Tests.Partitioned;

/// <summary>An accelerator in this process, on a Unix socket or on TCP.</summary>
internal sealed class TestAccelerator : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly string? _folder;
    private readonly Task _running;

    private TestAccelerator(AcceleratorAddress address, string? folder, TaskCompletionSource<AcceleratorAddress> listening)
    {
        _folder = folder;
        _running = AcceleratorHost.RunAsync(address, new AcceleratorOptions { Threads = 1 }, NullLogger.Instance, _stop.Token, listening.SetResult);
    }

    public AcceleratorAddress Address { get; private set; } = null!;

    public static Task<TestAccelerator> StartAsync(bool tcp = false)
    {
        string? folder = tcp ? null : Directory.CreateTempSubdirectory("cloister-acc-").FullName;
        return StartAsync(AcceleratorAddress.Parse(tcp ? "tcp:127.0.0.1:0" : $"unix:{folder}/a.sock"), folder);
    }

    public static async Task<TestAccelerator> StartAsync(AcceleratorAddress address, string? folder = null)
    {
        var listening = new TaskCompletionSource<AcceleratorAddress>(TaskCreationOptions.RunContinuationsAsynchronously);
        var accelerator = new TestAccelerator(address, folder, listening);
        await Task.WhenAny(listening.Task, accelerator._running);
        accelerator.Address = await listening.Task.WaitAsync(TimeSpan.FromMinutes(1));
        return accelerator;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        if (_folder is not null) Directory.Delete(_folder, recursive: true);
    }
}
