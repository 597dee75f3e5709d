using System.Text;

namespace Cloister.Client;

/// <summary>One GET over a connection that stays usable afterwards, for a peer that is not yet verified.</summary>
internal static class ConnectionExchange
{
    /// <summary>Asks and reads exactly one answer.</summary>
    /// <param name="connection">A TLS connection that speaks HTTP/1.1 and has nothing under way.</param>
    /// <param name="authority">Host and port for the <c>Host</c> header.</param>
    /// <param name="pathAndQuery">What to ask for.</param>
    /// <param name="maxBytes">Bound of the body.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="ClientException">The answer is malformed, too large, followed by stray bytes, or the connection ended.</exception>
    public static async Task<HttpAnswer> GetAsync(Stream connection, string authority, string pathAndQuery, int maxBytes, CancellationToken cancellation)
    {
        await connection.WriteAsync(Encoding.ASCII.GetBytes($"GET {pathAndQuery} HTTP/1.1\r\nHost: {authority}\r\nAccept: application/json\r\n\r\n"), cancellation);
        await connection.FlushAsync(cancellation);

        byte[] head = new byte[ResponseHead.MaxBytes];
        int filled = 0, end;
        while ((end = head.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (filled == head.Length)
                throw ResponseHead.Malformed($"its head is longer than {head.Length} bytes");
            filled += await ReadSomeAsync(connection, head.AsMemory(filled), cancellation);
        }
        int bodyAt = end + 4;
        ResponseHead parsed = ResponseHead.Parse(head.AsSpan(0, bodyAt));
        if (parsed.ContentLength > maxBytes)
            throw new ClientException(ClientError.AnswerTooLarge, $"The answer of {parsed.ContentLength} bytes is larger than {maxBytes} bytes.");
        if (!parsed.KeepsConnection)
            throw ResponseHead.Malformed("it ends the connection that was to be verified");
        if (filled - bodyAt > parsed.ContentLength)
            throw ResponseHead.Malformed("bytes nobody asked for follow it");

        byte[] body = new byte[parsed.ContentLength];
        int have = filled - bodyAt;
        head.AsSpan(bodyAt, have).CopyTo(body);
        while (have < body.Length)
            have += await ReadSomeAsync(connection, body.AsMemory(have), cancellation);
        return new HttpAnswer(parsed.Status, body);
    }

    private static async Task<int> ReadSomeAsync(Stream connection, Memory<byte> into, CancellationToken cancellation)
    {
        int read = await connection.ReadAsync(into, cancellation);
        return read > 0 ? read : throw new ClientException(ClientError.Unreachable, "The connection ended within the answer.");
    }
}
