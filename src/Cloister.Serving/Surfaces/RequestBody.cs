using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Cloister.Serving.Surfaces;

/// <summary>A whole request body in one pooled array, cleared when it goes back.</summary>
internal sealed class RequestBody : IDisposable
{
    private byte[] _bytes;

    private RequestBody(byte[] bytes, int length)
    {
        _bytes = bytes;
        Length = length;
    }

    public int Length { get; }

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    /// <summary>Refuses a body that announces more than a limit, before it is read; whoever reads it holds it to the limit.</summary>
    /// <returns>The limit, as much of it as fits one array.</returns>
    /// <exception cref="ServingException"><see cref="ServingError.TooLarge"/>.</exception>
    public static int Demand(HttpContext http, long limit)
    {
        int most = (int)Math.Min(limit, Array.MaxLength);
        // The limit is kept here: Kestrel's own would break the connection off while a client still sends, and the answer would be lost.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        return http.Request.ContentLength > most ? throw TooLarge(most) : most;
    }

    /// <summary>Reads the body, inflating it where it was sent with gzip or deflate.</summary>
    /// <param name="http">The request.</param>
    /// <param name="limit">The most bytes, inflated.</param>
    /// <exception cref="ServingException"><see cref="ServingError.TooLarge"/>, <see cref="ServingError.UnsupportedEncoding"/> or <see cref="ServingError.MalformedJson"/>.</exception>
    /// <exception cref="BadHttpRequestException">The client was too slow, or sent less than it said.</exception>
    public static async ValueTask<RequestBody> ReadAsync(HttpContext http, long limit)
    {
        int most = Demand(http, limit);
        return http.Request.Headers[HeaderNames.ContentEncoding] switch
        {
            { Count: 0 } => await ReadPlainAsync(http.Request.BodyReader, (int)(http.Request.ContentLength ?? 0), most, http.RequestAborted),
            { Count: 1 } one when string.Equals(one[0], "identity", StringComparison.OrdinalIgnoreCase) => await ReadPlainAsync(http.Request.BodyReader, 0, most, http.RequestAborted),
            { Count: 1 } one when string.Equals(one[0], "gzip", StringComparison.OrdinalIgnoreCase) =>
                await InflateAsync(new GZipStream(http.Request.Body, CompressionMode.Decompress, leaveOpen: true), "gzip", most, http.RequestAborted),
            // RFC 9110 section 8.4.1.2: "deflate" is the zlib format around it.
            { Count: 1 } one when string.Equals(one[0], "deflate", StringComparison.OrdinalIgnoreCase) =>
                await InflateAsync(new ZLibStream(http.Request.Body, CompressionMode.Decompress, leaveOpen: true), "deflate", most, http.RequestAborted),
            var other => throw new ServingException(ServingError.UnsupportedEncoding, $"Content-Encoding '{other}' is not read here; send gzip, deflate or none."),
        };
    }

    public void Dispose()
    {
        GiveBack(_bytes, Length);
        _bytes = [];
    }

    private static async ValueTask<RequestBody> ReadPlainAsync(PipeReader reader, int expected, int most, CancellationToken cancellation)
    {
        var body = new Growing(expected, most);
        try
        {
            while (true)
            {
                ReadResult read = await reader.ReadAsync(cancellation);
                foreach (ReadOnlyMemory<byte> part in read.Buffer) body.Append(part.Span);
                reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted) return body.ToBody();
            }
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    private static async ValueTask<RequestBody> InflateAsync(Stream inflated, string encoding, int most, CancellationToken cancellation)
    {
        var body = new Growing(64 << 10, most);
        byte[] part = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            int read;
            while ((read = await inflated.ReadAsync(part, cancellation)) > 0) body.Append(part.AsSpan(0, read));
            return body.ToBody();
        }
        catch (InvalidDataException damaged)
        {
            body.Dispose();
            throw new ServingException(ServingError.MalformedJson, $"The body was announced as {encoding} but does not inflate.", damaged);
        }
        catch
        {
            body.Dispose();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(part, clearArray: true);
            await inflated.DisposeAsync();
        }
    }

    // Only what was written needs to be cleared.
    private static void GiveBack(byte[] bytes, int used)
    {
        if (bytes.Length == 0) return;
        bytes.AsSpan(0, used).Clear();
        ArrayPool<byte>.Shared.Return(bytes);
    }

    private static ServingException TooLarge(int most) =>
        new(ServingError.TooLarge, $"The body is larger than the {most} bytes that this model takes; send fewer instances at once.");

    /// <param name="expected">The length that was announced. It is not worth much memory before a part of it is here.</param>
    /// <param name="most">The most bytes.</param>
    private sealed class Growing(int expected, int most) : IDisposable
    {
        private const int Unproven = 64 << 10, Believed = 32;

        private byte[] _bytes = ArrayPool<byte>.Shared.Rent(Math.Clamp(expected, 256, Unproven));
        private int _length;

        public void Append(ReadOnlySpan<byte> part)
        {
            if (part.Length > most - _length) throw TooLarge(most);
            if (part.Length > _bytes.Length - _length) Grow(part.Length);
            part.CopyTo(_bytes.AsSpan(_length));
            _length += part.Length;
        }

        public RequestBody ToBody()
        {
            var body = new RequestBody(_bytes, _length);
            _bytes = [];
            return body;
        }

        public void Dispose()
        {
            GiveBack(_bytes, _length);
            _bytes = [];
        }

        private void Grow(int more)
        {
            long believed = Math.Min(expected, (long)Believed * _length);
            byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, Math.Max(Math.Max(_length + (long)more, believed), 2L * _bytes.Length)));
            _bytes.AsSpan(0, _length).CopyTo(larger);
            GiveBack(_bytes, _length);
            _bytes = larger;
        }
    }
}
