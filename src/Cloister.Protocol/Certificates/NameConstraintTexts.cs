using System.Net;

namespace Cloister.Protocol.Certificates;

/// <summary>What Go reads back of name constraints (RFC 5280, 4.2.1.10).</summary>
internal static class NameConstraintTexts
{
    private const int MaxDomain = 253, MaxLabel = 63;

    /// <summary>A domain, with a dot before it for what lies below it alone; the empty one holds all.</summary>
    public static bool IsDomain(string text)
    {
        if (text.Length == 0) return true;
        string domain = text[0] == '.' ? text[1..] : text;
        return text.Length <= MaxDomain && domain.Split('.').All(label => label.Length is > 0 and <= MaxLabel && label.All(c => c is > ' ' and <= '~'));
    }

    /// <summary>A mailbox, or the domain of mailboxes.</summary>
    public static bool IsMailbox(string text)
    {
        int at = text.LastIndexOf('@');
        return at < 0 ? IsDomain(text) : at > 0 && at < text.Length - 1 && !text.AsSpan(0, at).Contains('@') && IsDomain(text[(at + 1)..]);
    }

    /// <summary>The domain of a URI's host.</summary>
    public static bool IsUriDomain(string text) => !IPAddress.TryParse(text, out _) && IsDomain(text);
}
