using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Cloister.Protocol.Templates.Values;

/// <summary>time.Time of a certificate: whole seconds, UTC.</summary>
internal sealed class GoTime : GoStruct
{
    private static readonly GoType s_month = CommonValues.WithText("time.Month", TemplateValueKind.Int, value => CultureInfo.InvariantCulture.DateTimeFormat.GetMonthName((int)((GoInt)value).Value));
    private static readonly GoType s_weekday = CommonValues.WithText("time.Weekday", TemplateValueKind.Int, value => ((DayOfWeek)((GoInt)value).Value).ToString());

    private static readonly GoType s_location = new("*time.Location", TemplateValueKind.Pointer);

    private static readonly GoType s_time = new("time.Time", TemplateValueKind.Struct)
    {
        Fields = [new("wall", "uint64"), new("ext", "int64"), new("loc", "*time.Location")],
        Source = value => ((GoTime)value).AsSource(),
        Text = value => ((GoTime)value).Formatted("2006-01-02 15:04:05 -0700 MST"),
        Methods = new Dictionary<string, GoMethod>
        {
            ["String"] = Method(time => GoString.Of(time.Formatted("2006-01-02 15:04:05 -0700 MST"))),
            ["Year"] = Number(time => time.Year),
            ["Month"] = Method(time => new GoInt(time._time.Month, s_month)),
            ["Day"] = Number(time => time.Day),
            ["Hour"] = Number(time => time.Hour),
            ["Minute"] = Number(time => time.Minute),
            ["Second"] = Number(time => time.Second),
            ["Nanosecond"] = Number(_ => 0),
            ["YearDay"] = Number(time => time.DayOfYear),
            ["Weekday"] = Method(time => new GoInt((int)time._time.DayOfWeek, s_weekday)),
            ["Unix"] = Method(time => new GoInt(time._time.ToUnixTimeSeconds(), GoType.Int64)),
            ["UnixMilli"] = Method(time => new GoInt(time._time.ToUnixTimeMilliseconds(), GoType.Int64)),
            ["IsZero"] = Method(time => GoBool.Of(time._time == DateTimeOffset.MinValue)),
            ["UTC"] = Method(time => time),
            ["Local"] = Method(time => time),
            ["Format"] = new([GoParameter.Text], (value, arguments) => GoString.Of(((GoTime)value).Formatted(Encoding.UTF8.GetString(((GoString)arguments[0]!).Bytes.Span)))),
        }.ToFrozenDictionary(),
    };

    // Longest first where one begins another.
    private static readonly (string Layout, Func<DateTimeOffset, string> Write)[] s_layouts =
    [
        ("January", time => Net(time, "MMMM")), ("Jan", time => Net(time, "MMM")), ("Monday", time => Net(time, "dddd")), ("Mon", time => Net(time, "ddd")), ("MST", _ => "UTC"),
        ("2006", time => Net(time, "yyyy")), ("002", time => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture)),
        ("01", time => Net(time, "MM")), ("02", time => Net(time, "dd")), ("03", time => Net(time, "hh")), ("04", time => Net(time, "mm")), ("05", time => Net(time, "ss")), ("06", time => Net(time, "yy")),
        ("15", time => Net(time, "HH")), ("PM", time => time.Hour < 12 ? "AM" : "PM"), ("pm", time => time.Hour < 12 ? "am" : "pm"),
        ("-07:00:00", _ => "+00:00:00"), ("-070000", _ => "+000000"), ("-07:00", _ => "+00:00"), ("-0700", _ => "+0000"), ("-07", _ => "+00"),
        ("Z07:00:00", _ => "Z"), ("Z070000", _ => "Z"), ("Z07:00", _ => "Z"), ("Z0700", _ => "Z"), ("Z07", _ => "Z"),
        ("_2", time => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2)),
        ("1", time => Net(time, "%M")), ("2", time => Net(time, "%d")), ("3", time => Net(time, "%h")), ("4", time => Net(time, "%m")), ("5", time => Net(time, "%s")),
    ];

    private readonly DateTimeOffset _time;

    private GoTime(DateTimeOffset time) : base(s_time, field => FieldOf(time, field)) => _time = time;

    public static GoTime Of(DateTimeOffset? time) => new(time?.ToUniversalTime() ?? DateTimeOffset.MinValue);

    public bool IsSame(GoTime other) => _time == other._time;

    // Without a monotonic clock, ext counts seconds since the year 1, and a nil location is UTC.
    private static TemplateValue FieldOf(DateTimeOffset time, string field) => field switch
    {
        "wall" => new GoUint(0, GoType.Uint64),
        "ext" => new GoInt(time.Ticks / TimeSpan.TicksPerSecond, GoType.Int64),
        _ => new GoPointer(s_location, null),
    };

    private string AsSource() => _time.ToString("'time.Date('yyyy', time.'MMMM', 'd', 'H', 'm', 's', 0, time.UTC)'", CultureInfo.InvariantCulture);

    private static string Net(DateTimeOffset time, string format) => time.ToString(format, CultureInfo.InvariantCulture);

    private static GoMethod Method(Func<GoTime, TemplateValue> read) => new([], (value, _) => read((GoTime)value));

    private static GoMethod Number(Func<DateTimeOffset, int> read) => Method(time => new GoInt(read(time._time)));

    private string Formatted(string layout)
    {
        var text = new StringBuilder();
        for (int at = 0; at < layout.Length;)
        {
            (string found, Func<DateTimeOffset, string> write) = s_layouts.FirstOrDefault(known => string.CompareOrdinal(layout, at, known.Layout, 0, known.Layout.Length) == 0);
            // A fraction of a second: ".000" or ".999" after the seconds.
            int fraction = at + 1 < layout.Length && layout[at] is '.' or ',' && layout[at + 1] is '0' or '9' ? Run(layout, at + 1) : 0;
            if (fraction > 0 && (at + 1 + fraction == layout.Length || !char.IsAsciiDigit(layout[at + 1 + fraction])))
            {
                if (layout[at + 1] == '0') text.Append(layout[at]).Append('0', fraction);
                at += 1 + fraction;
            }
            else if (found is null)
            {
                text.Append(layout[at++]);
            }
            else
            {
                text.Append(write(_time));
                at += found.Length;
            }
        }
        return text.ToString();
    }

    private static int Run(string layout, int from)
    {
        int length = 1;
        while (from + length < layout.Length && layout[from + length] == layout[from]) length++;
        return length;
    }
}
