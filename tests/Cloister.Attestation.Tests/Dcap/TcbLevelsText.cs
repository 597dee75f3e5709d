namespace Cloister.Tests.Dcap;

/// <summary>Edits of a TCB info's text before it is signed.</summary>
internal static class TcbLevelsText
{
    /// <summary>Replaces in the platform's levels, which stand last: the first of them is the newest.</summary>
    public static string Last(string text, string old, string with)
    {
        int levels = text.LastIndexOf("\"tcbLevels\"", StringComparison.Ordinal), at = text.IndexOf(old, levels, StringComparison.Ordinal);
        return text[..at] + with + text[(at + old.Length)..];
    }

    /// <summary>The two levels in the other order.</summary>
    public static string Swapped(string text)
    {
        int start = text.LastIndexOf("\"tcbLevels\":[", StringComparison.Ordinal) + "\"tcbLevels\":[".Length;
        int middle = text.IndexOf(",{\"tcb\"", start, StringComparison.Ordinal);
        return text[..start] + text[(middle + 1)..^2] + "," + text[start..middle] + "]}";
    }
}
