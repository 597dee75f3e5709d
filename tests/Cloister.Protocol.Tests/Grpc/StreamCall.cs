using System.Net;
using System.Net.Http.Headers;
using System.Threading.Channels;
using Google.Protobuf;

namespace Cloister.Protocol.Tests.Grpc;

/// <summary>A streaming call made by hand: bytes are sent and messages received whenever a test says so.</summary>
internal sealed class StreamCall : IAsyncDisposable
{
    private readonly Channel<byte[]> _pieces = Channel.CreateUnbounded<byte[]>();
    private readonly CancellationTokenSource _end = new();
    private readonly HttpMessageInvoker _client;
    private readonly HttpRequestMessage _message;
    private readonly Task<HttpResponseMessage> _sent;
    private Stream? _body;
    private int _piecesTaken;

    /// <summary>Begins a call.</summary>
    /// <param name="client">Disposed with the call.</param>
    /// <param name="address">The server.</param>
    /// <param name="path">The method.</param>
    /// <param name="timeout">Its <c>grpc-timeout</c>.</param>
    public StreamCall(HttpMessageInvoker client, Uri address, string path, string? timeout = null)
    {
        _client = client;
        _message = new HttpRequestMessage(HttpMethod.Post, new Uri(address, path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new PieceContent(this),
        };
        _message.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc");
        _message.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        if (timeout is not null) _message.Headers.TryAddWithoutValidation("grpc-timeout", timeout);
        _sent = _client.SendAsync(_message, _end.Token);
    }

    /// <summary>How many pieces the connection took.</summary>
    public int PiecesTaken => Volatile.Read(ref _piecesTaken);

    public void Send(byte[] piece) => _pieces.Writer.TryWrite(piece);

    public void Send(IMessage message)
    {
        byte[] frame = new byte[5 + message.CalculateSize()];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), frame.Length - 5);
        message.WriteTo(frame.AsSpan(5));
        Send(frame);
    }

    public void Complete() => _pieces.Writer.TryComplete();

    /// <summary>Resets the stream of a call whose answer has begun.</summary>
    public async Task CancelAsync() => (await _sent).Dispose();

    /// <summary>The next message; null after the last.</summary>
    public async Task<byte[]?> ReceiveAsync()
    {
        _body ??= await (await _sent).Content.ReadAsStreamAsync(_end.Token);
        byte[] prefix = new byte[5];
        int read = await _body.ReadAtLeastAsync(prefix, 5, throwOnEndOfStream: false, _end.Token);
        if (read == 0) return null;
        Assert.Equal((5, 0), (read, prefix[0]));
        byte[] message = new byte[System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(prefix.AsSpan(1))];
        await _body.ReadExactlyAsync(message, _end.Token);
        return message;
    }

    /// <summary>Reads to the end and returns the status.</summary>
    public async Task<string?> StatusAsync()
    {
        while (await ReceiveAsync() is not null) { }
        HttpResponseMessage response = await _sent;
        return response.TrailingHeaders.TryGetValues("grpc-status", out IEnumerable<string>? values) ? values.Single() : null;
    }

    public async ValueTask DisposeAsync()
    {
        Complete();
        await _end.CancelAsync();
        if (_sent.IsCompletedSuccessfully) (await _sent).Dispose();
        _message.Dispose();
        _client.Dispose();
        _end.Dispose();
    }

    private sealed class PieceContent(StreamCall call) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, default);

        // The client resets a stream only when its content has ended, so this must end with the call.
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellation)
        {
            await stream.FlushAsync(cancellation);
            await foreach (byte[] piece in call._pieces.Reader.ReadAllAsync(cancellation))
            {
                await stream.WriteAsync(piece, cancellation);
                await stream.FlushAsync(cancellation);
                Interlocked.Increment(ref call._piecesTaken);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
