using System.Net;
using System.Net.Sockets;
using Cloister.Images.Channel;

namespace Cloister.Tests;

/// <summary>Both sides of a channel, joined by a real connection.</summary>
internal sealed class ChannelPair : IMachineListener, IAsyncDisposable
{
    private readonly List<string> _heard = [];
    private readonly Task _guestRuns, _hostRuns;

    public ChannelPair()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var host = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        host.Connect(listener.LocalEndPoint!);
        Host = new HostChannel(new NetworkStream(host, ownsSocket: true), this);
        Guest = new GuestChannel(new NetworkStream(listener.Accept(), ownsSocket: true));
        _guestRuns = Guest.RunAsync(CancellationToken.None);
        _hostRuns = Host.RunAsync(CancellationToken.None);
    }

    public GuestChannel Guest { get; }

    public HostChannel Host { get; }

    public IReadOnlyList<string> Heard => _heard;

    public static async Task<ChannelPair> ReadyAsync()
    {
        var pair = new ChannelPair();
        await pair.Host.SendSettingsAsync(new MachineSettings(), CancellationToken.None);
        await pair.Guest.SendReadyAsync(new GuestReady(GuestReady.CurrentVersion, "test", [], false), CancellationToken.None);
        await pair.Host.Ready;
        await pair.Guest.Settings;
        return pair;
    }

    public void Happened(GuestEvent happened) => _heard.Add($"{happened.Name}: {happened.Message}");

    public void Wrote(ProgramStream from, ReadOnlyMemory<byte> bytes) => _heard.Add($"{from}: {System.Text.Encoding.UTF8.GetString(bytes.Span)}");

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Guest.DisposeAsync();
        await _hostRuns;
        await _guestRuns;
    }
}
