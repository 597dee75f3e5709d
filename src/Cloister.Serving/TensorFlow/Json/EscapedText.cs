using Cloister.Serving.Json;

namespace Cloister.Serving.TensorFlow.Json;

/// <summary>JSON strings as TF Serving writes them: short escapes where JSON has them, else upper-case <c>\u00XX</c> for control characters only.</summary>
internal static class EscapedText
{
    public static void Write(JsonOutput json, string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\0', '\x1F') < 0 && !text.Contains('\x7F', StringComparison.Ordinal))
        {
            json.Text(text);
            return;
        }
        json.Raw("\""u8);
        foreach (byte unit in System.Text.Encoding.UTF8.GetBytes(text)) WriteUnit(json, unit);
        json.Raw("\""u8);
    }

    private static void WriteUnit(JsonOutput json, byte unit)
    {
        switch (unit)
        {
            case (byte)'"': json.Raw("\\\""u8); break;
            case (byte)'\\': json.Raw("\\\\"u8); break;
            case (byte)'\b': json.Raw("\\b"u8); break;
            case (byte)'\f': json.Raw("\\f"u8); break;
            case (byte)'\n': json.Raw("\\n"u8); break;
            case (byte)'\r': json.Raw("\\r"u8); break;
            case (byte)'\t': json.Raw("\\t"u8); break;
            case < 0x20: json.Raw([(byte)'\\', (byte)'u', (byte)'0', (byte)'0', (byte)(unit < 0x10 ? '0' : '1'), (byte)"0123456789ABCDEF"[unit & 15]]); break;
            default: json.Raw([unit]); break;
        }
    }
}
