using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;

namespace Cloister.Partitioning.Runner.Wire;

/// <summary>A connected socket that carries frames, in clear or by TLS. One reader and one writer at a time.</summary>
internal sealed class WireConnection(Socket socket, bool fromWorkload) : IDisposable
{
    private const int RecordBytes = 1 << 14; // RFC 8446, 5.1

    private readonly byte[] _header = new byte[FrameHeader.Size];
    private long _in, _out, _recordsIn, _recordsOut;
    private SslStream? _tls;
    private volatile bool _brokenOff;

    /// <summary>The longest Run or Answer that is taken.</summary>
    public int MaximumTensorFrame { get; set; } = FrameHeader.MaximumTensorFrame;

    /// <summary>Bytes read so far.</summary>
    public long BytesIn => Interlocked.Read(ref _in);

    /// <summary>Bytes written so far.</summary>
    public long BytesOut => Interlocked.Read(ref _out);

    /// <summary>TLS records that went one way under one key, or a few more; 0 in clear.</summary>
    public long Records => Math.Max(Interlocked.Read(ref _recordsIn), Interlocked.Read(ref _recordsOut));

    /// <summary>Whether a write ended within a frame: what would follow would be taken for the rest of it, so that nothing is written any more.</summary>
    public bool BrokenOff => _brokenOff;

    /// <summary>Speaks TLS from here on, as a workload; before the first frame.</summary>
    /// <exception cref="WireException"><see cref="AcceleratorFault.OtherKey"/> or <see cref="AcceleratorFault.NoTls"/>.</exception>
    public async ValueTask SecureAsync(AcceleratorAddress address, CancellationToken cancellation)
    {
        string? seen = null;
        try
        {
            await SecureAsync(tls => tls.AuthenticateAsClientAsync(LinkTls.ForWorkload(address, other => seen = other), cancellation));
        }
        catch (WireException) when (seen is not null)
        {
            throw new WireException(AcceleratorFault.OtherKey,
                $"Who listens there has the TLS key sha256:{seen}, which is not the one that its address names. If the accelerator was given a new key, take the address from its own machine; else somebody stands in between.");
        }
    }

    /// <summary>Speaks TLS from here on, as an accelerator; before the first frame.</summary>
    /// <exception cref="WireException"><see cref="AcceleratorFault.NoTls"/>.</exception>
    public ValueTask SecureAsync(SslServerAuthenticationOptions options, CancellationToken cancellation) =>
        SecureAsync(tls => tls.AuthenticateAsServerAsync(options, cancellation));

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
            if (_tls is not null)
            {
                await _tls.WriteAsync(bytes, cancellation);
                Interlocked.Add(ref _out, bytes.Length);
                Interlocked.Add(ref _recordsOut, (bytes.Length + RecordBytes - 1) / RecordBytes);
                bytes = default;
            }
            while (!bytes.IsEmpty)
            {
                int written = await socket.SendAsync(bytes, SocketFlags.None, cancellation);
                Interlocked.Add(ref _out, written);
                bytes = bytes[written..];
            }
            _brokenOff = false;
        }
        catch (Exception broken) when (broken is SocketException or IOException)
        {
            throw new WireException(AcceleratorFault.Disconnected, $"The connection broke: {broken.Message}.", broken);
        }
    }

    public void Dispose()
    {
        _tls?.Dispose();
        socket.Dispose();
    }

    private async ValueTask SecureAsync(Func<SslStream, Task> handshake)
    {
        _tls = new SslStream(new NetworkStream(socket, ownsSocket: false));
        try
        {
            await handshake(_tls);
        }
        catch (Exception refused) when (refused is AuthenticationException or IOException or NotSupportedException or CryptographicException)
        {
            throw new WireException(AcceleratorFault.NoTls,
                $"TLS 1.3 could not be agreed on ({(refused.InnerException ?? refused).Message}). Both sides must say tls: and neither tcp:, and both systems must have TLS 1.3.", refused);
        }
    }

    private async ValueTask<int> ReceiveAsync(Memory<byte> bytes, CancellationToken cancellation)
    {
        try
        {
            int read = await (_tls is null ? socket.ReceiveAsync(bytes, SocketFlags.None, cancellation) : _tls.ReadAsync(bytes, cancellation));
            if (_tls is not null) Interlocked.Increment(ref _recordsIn); // a read gives of one record at most
            Interlocked.Add(ref _in, read);
            return read;
        }
        catch (Exception broken) when (broken is SocketException or IOException)
        {
            throw new WireException(AcceleratorFault.Disconnected, $"The connection broke: {broken.Message}.", broken);
        }
    }
}
