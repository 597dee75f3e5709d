using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cloister.Partitioning.Runner;

namespace Cloister.Serving.Tests.Partitioned;

/// <summary>What stands in the way to an accelerator, and does with its answers what a hostile one would.</summary>
internal enum Interference
{
    None,
    Lie,
    NotNumbers,
    WrongShape,
    Stale,
    Swallow,
    Hang,
}

/// <summary>Stands between a workload and a real accelerator on TCP: keeps every byte that the workload sends, and changes answers (docs/formats/accelerator-wire.md).</summary>
internal sealed class AcceleratorProxy : IAsyncDisposable
{
    private const int Header = 16, InputDigest = 16, Ready = 7, Run = 10, Answer = 11;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly AcceleratorAddress _target;
    private readonly Task _accepting;
    private readonly List<Task> _connections = [];
    private readonly List<byte[]> _sent = [];
    private volatile Task _begin = Task.CompletedTask;
    private byte[]? _before;

    private AcceleratorProxy(AcceleratorAddress target)
    {
        _target = target;
        _listener.Start();
        Address = AcceleratorAddress.Parse($"tcp:127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    public AcceleratorAddress Address { get; }

    public Interference Interference { get; set; }

    /// <summary>Keeps from the workload that an accelerator is ready, until the task ends.</summary>
    public void HoldReady(Task until) => _begin = until;

    /// <summary>The frames that the workload sent, header and all.</summary>
    public IReadOnlyList<byte[]> Sent
    {
        get
        {
            lock (_sent) return [.. _sent];
        }
    }

    /// <summary>The elements of every run that the workload sent.</summary>
    public IReadOnlyList<float[]> Runs => [.. Sent.Where(frame => frame[4] == Run).Select(frame => MemoryMarshal.Cast<byte, float>(frame.AsSpan(Header + 4 + HeadsSize(frame.AsSpan(Header + 4)))).ToArray())];

    public static AcceleratorProxy Before(TestAccelerator accelerator) => new(accelerator.Address);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (Task connection in _connections) await connection.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true) _connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
    }

    private async Task ServeAsync(TcpClient workload)
    {
        using (workload)
        {
            using var accelerator = new TcpClient();
            await accelerator.ConnectAsync(_target.Place, _target.Port, _stop.Token);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            Task up = ForwardAsync(workload.GetStream(), accelerator.GetStream(), fromWorkload: true, either.Token), down = ForwardAsync(accelerator.GetStream(), workload.GetStream(), fromWorkload: false, either.Token);
            await Task.WhenAny(up, down);
            await either.CancelAsync();
            await Task.WhenAll(up, down);
        }
    }

    private async Task ForwardAsync(NetworkStream from, NetworkStream to, bool fromWorkload, CancellationToken cancellation)
    {
        byte[] header = new byte[Header];
        while (true)
        {
            await from.ReadExactlyAsync(header, cancellation);
            byte[] frame = [.. header, .. new byte[BinaryPrimitives.ReadUInt32LittleEndian(header)]];
            await from.ReadExactlyAsync(frame.AsMemory(Header), cancellation);
            if (fromWorkload)
            {
                lock (_sent) _sent.Add(frame);
            }
            else if (frame[4] == Answer && !Change(ref frame))
            {
                if (Interference == Interference.Hang) return;
                continue;
            }
            if (!fromWorkload && frame[4] == Ready) await _begin.WaitAsync(cancellation);
            await to.WriteAsync(frame, cancellation);
        }
    }

    // False where the answer does not arrive.
    private bool Change(ref byte[] frame)
    {
        Span<byte> heads = frame.AsSpan(Header + InputDigest);
        Span<float> values = MemoryMarshal.Cast<byte, float>(heads[HeadsSize(heads)..]);
        switch (Interference)
        {
            case Interference.Lie:
                values.Reverse();
                break;
            case Interference.NotNumbers:
                values[^1] = float.NaN;
                break;
            case Interference.WrongShape:
                frame = frame[..^4];
                BinaryPrimitives.WriteUInt32LittleEndian(frame, (uint)(frame.Length - Header));
                break;
            case Interference.Stale:
                // The answer before, under this one's number.
                byte[] stale = (_before ?? frame).ToArray();
                _before ??= frame;
                frame.AsSpan(8, 8).CopyTo(stale.AsSpan(8));
                frame = stale;
                break;
            case Interference.Swallow or Interference.Hang:
                return false;
        }
        return true;
    }

    private static int HeadsSize(ReadOnlySpan<byte> heads)
    {
        int at = 2;
        for (int tensor = BinaryPrimitives.ReadUInt16LittleEndian(heads); tensor > 0; tensor--) at += 2 + 8 * heads[at + 1];
        return at;
    }
}
