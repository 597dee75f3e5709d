using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace Cloister.Protocol.Rest;

/// <summary>A nonce in a URL: base64url, padding optional, 16 to 64 bytes.</summary>
public static class NonceText
{
    /// <summary>Shortest nonce in bytes.</summary>
    public const int MinBytes = 16;
    /// <summary>Longest nonce in bytes.</summary>
    public const int MaxBytes = 64;
    /// <summary>Bytes in Cloister's own nonces.</summary>
    public const int OwnBytes = 32;

    /// <summary>Writes a nonce without padding.</summary>
    public static string Encode(ReadOnlySpan<byte> nonce) => Base64Url.EncodeToString(nonce);

    /// <summary>Reads a nonce; false where it is not base64url or its length is out of bounds.</summary>
    public static bool TryDecode(string? text, [NotNullWhen(true)] out byte[]? nonce)
    {
        nonce = null;
        if (text is null || text.Length is < 22 or > 88) return false;
        foreach (char c in text)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '=')) return false;
        if (!Base64Url.IsValid(text)) return false;
        byte[] bytes = Base64Url.DecodeFromChars(text);
        if (bytes.Length is < MinBytes or > MaxBytes) return false;
        nonce = bytes;
        return true;
    }
}
