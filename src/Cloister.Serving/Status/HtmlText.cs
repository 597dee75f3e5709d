using System.Globalization;
using System.Net;
using System.Text;

namespace Cloister.Serving.Status;

/// <summary>Builds HTML: markup is written as it is, everything else only through <see cref="Text"/>, which escapes it.</summary>
internal sealed class HtmlText
{
    private readonly StringBuilder _html = new();

    /// <summary>Markup of this program's own.</summary>
    public HtmlText Markup(string markup)
    {
        _html.Append(markup);
        return this;
    }

    /// <summary>Text, wherever it comes from; fit for an attribute in double quotes as well.</summary>
    public HtmlText Text(string text)
    {
        _html.Append(WebUtility.HtmlEncode(text));
        return this;
    }

    /// <summary>A whole number with thousands apart.</summary>
    public HtmlText Count(long number) => Text(number.ToString("#,0", CultureInfo.InvariantCulture));

    /// <summary>A time in the unit that a person would use.</summary>
    public HtmlText Duration(double seconds) => Text(Readable(seconds));

    public override string ToString() => _html.ToString();

    internal static string Readable(double seconds) => seconds switch
    {
        double.PositiveInfinity => "more",
        < 0.001 => Short(seconds * 1e6) + " µs",
        < 1 => Short(seconds * 1e3) + " ms",
        _ => Short(seconds) + " s",
    };

    private static string Short(double value) => value.ToString(value < 10 ? "0.##" : "0", CultureInfo.InvariantCulture);
}
