using System.Net;
using System.Net.Sockets;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Cloister.Partitioning.Runner.Wire;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>An accelerator that does what a test says, over a real socket. Its model is <see cref="TinyModels.Twice"/>.</summary>
internal sealed class ScriptedAccelerator : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _end = new();
    private readonly DirectoryInfo? _folder;
    private readonly Task _running;
    private int _connections;

    /// <param name="script">What it does with each connection, by its number from 0.</param>
    /// <param name="shared">Whether it listens for shared memory, instead of on TCP.</param>
    public ScriptedAccelerator(Func<Peer, int, Task> script, bool shared = false)
    {
        if (shared)
        {
            _folder = Directory.CreateTempSubdirectory("acc-");
            _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            _listener.Bind(new UnixDomainSocketEndPoint(_folder.FullName + "/a.sock"));
            Address = AcceleratorAddress.Parse($"shm:{_folder.FullName}/a.sock");
        }
        else
        {
            _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            Address = AcceleratorAddress.Parse($"tcp:127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}");
        }
        _listener.Listen();
        _running = AcceptAsync(script);
    }

    public AcceleratorAddress Address { get; }

    public int Connections => Volatile.Read(ref _connections);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running.WaitAsync(RunningHost.Patience);
        _listener.Dispose();
        _end.Dispose();
        _folder?.Delete(recursive: true);
    }

    private async Task AcceptAsync(Func<Peer, int, Task> script)
    {
        var peers = new List<Task>();
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptAsync(_end.Token);
                peers.Add(PlayAsync(script, socket, Interlocked.Increment(ref _connections) - 1));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(peers);
        }
    }

    private async Task PlayAsync(Func<Peer, int, Task> script, Socket socket, int number)
    {
        using var peer = new Peer(socket, _end.Token);
        try
        {
            await script(peer, number);
        }
        catch (Exception ended) when (ended is WireException or OperationCanceledException)
        {
            // The pool closed the connection, or the test is over.
        }
    }

    /// <summary>A run as it came.</summary>
    public sealed record Run(ulong Id, byte[] Described, byte[] Elements, int? Slot)
    {
        public float[] Values => [.. System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(Elements)];

        public long[] Shape => TensorHeads.Read(Described, out _)[0].Shape;
    }

    /// <summary>The other end of a connection.</summary>
    public sealed class Peer(Socket socket, CancellationToken end) : IDisposable
    {
        public WireConnection Wire { get; } = new(socket, fromWorkload: true);

        public CancellationToken End => end;

        public SharedSlots? Slots { get; private set; }

        /// <summary>Everything until the first run, as an honest accelerator does it.</summary>
        public async Task GreetAsync(ModelFace? face = null)
        {
            await WelcomeAsync();
            await ExpectAsync(FrameKind.Offer);
            await SendAsync(FrameKind.Have, 0);
            await SendAsync(FrameKind.Ready, 0, (face ?? new ModelFace([new("x", TensorElementType.Float, [-1, 4])], [new("y", TensorElementType.Float, [-1, 4])])).Write());
        }

        public async Task WelcomeAsync()
        {
            await ExpectAsync(FrameKind.Hello);
            await SendAsync(FrameKind.Welcome, 0, new Greeting(8, 1 << 20, 1 << 20).Welcome());
        }

        public async Task MapAsync()
        {
            Slots = SharedSlots.Open(MemoryOffer.Read(await ExpectAsync(FrameKind.Memory)));
            await SendAsync(FrameKind.Mapped, 0);
        }

        public async Task<Run> RunAsync()
        {
            FrameHeader header = await NextAsync();
            Assert.Equal(FrameKind.Run, header.Kind);
            byte[] payload = await Wire.ReadPayloadAsync(header, end);
            TensorHeads.Read(payload.AsSpan(TensorHeads.SlotSize), out int size);
            uint slot = BitConverter.ToUInt32(payload);
            byte[] described = payload[TensorHeads.SlotSize..][..size], elements = payload[(TensorHeads.SlotSize + size)..];
            if (slot != TensorHeads.Inline)
                elements = Slots!.Inputs((int)slot)[..(int)TensorHeads.Read(described, out _).Sum(head => head.Bytes)].ToArray();
            return new Run(header.Id, described, elements, slot == TensorHeads.Inline ? null : (int)slot);
        }

        /// <summary>The right answer, or one with something of it exchanged.</summary>
        public Task AnswerAsync(Run run, ulong? id = null, byte[]? digest = null, TensorHead[]? heads = null, float[]? values = null) =>
            SendAsync(FrameKind.Answer, id ?? run.Id, Answer(run, digest, heads, values));

        public byte[] Answer(Run run, byte[]? digest = null, TensorHead[]? heads = null, float[]? values = null)
        {
            heads ??= [new TensorHead(TensorElementType.Float, run.Shape)];
            values ??= [.. run.Values.Select(value => value + value)];
            byte[] described = new byte[TensorHeads.Size(heads)];
            TensorHeads.Write(heads, described);
            byte[] elements = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values).ToArray();
            if (run.Slot is { } slot)
            {
                elements.CopyTo(Slots!.Outputs(slot));
                elements = [];
            }
            return [.. digest ?? Digest(run), .. described, .. elements];
        }

        public Task SendAsync(FrameKind kind, ulong id, byte[]? payload = null) => Wire.WriteFrameAsync(kind, id, payload, end).AsTask();

        public Task SendRawAsync(byte[] bytes) => Wire.WriteAsync(bytes, end).AsTask();

        /// <summary>The next frame that is no ping; pings are answered.</summary>
        public async Task<FrameHeader> NextAsync()
        {
            while (true)
            {
                FrameHeader header = await Wire.NextHeaderAsync(end);
                if (header.Kind != FrameKind.Ping) return header;
                await SendAsync(FrameKind.Pong, header.Id);
            }
        }

        /// <summary>Waits until the pool closes the connection.</summary>
        public Task ClosedAsync() => NextAsync();

        public void Dispose()
        {
            Wire.Dispose();
            Slots?.Dispose();
        }

        public static byte[] Digest(Run run)
        {
            var digest = new InputDigest();
            digest.Append(run.Described);
            digest.Append(run.Elements);
            byte[] bytes = new byte[InputDigest.Size];
            digest.Finish(bytes);
            return bytes;
        }

        private async Task<byte[]> ExpectAsync(FrameKind kind)
        {
            FrameHeader header = await Wire.NextHeaderAsync(end);
            Assert.Equal(kind, header.Kind);
            return await Wire.ReadPayloadAsync(header, end);
        }
    }
}
