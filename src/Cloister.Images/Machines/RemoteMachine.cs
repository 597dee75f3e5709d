using System.Runtime.Versioning;
using Cloister.Images.Channel;

namespace Cloister.Images.Machines;

/// <summary>A machine that another process of this user supervises.</summary>
[SupportedOSPlatform("linux")]
public sealed class RemoteMachine : IAsyncDisposable
{
    private readonly HostChannel _channel;
    private readonly Task _reading;

    private RemoteMachine(HostChannel channel)
    {
        _channel = channel;
        _reading = ReadAsync();
    }

    /// <summary>Reaches the supervisor of the machine in <paramref name="folder"/>.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.MachineNotRunning"/>, <see cref="ImageError.MachineFolderInvalid"/>.</exception>
    public static async Task<RemoteMachine> ConnectAsync(MachineFolder folder, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(folder);
        HostChannel? channel;
        while ((channel = MachineControl.Connect(folder, new Silent())) is null)
            await Task.Delay(100, cancellation); // it is being prepared
        var machine = new RemoteMachine(channel);
        await machine._channel.SendSettingsAsync(new MachineSettings(), cancellation);
        return machine;
    }

    /// <summary>Starts a program inside, when the machine is ready.</summary>
    /// <exception cref="ImageException">The machine or its supervisor ended.</exception>
    public async Task<HostExec> ExecAsync(ExecRequest request, CancellationToken cancellation)
    {
        await _channel.Ready.WaitAsync(cancellation);
        return await _channel.StartAsync(request, cancellation);
    }

    /// <summary>Asks the machine to end, and waits until it did.</summary>
    /// <exception cref="ImageException">The supervisor was killed; the machine ended with it.</exception>
    public async Task<MachineStopped> StopAsync(CancellationToken cancellation)
    {
        await _channel.SendStopAsync(new MachineStop(0), cancellation);
        return await _channel.Stopped.WaitAsync(cancellation);
    }

    /// <summary>Leaves; programs that this process asked for and that still run are killed.</summary>
    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _reading;
    }

    private async Task ReadAsync()
    {
        try
        {
            await _channel.RunAsync(CancellationToken.None);
        }
        catch (ImageException)
        {
            return; // whoever waits for something hears of it
        }
    }

    private sealed class Silent : IMachineListener
    {
        public void Happened(GuestEvent happened)
        {
        }

        public void Wrote(ProgramStream from, ReadOnlyMemory<byte> bytes)
        {
        }
    }
}
