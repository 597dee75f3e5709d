using System.Globalization;
using System.Text;
using Cloister.Serving.Json;

namespace Cloister.Serving.TensorFlow.Json;

/// <summary>
/// How TF Serving shows a value in a message: indented, lists on one line, and no further token once 256 bytes are written.
/// A single long text is cut as well, so that an answer stays small.
/// </summary>
internal sealed class JsonEcho
{
    private const int Enough = 256, LongestText = 4096;

    private readonly StringBuilder _text = new();
    private int _bytes;
    private bool _stopped;

    /// <summary>Shows a value.</summary>
    public static string Of(JsonView value)
    {
        var echo = new JsonEcho();
        echo.Write(value, 0, "");
        return echo._text.ToString();
    }

    private bool IsFull => _stopped |= _bytes >= Enough;

    // What stands before a token is written with it or not at all. Each level has a token, so the limit bounds the depth too.
    private void Write(JsonView value, int level, string before)
    {
        if (IsFull) return;
        switch (value.Kind)
        {
            case JsonKind.Object or JsonKind.Array:
                WriteMany(value, level + 1, before);
                break;
            case JsonKind.String:
                Put(before + TextOf(value.Text));
                break;
            case JsonKind.Number when value.TryWhole(out Int128 whole):
                Put(before + whole.ToString(CultureInfo.InvariantCulture));
                break;
            case JsonKind.Number when double.IsFinite(value.AsDouble):
                Put(before + NumberOf(value.AsDouble));
                break;
            case JsonKind.Number:
                // Its writer stops at what JSON has no word for.
                Put(before);
                _stopped = true;
                break;
            default:
                Put(before + (value.Kind == JsonKind.Null ? "null" : value.IsTrue ? "true" : "false"));
                break;
        }
    }

    private void WriteMany(JsonView value, int level, string before)
    {
        bool named = value.Kind == JsonKind.Object, any = false;
        Put(before + (named ? "{" : "["));
        foreach (JsonMember member in value)
        {
            if (IsFull) return;
            if (named) Put((any ? ",\n" : "\n") + new string(' ', 4 * level) + TextOf(member.Name));
            Write(member.Value, level, named ? ": " : any ? ", " : "");
            any = true;
            if (IsFull) return;
        }
        if (IsFull) return;
        if (named && any) Put("\n" + new string(' ', 4 * (level - 1)));
        Put(named ? "}" : "]");
    }

    private void Put(string text)
    {
        _text.Append(text);
        _bytes += Encoding.UTF8.GetByteCount(text);
    }

    private static string TextOf(ReadOnlySpan<byte> text)
    {
        using var json = new JsonOutput();
        EscapedText.Write(json, Encoding.UTF8.GetString(text[..Math.Min(text.Length, LongestText)]));
        return Encoding.UTF8.GetString(json.Written.Span);
    }

    private static string NumberOf(double value)
    {
        string text = value.ToString("R", CultureInfo.InvariantCulture);
        int mark = text.IndexOf('E', StringComparison.Ordinal);
        if (mark < 0) return text.Contains('.', StringComparison.Ordinal) ? text : text + ".0";
        int exponent = int.Parse(text[(mark + 1)..], CultureInfo.InvariantCulture);
        string sign = text[0] == '-' ? "-" : "", digits = text[sign.Length..mark].Replace(".", "", StringComparison.Ordinal);
        // Up to 21 digits before the point and five zeros behind it are written out.
        if (exponent is >= 0 and < 21) return sign + digits.PadRight(exponent + 1, '0') + ".0";
        if (exponent is < 0 and >= -6) return sign + "0." + new string('0', -exponent - 1) + digits;
        return $"{sign}{digits[0]}{(digits.Length > 1 ? "." + digits[1..] : "")}e{exponent.ToString(CultureInfo.InvariantCulture)}";
    }
}
