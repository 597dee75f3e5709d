using System.Net.Sockets;

namespace Cloister.Partitioning.Runner.Wire;

/// <summary>A connected socket that carries frames. One reader and one writer at a time.</summary>
internal sealed class WireConnection(Socket socket, bool fromWorkload) : IDisposable
{
    private readonly byte[] _header = new byte[FrameHeader.Size];
    private long _in, _out;
    private volatile bool _brokenOff;

    /// <summary>The longest Run or Answer that is taken.</summary>
    public int MaximumTensorFrame { get; set; } = FrameHeader.MaximumTensorFrame;

    /// <summary>Bytes read so far.</summary>
    public long BytesIn => Interlocked.Read(ref _in);

    /// <summary>Bytes written so far.</summary>
    public long BytesOut => Interlocked.Read(ref _out);

    /// <summary>Whether a write ended within a frame: what would follow would be taken for the rest of it, so that nothing is written any more.</summary>
    public bool BrokenOff => _brokenOff;

    /// <summary>Reads the next header; null where the other side ended between frames.</summary>
    /// <exception cref="WireException">It ended within the header, or the header is refused.</exception>
    public async ValueTask<FrameHeader?> ReadHeaderAsync(CancellationToken cancellation)
    {
        int first = await ReceiveAsync(_header, cancellation);
        if (first == 0)
            return null;
        if (first < _header.Length)
            await ReadAsync(_header.AsMemory(first), cancellation);
        return FrameHeader.Read(_header, fromWorkload, MaximumTensorFrame);
    }

    /// <summary>Reads a header, which must come.</summary>
    /// <exception cref="WireException">As <see cref="ReadHeaderAsync"/>, and <see cref="AcceleratorFault.Disconnected"/>.</exception>
    public async ValueTask<FrameHeader> NextHeaderAsync(CancellationToken cancellation) =>
        await ReadHeaderAsync(cancellation) ?? throw new WireException(AcceleratorFault.Disconnected, "The other side closed the connection.");

    /// <summary>Fills the memory with what comes next.</summary>
    /// <exception cref="WireException"><see cref="AcceleratorFault.TornFrame"/>: the other side ended before.</exception>
    public async ValueTask ReadAsync(Memory<byte> bytes, CancellationToken cancellation)
    {
        while (!bytes.IsEmpty)
        {
            int read = await ReceiveAsync(bytes, cancellation);
            if (read == 0)
                throw new WireException(AcceleratorFault.TornFrame, "The other side closed the connection within a frame.");
            bytes = bytes[read..];
        }
    }

    /// <summary>Reads a payload.</summary>
    /// <exception cref="WireException">As <see cref="ReadAsync"/>.</exception>
    public async ValueTask<byte[]> ReadPayloadAsync(FrameHeader header, CancellationToken cancellation)
    {
        byte[] payload = new byte[header.Length];
        await ReadAsync(payload, cancellation);
        return payload;
    }

    /// <summary>Writes a frame.</summary>
    /// <exception cref="WireException"><see cref="AcceleratorFault.Disconnected"/>.</exception>
    public ValueTask WriteFrameAsync(FrameKind kind, ulong id, ReadOnlyMemory<byte> payload, CancellationToken cancellation)
    {
        byte[] frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(kind, id, payload.Length).Write(frame);
        payload.Span.CopyTo(frame.AsSpan(FrameHeader.Size));
        return WriteAsync(frame, cancellation);
    }

    /// <summary>Writes a frame, or bytes of one.</summary>
    /// <exception cref="WireException"><see cref="AcceleratorFault.Disconnected"/>.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        if (_brokenOff)
            throw new WireException(AcceleratorFault.Disconnected, "An earlier frame was not sent to its end.");
        _brokenOff = true;
        try
        {
            while (!bytes.IsEmpty)
            {
                int written = await socket.SendAsync(bytes, SocketFlags.None, cancellation);
                Interlocked.Add(ref _out, written);
                bytes = bytes[written..];
            }
            _brokenOff = false;
        }
        catch (SocketException broken)
        {
            throw new WireException(AcceleratorFault.Disconnected, $"The connection broke: {broken.Message}.", broken);
        }
    }

    public void Dispose() => socket.Dispose();

    private async ValueTask<int> ReceiveAsync(Memory<byte> bytes, CancellationToken cancellation)
    {
        try
        {
            int read = await socket.ReceiveAsync(bytes, SocketFlags.None, cancellation);
            Interlocked.Add(ref _in, read);
            return read;
        }
        catch (SocketException broken)
        {
            throw new WireException(AcceleratorFault.Disconnected, $"The connection broke: {broken.Message}.", broken);
        }
    }
}
