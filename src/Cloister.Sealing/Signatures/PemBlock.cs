using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>Reads a text that is exactly one PEM block (RFC 7468); anything but white space around it is refused.</summary>
internal static class PemBlock
{
    private const int MaxCharacters = 16 << 10;

    public static bool TryRead(string text, string label, [NotNullWhen(true)] out byte[]? der)
    {
        der = null;
        if (text.Length > MaxCharacters || !PemEncoding.TryFind(text, out PemFields fields)
            || !text.AsSpan()[fields.Label].SequenceEqual(label)
            || !text.AsSpan()[..fields.Location.Start.Value].IsWhiteSpace() || !text.AsSpan()[fields.Location.End.Value..].IsWhiteSpace())
            return false;
        byte[] decoded = GC.AllocateArray<byte>(fields.DecodedDataLength, pinned: true);
        if (!Convert.TryFromBase64Chars(text.AsSpan()[fields.Base64Data], decoded, out int written) || written != decoded.Length)
            return false;
        der = decoded;
        return true;
    }
}
