using System.Text;
using Cloister.Serving.TextFormat;

namespace Cloister.Serving.Tests.TextFormat;

/// <summary>Writes a tree in one fixed form: two documents that mean the same print alike.</summary>
internal static class TextPrinter
{
    public static string Print(TextMessage message)
    {
        var text = new StringBuilder();
        Append(text, message);
        return text.ToString();
    }

    private static void Append(StringBuilder text, TextMessage message)
    {
        foreach (TextField field in message.Fields)
        {
            text.Append(field.Name);
            if (field is { IsList: false, Values: [TextMessageValue value] })
            {
                text.Append(' ');
                Append(text, value);
            }
            else
            {
                text.Append(field.IsList ? ": [" : ": ");
                for (int i = 0; i < field.Values.Count; i++)
                {
                    if (i > 0) text.Append(", ");
                    Append(text, field.Values[i]);
                }
                if (field.IsList) text.Append(']');
            }
            text.Append(' ');
        }
    }

    private static void Append(StringBuilder text, TextValue value)
    {
        switch (value)
        {
            case TextMessageValue message:
                text.Append('{');
                Append(text, message.Message);
                text.Append('}');
                break;
            case TextString bytes:
                text.Append('"');
                foreach (byte one in bytes.Bytes)
                    text.Append(one switch { (byte)'\t' => "\\t", (byte)'"' => "\\\"", (byte)'\\' => "\\\\", >= 0x20 and < 0x7F => ((char)one).ToString(), _ => "\\" + Convert.ToString(one, 8).PadLeft(3, '0') });
                text.Append('"');
                break;
            case TextWord word:
                text.Append(word.IsNegative ? "-" : "").Append(word.Word);
                break;
            case TextNumber number:
                text.Append(number.IsNegative ? "-" : "").Append(number.Literal);
                break;
        }
    }
}
