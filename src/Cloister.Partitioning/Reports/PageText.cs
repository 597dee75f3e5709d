using System.Globalization;
using System.Text;

namespace Cloister.Partitioning.Reports;

/// <summary>Text for the page: everything that comes from a file or a model is hostile, so there is no way past the escapes.</summary>
internal static class PageText
{
    private const int LongestName = 160;

    /// <summary>Text as HTML and XML have it, in elements and in attributes. What has no picture, or turns the text around, is shown as U+FFFD.</summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length + 16);
        foreach (Rune rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '&' => escaped.Append("&amp;"),
                '"' => escaped.Append("&quot;"),
                '\'' => escaped.Append("&#39;"),
                _ when IsHidden(rune) => escaped.Append('\uFFFD'),
                _ => escaped.Append(rune.ToString()),
            };
        }
        return escaped.ToString();
    }

    /// <summary>A name that somebody else chose: escaped, cut in its middle where it is long, and kept apart from the text around it.</summary>
    public static string Name(string name)
    {
        string shown = name.Length <= LongestName ? name : $"{name[..(LongestName / 2)]}…{name[^(LongestName / 2)..]}";
        return $"<bdi class=\"name\">{Escape(shown)}</bdi>";
    }

    public static string Names(IEnumerable<string> names) => string.Join(", ", names.Select(Name));

    public static string Share(double share) => share is > 0.995 and < 1 ? "> 99 %" : string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.#} %");

    public static string Bytes(long bytes) => bytes switch
    {
        < 1 << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.#} KiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.##} MiB"),
    };

    public static string Number(double value) => value.ToString(Math.Abs(value) >= 10 ? "0.0" : "0.000", CultureInfo.InvariantCulture);

    private static bool IsHidden(Rune rune) => rune.Value is 0xFFFE or 0xFFFF || Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
}
