using System.Collections.Concurrent;
using System.Net.Sockets;
using Cloister.Platform.Simulation;
using Microsoft.Extensions.Logging;

namespace Cloister.Tests;

/// <summary>A simulator on a socket of its own, ended with the test.</summary>
internal sealed class RunningSimulator : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TemporaryFolder _folder = new();
    private readonly LineLogger _log = new();
    private readonly Task _running;

    private RunningSimulator(TimeProvider time, int maximumConnections)
    {
        Server = new SimulatorServer(new SimulatorOptions { SocketPath = SocketPath, HostKeyFolder = HostKeyFolder, TimeProvider = time, MaximumConnections = maximumConnections }, _log);
        _running = Server.RunAsync(_stop.Token);
    }

    public SimulatorServer Server { get; }

    public string SocketPath => _folder["s"];

    public string HostKeyFolder => _folder["key"];

    public IReadOnlyCollection<string> Lines => _log.Lines;

    public byte[] HostKey => Convert.FromBase64String(File.ReadAllText(Path.Combine(HostKeyFolder, SimulatorHostKey.PublicFileName)));

    public static async Task<RunningSimulator> StartAsync(TimeProvider? time = null, int maximumConnections = 4)
    {
        var simulator = new RunningSimulator(time ?? TimeProvider.System, maximumConnections);
        await simulator.Server.Listening;
        return simulator;
    }

    public async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath));
        return socket;
    }

    public async ValueTask StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
        _folder.Dispose();
    }

    private sealed class LineLogger : ILogger
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IReadOnlyCollection<string> Lines => _lines;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue($"{eventId.Id} {formatter(state, exception)} {exception}");
    }
}
