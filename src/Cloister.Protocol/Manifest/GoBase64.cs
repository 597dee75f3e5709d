namespace Cloister.Protocol.Manifest;

/// <summary>Go's base64.StdEncoding: padding required, line breaks ignored, nothing else.</summary>
internal static class GoBase64
{
    public static bool TryDecode(string text, out byte[] bytes)
    {
        bytes = [];
        string compact = text.Contains('\n', StringComparison.Ordinal) || text.Contains('\r', StringComparison.Ordinal)
            ? text.Replace("\n", "", StringComparison.Ordinal).Replace("\r", "", StringComparison.Ordinal)
            : text;
        foreach (char c in compact)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '/' or '=')) return false;
        byte[] room = new byte[compact.Length / 4 * 3];
        if (!Convert.TryFromBase64String(compact, room, out int written)) return false;
        bytes = room[..written];
        return true;
    }
}
