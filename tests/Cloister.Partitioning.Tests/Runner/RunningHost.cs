using Cloister.Partitioning.Runner;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>A real accelerator in this process.</summary>
internal sealed class RunningHost : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly DirectoryInfo? _folder;
    private Task _running = Task.CompletedTask;

    private RunningHost(DirectoryInfo? folder) => _folder = folder;

    public AcceleratorAddress Address { get; private set; } = null!;

    public static async Task<RunningHost> StartAsync(string transport = "unix", AcceleratorOptions? options = null, ILogger? logger = null)
    {
        DirectoryInfo? folder = transport is "tcp" or "tls" ? null : Directory.CreateTempSubdirectory("acc-");
        var host = new RunningHost(folder);
        await host.ListenAsync(AcceleratorAddress.Parse(folder is null ? transport + ":127.0.0.1:0" : $"{transport}:{folder.FullName}/a.sock"), options, logger ?? NullLogger.Instance);
        return host;
    }

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _running).WaitAsync(Patience);
        _end.Dispose();
        _folder?.Delete(recursive: true);
    }

    private async Task ListenAsync(AcceleratorAddress address, AcceleratorOptions? options, ILogger logger)
    {
        var listening = new TaskCompletionSource<AcceleratorAddress>();
        options ??= new AcceleratorOptions { Threads = 1, Level = Onnx.Runtime.GraphOptimization.Basic };
        _running = AcceleratorHost.RunAsync(address, options, logger, _end.Token, listening.SetResult);
        await Task.WhenAny(listening.Task, _running).WaitAsync(Patience);
        if (_running.IsCompleted) await _running;
        Address = await listening.Task;
    }
}
