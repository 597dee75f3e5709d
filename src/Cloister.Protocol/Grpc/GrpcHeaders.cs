using System.Globalization;
using System.Text;

namespace Cloister.Protocol.Grpc;

/// <summary>The header values of gRPC that have a syntax of their own (grpc/doc/PROTOCOL-HTTP2.md).</summary>
internal static class GrpcHeaders
{
    public const string ContentType = "application/grpc";
    public const string Timeout = "grpc-timeout";
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string StatusDetails = "grpc-status-details-bin";
    public const string RetryPushback = "grpc-retry-pushback-ms";

    // CancellationTokenSource counts milliseconds in 32 bits; a longer wait than 24 days is cut to that.
    private static readonly TimeSpan s_longest = TimeSpan.FromMilliseconds(int.MaxValue);

    /// <summary>Whether a content type is gRPC with protobuf messages: <c>application/grpc</c> or <c>application/grpc+proto</c>, parameters ignored.</summary>
    public static bool IsGrpc(string? contentType)
    {
        if (contentType is null) return false;
        int end = contentType.IndexOf(';', StringComparison.Ordinal);
        ReadOnlySpan<char> media = (end < 0 ? contentType : contentType.AsSpan(0, end)).Trim();
        return media.Equals(ContentType, StringComparison.OrdinalIgnoreCase)
            || media.Equals("application/grpc+proto", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A <c>grpc-timeout</c>: 1 to 8 digits and a unit of H M S m u n.</summary>
    public static bool TryReadTimeout(string value, out TimeSpan timeout)
    {
        timeout = default;
        if (value.Length is < 2 or > 9) return false;
        if (!uint.TryParse(value.AsSpan(0, value.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out uint count)) return false;
        long ticksPerUnit = value[^1] switch
        {
            'H' => TimeSpan.TicksPerHour,
            'M' => TimeSpan.TicksPerMinute,
            'S' => TimeSpan.TicksPerSecond,
            'm' => TimeSpan.TicksPerMillisecond,
            'u' => TimeSpan.TicksPerMicrosecond,
            'n' => 0,
            _ => -1,
        };
        if (ticksPerUnit < 0) return false;
        long ticks = ticksPerUnit == 0 ? count / TimeSpan.NanosecondsPerTick : count * ticksPerUnit;
        timeout = ticks > s_longest.Ticks ? s_longest : TimeSpan.FromTicks(ticks);
        return true;
    }

    /// <summary>A time as <c>grpc-timeout</c>, in the smallest unit whose eight digits hold it, rounded up; never negative.</summary>
    public static string WriteTimeout(TimeSpan timeout)
    {
        ReadOnlySpan<(long Ticks, char Unit)> units =
        [
            (TimeSpan.TicksPerMicrosecond, 'u'), (TimeSpan.TicksPerMillisecond, 'm'),
            (TimeSpan.TicksPerSecond, 'S'), (TimeSpan.TicksPerMinute, 'M'),
        ];
        long ticks = Math.Max(0, timeout.Ticks);
        foreach ((long perUnit, char unit) in units)
        {
            long count = ticks / perUnit + (ticks % perUnit == 0 ? 0 : 1);
            if (count <= 99_999_999) return string.Create(CultureInfo.InvariantCulture, $"{count}{unit}");
        }
        return "99999999M";
    }

    /// <summary>Percent-encodes a <c>grpc-message</c>: only <c>%</c> and bytes outside 0x20 to 0x7E of its UTF-8.</summary>
    public static string EncodeMessage(string message)
    {
        var encoded = new StringBuilder(message.Length);
        foreach (byte b in System.Text.Encoding.UTF8.GetBytes(message))
        {
            if (b is >= 0x20 and <= 0x7E and not (byte)'%') encoded.Append((char)b);
            else encoded.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }
        return encoded.ToString();
    }

    /// <summary>The message that a peer encoded. Wrong escapes stay as they are: a bad message never hides a status.</summary>
    public static string DecodeMessage(string encoded)
    {
        byte[] raw = System.Text.Encoding.UTF8.GetBytes(encoded);
        int length = 0;
        for (int i = 0; i < raw.Length; i++, length++)
        {
            if (raw[i] == '%' && i + 2 < raw.Length
                && byte.TryParse(raw.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte b))
            {
                raw[length] = b;
                i += 2;
            }
            else
            {
                raw[length] = raw[i];
            }
        }
        return System.Text.Encoding.UTF8.GetString(raw, 0, length);
    }

    /// <summary>Whether a name and value can travel as a trailer of ours.</summary>
    public static bool IsTrailer(string name, string value)
    {
        if (name.Length == 0 || name.StartsWith("grpc-", StringComparison.Ordinal)) return false;
        foreach (char c in name)
            if (c is not (>= 'a' and <= 'z' or >= '0' and <= '9' or '-' or '_' or '.')) return false;
        foreach (char c in value)
            if (c is < ' ' or > '~') return false;
        return true;
    }

    /// <summary>Refuses trailers that cannot travel: a mistake of whoever set them.</summary>
    public static void RequireTrailers(IEnumerable<KeyValuePair<string, string>> trailers)
    {
        foreach ((string name, string value) in trailers)
            if (!IsTrailer(name, value))
                throw new ArgumentException($"'{name}' cannot be a trailer: names are lower-case ASCII outside grpc-*, values printable ASCII.", nameof(trailers));
    }

    /// <summary>Fuzz target for timeouts, messages and content types.</summary>
    public static void Fuzz(ReadOnlySpan<byte> data)
    {
        string text = System.Text.Encoding.Latin1.GetString(data);
        if (TryReadTimeout(text, out TimeSpan timeout) && (timeout < TimeSpan.Zero || timeout > s_longest))
            throw new InvalidOperationException("A timeout out of range was let through.");
        IsGrpc(text);
        DecodeMessage(text);
        if (DecodeMessage(EncodeMessage(text)) != text) throw new InvalidOperationException("A message did not survive its encoding.");
    }
}
