using System.Buffers.Text;
using System.Text;

namespace Cloister.Client;

/// <summary>
/// The head of an HTTP/1.1 answer with a said length (RFC 9112), read strictly: the evidence of a peer is fetched on the
/// very connection that is used afterwards, so exactly one answer must be taken from it and not a byte more.
/// </summary>
/// <param name="Status">200 to 599.</param>
/// <param name="ContentLength">Bytes of the body.</param>
/// <param name="KeepsConnection">Whether the connection may be used again.</param>
internal readonly record struct ResponseHead(int Status, int ContentLength, bool KeepsConnection)
{
    /// <summary>The longest head, in bytes.</summary>
    public const int MaxBytes = 16 << 10;

    /// <summary>Reads a head up to and with its empty line.</summary>
    /// <exception cref="ClientException"><see cref="ClientError.AnswerMalformed"/>.</exception>
    public static ResponseHead Parse(ReadOnlySpan<byte> head)
    {
        if (head.Length > MaxBytes || !head.EndsWith("\r\n\r\n"u8))
            throw Malformed("its head does not end");
        ReadOnlySpan<byte> rest = head[..^2];
        ReadOnlySpan<byte> line = NextLine(ref rest);
        if (line.Length < 12 || !line.StartsWith("HTTP/1.1 "u8) || !Utf8Parser.TryParse(line[9..12], out int status, out int digits) || digits != 3
            || status is < 200 or > 599 || (line.Length > 12 && line[12] != ' '))
            throw Malformed("its status line is not HTTP/1.1's");

        int? length = null;
        bool keeps = true;
        while (!rest.IsEmpty)
        {
            line = NextLine(ref rest);
            int colon = line.IndexOf((byte)':');
            if (colon <= 0 || line[..colon].IndexOfAny((byte)' ', (byte)'\t') >= 0)
                throw Malformed("one of its header lines is not name: value");
            ReadOnlySpan<byte> name = line[..colon], value = line[(colon + 1)..].Trim(" \t"u8);
            if (Ascii.EqualsIgnoreCase(name, "transfer-encoding"u8) || Ascii.EqualsIgnoreCase(name, "content-encoding"u8))
                throw Malformed("it is encoded, where a plain body with a length was expected");
            if (Ascii.EqualsIgnoreCase(name, "connection"u8))
                keeps &= Ascii.EqualsIgnoreCase(value, "keep-alive"u8);
            if (Ascii.EqualsIgnoreCase(name, "content-length"u8))
            {
                if (length is not null || value.IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0 || !Utf8Parser.TryParse(value, out int parsed, out int used) || used != value.Length)
                    throw Malformed("its Content-Length is repeated or not a number");
                length = parsed;
            }
        }
        return new ResponseHead(status, length ?? throw Malformed("it has no Content-Length"), keeps);
    }

    private static ReadOnlySpan<byte> NextLine(ref ReadOnlySpan<byte> rest)
    {
        int end = rest.IndexOf("\r\n"u8);
        if (end < 0)
            throw Malformed("a header line does not end");
        ReadOnlySpan<byte> line = rest[..end];
        if (line.IndexOfAny((byte)'\r', (byte)'\n', (byte)0) >= 0)
            throw Malformed("a header line holds a stray control character");
        rest = rest[(end + 2)..];
        return line;
    }

    internal static ClientException Malformed(string why) => new(ClientError.AnswerMalformed, $"The answer is not usable HTTP/1.1: {why}.");

    /// <summary>Fuzz target: any bytes are a head or a <see cref="ClientException"/>.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _ = Parse(bytes);
        }
        catch (ClientException e) when (e.Error == ClientError.AnswerMalformed)
        {
            // The documented refusal.
            return;
        }
    }
}
