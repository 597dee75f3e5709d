using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;

namespace Cloister.Protocol.Grpc;

/// <summary>Options of one call.</summary>
public sealed record GrpcCallOptions
{
    /// <summary>How long to wait for the answer; the server is told. Null waits until cancelled.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Largest response message in bytes, before and after inflating.</summary>
    public int MaxResponseBytes { get; init; } = 64 << 20;
}

/// <summary>
/// Calls unary gRPC methods of one server over HTTP/2. An <c>https</c> address uses TLS as the invoker's handler is set up;
/// an <c>http</c> address speaks HTTP/2 without TLS from the first byte.
/// </summary>
public sealed class GrpcChannel
{
    private readonly HttpMessageInvoker _http;
    private readonly Uri _address;
    private readonly TimeProvider _clock;

    /// <summary>A channel over an invoker that the caller owns; many channels and calls may share it.</summary>
    /// <param name="http">Usually over a <see cref="SocketsHttpHandler"/>, whose TLS options decide whom to trust.</param>
    /// <param name="address">Scheme, host and port.</param>
    /// <param name="clock">The clock of timeouts; null for the system's.</param>
    public GrpcChannel(HttpMessageInvoker http, Uri address, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https")) throw new ArgumentException("The address is an absolute http or https URI.", nameof(address));
        _http = http;
        _address = address;
        _clock = clock ?? TimeProvider.System;
    }

    /// <summary>Calls a method and returns its answer.</summary>
    /// <param name="path">The method's path: <c>/package.Service/Method</c>.</param>
    /// <param name="request">The message to send.</param>
    /// <param name="parser">Parser of the answer.</param>
    /// <param name="options">Bounds; null for the defaults.</param>
    /// <param name="cancellation">Ends the call; then <see cref="OperationCanceledException"/> is thrown.</param>
    /// <exception cref="GrpcException">The call did not succeed: the server's status, or the connection's as gRPC maps it.</exception>
    public async Task<TResponse> UnaryAsync<TRequest, TResponse>(
        string path, TRequest request, MessageParser<TResponse> parser, GrpcCallOptions? options = null, CancellationToken cancellation = default)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse>
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new GrpcCallOptions();
        using var timer = options.Timeout is { } time ? new CancellationTokenSource(time < TimeSpan.Zero ? TimeSpan.Zero : time, _clock) : null;
        using CancellationTokenSource? linked = timer is null ? null : CancellationTokenSource.CreateLinkedTokenSource(cancellation, timer.Token);
        CancellationToken token = linked?.Token ?? cancellation;
        try
        {
            using HttpRequestMessage message = Compose(path, request, options.Timeout);
            using HttpResponseMessage response = await _http.SendAsync(message, token);
            return await GrpcAnswer.ReadAsync(response, parser, options.MaxResponseBytes, token);
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new GrpcException(GrpcStatus.Internal, $"The answer is not a message of {path}.", inner: error);
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            GrpcStatus status = timer?.IsCancellationRequested == true ? GrpcStatus.DeadlineExceeded : GrpcStatus.Cancelled;
            throw new GrpcException(status, status == GrpcStatus.DeadlineExceeded ? "No answer before the deadline." : "The connection ended the call.", inner: error);
        }
        catch (HttpIOException error)
        {
            throw new GrpcException(GrpcAnswer.StatusOf(error), $"The connection failed during the call: {error.Message}", inner: error);
        }
        catch (HttpRequestException error)
        {
            throw new GrpcException(GrpcAnswer.StatusOf(error.InnerException), $"The server at {_address.Authority} did not answer: {error.Message}", inner: error);
        }
    }

    private HttpRequestMessage Compose(string path, IMessage request, TimeSpan? timeout)
    {
        var frame = new ArrayBufferWriter<byte>(GrpcFrame.PrefixBytes + request.CalculateSize());
        GrpcFrame.Write(frame, request);
        var message = new HttpRequestMessage(HttpMethod.Post, new Uri(_address, path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ReadOnlyMemoryContent(frame.WrittenMemory),
        };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue(GrpcHeaders.ContentType);
        message.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        message.Headers.Add(GrpcHeaders.AcceptEncoding, GrpcEncodings.Accepted);
        if (timeout is { } time) message.Headers.Add(GrpcHeaders.Timeout, GrpcHeaders.WriteTimeout(time));
        return message;
    }
}
