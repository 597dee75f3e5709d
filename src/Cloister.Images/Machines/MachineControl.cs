using System.Net.Sockets;
using System.Runtime.Versioning;
using Cloister.Images.Channel;

namespace Cloister.Images.Machines;

/// <summary>
/// The supervisor's door for other processes of its user: a socket that speaks the machine's own protocol, with the supervisor in the machine's
/// place. Windows reach from the caller's pipe to the program inside.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class MachineControl : IAsyncDisposable
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    private readonly ISupervised _machine;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Task> _callers = [];
    private readonly Task _accepting;

    public MachineControl(ISupervised machine, string path)
    {
        _machine = machine;
        _listener = SocketPath.Listen(path);
        _accepting = AcceptAsync();
    }

    /// <summary>Connects to a machine's supervisor; null while it does not listen yet.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.MachineNotRunning"/>.</exception>
    public static HostChannel? Connect(MachineFolder folder, IMachineListener listener)
    {
        MachineRecord record = folder.Read();
        if (record.State is MachineStates.Ended or MachineStates.Killed)
            throw NotRunning(folder, record);
        try
        {
            return new HostChannel(new NetworkStream(SocketPath.Connect(folder.Control), ownsSocket: true), listener);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task[] callers;
        lock (_lock)
            callers = [.. _callers];
        await Task.WhenAny(Task.WhenAll(callers), Task.Delay(Farewell)); // they hear of the machine's end
        await _closing.CancelAsync();
        _listener.Dispose();
        await _accepting;
        lock (_lock)
            callers = [.. _callers];
        await Task.WhenAll(callers);
        _closing.Dispose();
    }

    private static ImageException NotRunning(MachineFolder folder, MachineRecord record) =>
        new(ImageError.MachineNotRunning, $"The machine at '{folder.Path}' does not run: {record.State}{(record.Reason is { } reason ? ", " + reason : "")}.");

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                Socket caller = await _listener.AcceptAsync(_closing.Token);
                Task serving = ServeAsync(new NetworkStream(caller, ownsSocket: true));
                lock (_lock)
                    _callers.Add(serving);
                _ = serving.ContinueWith(Forget, TaskScheduler.Default);
            }
            catch (Exception closed) when (closed is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private void Forget(Task serving)
    {
        lock (_lock)
            _callers.Remove(serving);
    }

    private async Task ServeAsync(NetworkStream stream)
    {
        await using var channel = new GuestChannel(stream);
        using CancellationTokenRegistration closing = _closing.Token.Register(stream.Dispose);
        Task reading = channel.RunAsync(_closing.Token);
        Task[] work = [GreetAsync(channel), StopAsync(channel), ServeExecsAsync(channel)];
        try
        {
            await reading;
        }
        catch (Exception refused) when (refused is ImageException or OperationCanceledException)
        {
            await stream.DisposeAsync(); // whoever does not follow the protocol is not talked to
        }
        await Task.WhenAll(work);
    }

    private async Task GreetAsync(GuestChannel channel)
    {
        try
        {
            await channel.SendReadyAsync(await _machine.Ready, CancellationToken.None);
        }
        catch (ImageException)
        {
            return; // the machine ended before, or the caller left
        }
    }

    private async Task StopAsync(GuestChannel channel)
    {
        try
        {
            await channel.StopRequested;
            MachineEnd end = await _machine.StopAsync();
            await channel.SendStoppedAsync(new MachineStopped(end.Code, end.Reason), CancellationToken.None);
        }
        catch (ImageException)
        {
            return; // the caller left without asking
        }
    }

    private async Task ServeExecsAsync(GuestChannel channel)
    {
        var running = new List<Task>();
        await foreach (GuestExec asked in channel.Execs.ReadAllAsync(CancellationToken.None))
        {
            running.RemoveAll(task => task.IsCompleted);
            running.Add(RelayAsync(asked));
        }
        await Task.WhenAll(running);
    }

    private async Task RelayAsync(GuestExec asked)
    {
        ExecExit exit;
        try
        {
            HostExec program = await _machine.ExecAsync(asked.Request, CancellationToken.None);
            Task input = PassInputAsync(asked, program), signals = PassSignalsAsync(asked, program);
            while (await program.ReadAsync(CancellationToken.None) is var (from, bytes))
                await asked.WriteAsync(from, bytes, CancellationToken.None);
            exit = await program.Exit;
        }
        catch (ImageException refused)
        {
            exit = new ExecExit(null, refused.Message);
        }
        try
        {
            await asked.ExitAsync(exit, CancellationToken.None);
        }
        catch (ImageException)
        {
            return; // the caller left
        }
    }

    private static async Task PassInputAsync(GuestExec asked, HostExec program)
    {
        try
        {
            while (await asked.ReadInputAsync(CancellationToken.None) is { } bytes)
                await program.WriteInputAsync(bytes, CancellationToken.None);
            await program.EndInputAsync(CancellationToken.None);
        }
        catch (ImageException)
        {
            return; // the caller or the machine left; the relay learns it too
        }
    }

    private static async Task PassSignalsAsync(GuestExec asked, HostExec program)
    {
        try
        {
            await foreach (int signal in asked.Signals.ReadAllAsync(CancellationToken.None))
                await program.SignalAsync(signal, CancellationToken.None);
        }
        catch (ImageException)
        {
            return;
        }
    }
}
