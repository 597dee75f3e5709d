namespace Cloister.Client;

/// <summary>Reads a body that its sender does not bound.</summary>
internal static class BoundedBody
{
    /// <summary>The whole body; refused as soon as it is said, or turns out, to be longer than <paramref name="maxBytes"/>.</summary>
    /// <exception cref="ClientException"><see cref="ClientError.AnswerTooLarge"/>.</exception>
    public static async Task<byte[]> ReadAsync(HttpContent content, int maxBytes, CancellationToken cancellation)
    {
        if (content.Headers.ContentLength > maxBytes)
            throw TooLarge(maxBytes);
        await using Stream stream = await content.ReadAsStreamAsync(cancellation);
        // A length that is said is not believed: memory grows with what arrives.
        using var body = new MemoryStream();
        byte[] part = new byte[Math.Min(maxBytes + 1, 16 << 10)];
        while (await stream.ReadAsync(part, cancellation) is > 0 and int read)
        {
            if (body.Length + read > maxBytes)
                throw TooLarge(maxBytes);
            body.Write(part, 0, read);
        }
        return body.ToArray();
    }

    private static ClientException TooLarge(int maxBytes) => new(ClientError.AnswerTooLarge, $"The answer is larger than {maxBytes} bytes.");
}
