using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Cloister.Protocol.Manifest;

/// <summary>Texts that Go's types read from JSON strings.</summary>
internal static partial class GoTexts
{
    /// <summary>Go's <c>time.Time</c>: RFC 3339, by the letter. Year 0, which Go knows, is not a time here.</summary>
    public static bool TryTime(string text, out DateTimeOffset time)
    {
        time = default;
        if (Rfc3339().Match(text) is not { Success: true } match) return false;
        if (!DateTime.TryParseExact(match.Groups["time"].Value, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime local)) return false;
        long offset = 0;
        if (match.Groups["sign"].Success)
        {
            int hours = int.Parse(match.Groups["hours"].Value, CultureInfo.InvariantCulture), minutes = int.Parse(match.Groups["minutes"].Value, CultureInfo.InvariantCulture);
            if (hours > 24 || minutes > 59) return false;
            offset = new TimeSpan(hours, minutes, 0).Ticks * (match.Groups["sign"].Value == "-" ? -1 : 1);
        }
        long ticks = local.Ticks - offset;
        if (ticks < DateTime.MinValue.Ticks || ticks > DateTime.MaxValue.Ticks) return false;
        time = new DateTimeOffset(ticks, TimeSpan.Zero);
        return true;
    }

    /// <summary>Go's <c>net.IP</c>: four decimal numbers without leading zeros, or IPv6 without zone, brackets or prefix length.</summary>
    public static IPAddress? Address(string text)
    {
        if (text.Contains(':', StringComparison.Ordinal))
            return text.Length <= 45 && text.All(c => char.IsAsciiHexDigit(c) || c is ':' or '.') && HasPlainTail(text)
                && IPAddress.TryParse(text, out IPAddress? six) && six.AddressFamily == AddressFamily.InterNetworkV6 ? six : null;
        return IsFour(text) ? IPAddress.Parse(text) : null;
    }

    private static bool HasPlainTail(string text) => !text.Contains('.', StringComparison.Ordinal) || IsFour(text[(text.LastIndexOf(':') + 1)..]);

    private static bool IsFour(string text)
    {
        string[] parts = text.Split('.');
        return parts.Length == 4 && parts.All(part => part.Length is >= 1 and <= 3 && part.All(char.IsAsciiDigit)
            && (part.Length == 1 || part[0] != '0') && int.Parse(part, CultureInfo.InvariantCulture) <= 255);
    }

    [GeneratedRegex(@"^(?<time>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})([.,]\d+)?(Z|(?<sign>[+-])(?<hours>\d{2}):(?<minutes>\d{2}))\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Rfc3339();
}
