using System.Diagnostics.CodeAnalysis;
using Cloister.Protocol.Manifest;

namespace Cloister.Protocol.Tokens;

/// <summary>JSON objects of tokens and key sets: Unicode alone, nothing after them, no member twice at any depth (RFC 7515, section 4; RFC 7519, section 4).</summary>
internal static class StrictJson
{
    public static bool TryReadObject(ReadOnlySpan<byte> json, [NotNullWhen(true)] out GoValue? value, out string reason)
    {
        value = null;
        try
        {
            value = GoJson.Parse(json, strict: true);
        }
        catch (GoJsonException error)
        {
            reason = $"is not JSON: {error.Message}";
            return false;
        }
        reason = value.Kind != GoKind.Object ? "is not a JSON object" : Repeated(value) is { } name ? $"has the member '{name}' twice" : "";
        return reason.Length == 0;
    }

    public static GoValue? Find(this GoValue value, string name)
    {
        foreach ((string written, GoValue member) in value.Members)
            if (written == name) return member;
        return null;
    }

    /// <summary>A member that is absent or a text; false where it is something else.</summary>
    public static bool TryText(this GoValue value, string name, out string? text)
    {
        GoValue? member = value.Find(name);
        text = member?.Kind == GoKind.String ? member.Text : null;
        return member is null || text is not null;
    }

    // The reader bounds the depth.
    private static string? Repeated(GoValue value)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string name, GoValue member) in value.Members)
        {
            if (!seen.Add(name)) return name;
            if (Repeated(member) is { } inner) return inner;
        }
        foreach (GoValue item in value.Items)
            if (Repeated(item) is { } inner) return inner;
        return null;
    }
}
