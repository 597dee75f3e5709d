using System.Globalization;
using System.Text;

namespace Cloister.Protocol.Certificates;

/// <summary>The members of Go's <c>url.URL</c>, and how it writes them.</summary>
internal sealed record GoUrl
{
    public string Scheme { get; init; } = "";
    public string Opaque { get; init; } = "";
    /// <summary>Whether there is user information, which JSON can only give as empty.</summary>
    public bool HasUser { get; init; }
    public string Host { get; init; } = "";
    public string Path { get; init; } = "";
    public string RawPath { get; init; } = "";
    public bool OmitHost { get; init; }
    public bool ForceQuery { get; init; }
    public string RawQuery { get; init; } = "";
    public string Fragment { get; init; } = "";
    public string RawFragment { get; init; } = "";

    // Characters that stay as they are beside letters, digits and "-_.~".
    private const string HostAllowed = "!$&'()*+,;=:[]<>\"", PathAllowed = "$&+,/:;=@", FragmentAllowed = "$&+,/:;=?@!()*", EncodedAllowed = "!$&'()*+,;=:@[]%";

    /// <summary>Whether Go reads it back: a name or address without escapes, then digits of a port.</summary>
    public bool HasReadableHost()
    {
        string host = Escape(Host, HostAllowed);
        int end = host.StartsWith('[') ? host.LastIndexOf(']') + 1 : host.IndexOf(':', StringComparison.Ordinal) is var colon and >= 0 ? colon : host.Length;
        return !host.Contains('%', StringComparison.Ordinal) && (end > 0 || !host.StartsWith('['))
            && (end == host.Length || host[end] == ':') && host.AsSpan(end).TrimStart(':').IndexOfAnyExceptInRange('0', '9') < 0 && host.AsSpan(end).Count(':') <= 1;
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        if (Scheme.Length > 0) text.Append(Scheme).Append(':');
        if (Opaque.Length > 0) text.Append(Opaque);
        else
        {
            WriteHost(text);
            string path = Path == "*" && RawPath.Length == 0 ? "*" : Encoded(RawPath, Path, PathAllowed);
            if (path.Length > 0 && path[0] != '/' && Host.Length > 0) text.Append('/');
            // A first segment with a colon would read as a scheme (RFC 3986, 4.2).
            if (text.Length == 0 && path.Split('/')[0].Contains(':', StringComparison.Ordinal)) text.Append("./");
            text.Append(path);
        }
        if (ForceQuery || RawQuery.Length > 0) text.Append('?').Append(RawQuery);
        if (Fragment.Length > 0) text.Append('#').Append(Encoded(RawFragment, Fragment, FragmentAllowed));
        return text.ToString();
    }

    private void WriteHost(StringBuilder text)
    {
        if (Scheme.Length == 0 && Host.Length == 0 && !HasUser) return;
        if (OmitHost && Host.Length == 0 && !HasUser) return;
        if (Host.Length > 0 || Path.Length > 0 || HasUser) text.Append("//");
        if (HasUser) text.Append('@');
        text.Append(Escape(Host, HostAllowed));
    }

    // The raw form counts where it is one of the text.
    private static string Encoded(string raw, string text, string allowed) =>
        raw.Length > 0 && IsEncoded(raw, allowed) && Unescape(raw) == text ? raw : Escape(text, allowed);

    private static bool IsEncoded(string raw, string allowed) =>
        raw.All(c => EncodedAllowed.Contains(c, StringComparison.Ordinal) || IsPlain(c, allowed));

    private static string? Unescape(string raw)
    {
        var bytes = new List<byte>();
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '%')
                bytes.Add((byte)raw[i]); // ASCII: IsEncoded saw to it
            else if (i + 2 < raw.Length && byte.TryParse(raw.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value))
            {
                bytes.Add(value);
                i += 2;
            }
            else return null;
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static string Escape(string text, string allowed)
    {
        var escaped = new StringBuilder();
        foreach (byte b in Encoding.UTF8.GetBytes(text))
            if (IsPlain((char)b, allowed)) escaped.Append((char)b);
            else escaped.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        return escaped.ToString();
    }

    private static bool IsPlain(char c, string allowed) =>
        char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '~' || allowed.Contains(c, StringComparison.Ordinal);
}
