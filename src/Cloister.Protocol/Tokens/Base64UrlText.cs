using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace Cloister.Protocol.Tokens;

/// <summary>Base64url as RFC 7515 wants it: no padding, no white space, and the bits that stand for nothing zero, so that bytes have one text.</summary>
internal static class Base64UrlText
{
    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (text.Length % 4 == 1) return false;
        foreach (char c in text)
            if (Value(c) < 0) return false;
        int unused = (text.Length % 4) switch { 2 => 4, 3 => 2, _ => 0 };
        if (unused > 0 && (Value(text[^1]) & ((1 << unused) - 1)) != 0) return false;
        bytes = Base64Url.DecodeFromChars(text);
        return true;
    }

    private static int Value(char c) => c switch
    {
        >= 'A' and <= 'Z' => c - 'A',
        >= 'a' and <= 'z' => c - 'a' + 26,
        >= '0' and <= '9' => c - '0' + 52,
        '-' => 62,
        '_' => 63,
        _ => -1,
    };
}
