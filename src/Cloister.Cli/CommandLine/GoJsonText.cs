using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Cloister.Cli.CommandLine;

/// <summary>JSON as Go's encoding/json writes a map: members sorted by their bytes, nothing between them, and its own few escapes.</summary>
internal static class GoJsonText
{
    public static byte[] Of(JsonElement element)
    {
        var text = new StringBuilder();
        Write(element, text);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Write(JsonElement element, StringBuilder text)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                Join(text, '{', '}', element.EnumerateObject().OrderBy(member => member.Name, Utf8Order.Instance), member =>
                {
                    Write(member.Name, text);
                    text.Append(':');
                    Write(member.Value, text);
                });
                break;
            case JsonValueKind.Array:
                Join(text, '[', ']', element.EnumerateArray(), item => Write(item, text));
                break;
            case JsonValueKind.String:
                Write(element.GetString()!, text);
                break;
            default:
                text.Append(element.GetRawText());
                break;
        }
    }

    private static void Join<T>(StringBuilder text, char open, char close, IEnumerable<T> items, Action<T> write)
    {
        char before = open;
        foreach (T item in items)
        {
            text.Append(before);
            write(item);
            before = ',';
        }
        text.Append(before == open ? $"{open}{close}" : close);
    }

    private static void Write(string value, StringBuilder text)
    {
        text.Append('"');
        foreach (char c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                < ' ' or '<' or '>' or '&' or '\u2028' or '\u2029' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }
        text.Append('"');
    }

    private sealed class Utf8Order : IComparer<string>
    {
        public static Utf8Order Instance { get; } = new();

        public int Compare(string? x, string? y) => Encoding.UTF8.GetBytes(x ?? "").AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y ?? ""));
    }
}
