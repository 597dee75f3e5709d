using System.Formats.Asn1;

namespace Cloister.Attestation.Certificates;

/// <summary>Reads DER values (X.690) one after another from hostile bytes. What does not fit gives false; the reader never throws.</summary>
internal struct DerReader(ReadOnlyMemory<byte> bytes)
{
    public const byte Boolean = 0x01, Integer = 0x02, BitString = 0x03, OctetString = 0x04, Null = 0x05, ObjectIdentifier = 0x06,
        Enumerated = 0x0A, Utf8String = 0x0C, PrintableString = 0x13, Ia5String = 0x16, UtcTime = 0x17, GeneralizedTime = 0x18, Sequence = 0x30, Set = 0x31;

    private ReadOnlyMemory<byte> _rest = bytes;

    public readonly bool IsEmpty => _rest.IsEmpty;

    /// <summary>The tag of the next value; 0 at the end.</summary>
    public readonly byte NextTag => _rest.IsEmpty ? (byte)0 : _rest.Span[0];

    /// <summary>The context-specific tag of a constructed value.</summary>
    public static byte Context(int number) => (byte)(0xA0 | number);

    /// <summary>Reads the next value if it has this tag, and gives its content.</summary>
    public bool TryRead(byte tag, out ReadOnlyMemory<byte> content) => TryRead(tag, out content, out _);

    /// <summary>Reads the next value if it has this tag.</summary>
    /// <param name="tag">The identifier octet.</param>
    /// <param name="content">Its content octets.</param>
    /// <param name="encoded">The value with tag and length.</param>
    public bool TryRead(byte tag, out ReadOnlyMemory<byte> content, out ReadOnlyMemory<byte> encoded)
    {
        content = encoded = default;
        if (NextTag != tag || !AsnDecoder.TryReadEncodedValue(_rest.Span, AsnEncodingRules.DER, out _, out int offset, out int length, out int consumed)) return false;
        content = _rest.Slice(offset, length);
        encoded = _rest[..consumed];
        _rest = _rest[consumed..];
        return true;
    }

    /// <summary>Reads the next value whatever it is.</summary>
    public bool TryReadAny(out byte tag, out ReadOnlyMemory<byte> content) => TryRead(tag = NextTag, out content);

    /// <summary>Reads the next value as a reader over its content.</summary>
    public bool TryReadInto(byte tag, out DerReader inner)
    {
        bool read = TryRead(tag, out ReadOnlyMemory<byte> content);
        inner = new DerReader(content);
        return read;
    }

    /// <summary>Reads an INTEGER in its shortest form, as its two's complement content octets.</summary>
    public bool TryReadInteger(out ReadOnlyMemory<byte> content) => TryRead(Integer, out content) && IsShortestInteger(content.Span);

    /// <summary>Reads an INTEGER from 0 to 2^31 - 1.</summary>
    public bool TryReadInt32(out int value)
    {
        value = 0;
        return TryReadInteger(out ReadOnlyMemory<byte> content) && TryToInt32(content.Span, out value);
    }

    /// <summary>Reads a BOOLEAN in its DER form.</summary>
    public bool TryReadBoolean(out bool value)
    {
        bool read = TryRead(Boolean, out ReadOnlyMemory<byte> content) && content.Length == 1 && content.Span[0] is 0 or 0xFF;
        value = read && content.Span[0] == 0xFF;
        return read;
    }

    /// <summary>Reads a BIT STRING of whole octets.</summary>
    public bool TryReadOctetsOfBitString(out ReadOnlyMemory<byte> octets)
    {
        octets = default;
        if (!TryRead(BitString, out ReadOnlyMemory<byte> content) || content.Length < 1 || content.Span[0] != 0) return false;
        octets = content[1..];
        return true;
    }

    /// <summary>Reads a UTCTime or GeneralizedTime as RFC 5280, 4.1.2.5, writes it: with seconds, in UTC.</summary>
    public bool TryReadTime(out DateTimeOffset time)
    {
        time = default;
        byte tag = NextTag;
        if (tag is not (UtcTime or GeneralizedTime) || !TryRead(tag, out ReadOnlyMemory<byte> content)) return false;
        ReadOnlySpan<byte> text = content.Span;
        int yearDigits = tag == UtcTime ? 2 : 4;
        if (text.Length != yearDigits + 11 || text[^1] != 'Z' || text[..^1].ContainsAnyExceptInRange((byte)'0', (byte)'9')) return false;
        int year = Number(text[..yearDigits]), at = yearDigits;
        if (tag == UtcTime) year += year < 50 ? 2000 : 1900;
        int month = Number(text.Slice(at, 2)), day = Number(text.Slice(at + 2, 2)), hour = Number(text.Slice(at + 4, 2)), minute = Number(text.Slice(at + 6, 2)), second = Number(text.Slice(at + 8, 2));
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59) return false;
        time = new DateTimeOffset(year, month, day, hour, minute, second, TimeSpan.Zero);
        return true;
    }

    /// <summary>The content octets of an INTEGER as a number from 0 to 2^31 - 1.</summary>
    public static bool TryToInt32(ReadOnlySpan<byte> content, out int value)
    {
        value = 0;
        if (content.Length is 0 or > 5 || content[0] >= 0x80) return false;
        long number = 0;
        foreach (byte one in content)
            number = number << 8 | one;
        if (number > int.MaxValue) return false;
        value = (int)number;
        return true;
    }

    private static bool IsShortestInteger(ReadOnlySpan<byte> content) => content.Length switch
    {
        0 => false,
        1 => true,
        _ => !(content[0] == 0 && content[1] < 0x80) && !(content[0] == 0xFF && content[1] >= 0x80),
    };

    private static int Number(ReadOnlySpan<byte> digits)
    {
        int number = 0;
        foreach (byte digit in digits)
            number = number * 10 + (digit - '0');
        return number;
    }
}
