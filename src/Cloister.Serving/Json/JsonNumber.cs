namespace Cloister.Serving.Json;

/// <summary>The grammar of JSON numbers (RFC 8259 section 6), and the words for what is not finite.</summary>
internal static class JsonNumber
{
    /// <summary>Length of the number at the start of the text, or 0 where there is none.</summary>
    public static int Scan(ReadOnlySpan<byte> text)
    {
        int i = 0;
        if (i < text.Length && text[i] == '-') i++;
        if (i >= text.Length) return 0;
        if (text[i] is (byte)'N' or (byte)'I') return ScanWord(text, out _);
        if (text[i] == '0') i++;
        else
        {
            int digits = CountDigits(text[i..]);
            if (digits == 0) return 0;
            i += digits;
        }
        if (i < text.Length && text[i] == '.')
        {
            int digits = CountDigits(text[(i + 1)..]);
            if (digits == 0) return 0;
            i += 1 + digits;
        }
        if (i < text.Length && (text[i] | 0x20) == 'e')
        {
            i++;
            if (i < text.Length && text[i] is (byte)'+' or (byte)'-') i++;
            int digits = CountDigits(text[i..]);
            if (digits == 0) return 0;
            i += digits;
        }
        return i;
    }

    /// <summary>NaN, Infinity or Inf, with an optional minus sign: what TF Serving's parser takes beside JSON.</summary>
    public static int ScanWord(ReadOnlySpan<byte> text, out float value)
    {
        int sign = text.Length > 0 && text[0] == '-' ? 1 : 0;
        ReadOnlySpan<byte> word = text[sign..];
        value = word.StartsWith("NaN"u8) ? float.NaN : sign == 1 ? float.NegativeInfinity : float.PositiveInfinity;
        if (word.StartsWith("NaN"u8)) return sign + 3;
        if (word.StartsWith("Infinity"u8)) return sign + 8;
        return word.StartsWith("Inf"u8) ? sign + 3 : 0;
    }

    private static int CountDigits(ReadOnlySpan<byte> text)
    {
        int count = 0;
        while (count < text.Length && (uint)(text[count] - '0') <= 9) count++;
        return count;
    }
}
