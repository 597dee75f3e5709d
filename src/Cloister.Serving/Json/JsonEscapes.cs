using System.Buffers.Binary;

namespace Cloister.Serving.Json;

/// <summary>Resolves the escapes of a JSON string (RFC 8259 section 7) into UTF-8.</summary>
internal static class JsonEscapes
{
    /// <summary>Resolves <paramref name="raw"/>, the bytes between the quotes; <paramref name="offset"/> is where they begin in the body.</summary>
    public static byte[] Resolve(ReadOnlySpan<byte> raw, int offset)
    {
        // An escape is never shorter than what it stands for.
        byte[] resolved = new byte[raw.Length];
        int length = 0;
        for (int i = 0; i < raw.Length;)
        {
            int run = raw[i..].IndexOf((byte)'\\');
            if (run < 0) run = raw.Length - i;
            raw.Slice(i, run).CopyTo(resolved.AsSpan(length));
            i += run;
            length += run;
            if (i < raw.Length) length += ResolveOne(raw, ref i, resolved.AsSpan(length), offset);
        }
        return resolved[..length];
    }

    private static int ResolveOne(ReadOnlySpan<byte> raw, ref int i, Span<byte> destination, int offset)
    {
        int start = i;
        byte escape = raw[i + 1];
        i += 2;
        if (escape == 'u') return ResolveUnicode(raw, ref i, destination, offset + start);
        destination[0] = escape switch
        {
            (byte)'"' or (byte)'\\' or (byte)'/' => escape,
            (byte)'b' => 8,
            (byte)'f' => 12,
            (byte)'n' => 10,
            (byte)'r' => 13,
            (byte)'t' => 9,
            _ => throw Refused("an unknown escape", offset + start),
        };
        return 1;
    }

    private static int ResolveUnicode(ReadOnlySpan<byte> raw, ref int i, Span<byte> destination, int at)
    {
        char unit = ReadUnit(raw, ref i, at);
        if (!char.IsSurrogate(unit)) return new System.Text.Rune(unit).EncodeToUtf8(destination);
        if (char.IsHighSurrogate(unit) && raw[i..].StartsWith("\\u"u8))
        {
            i += 2;
            char low = ReadUnit(raw, ref i, at);
            if (char.IsLowSurrogate(low)) return new System.Text.Rune(unit, low).EncodeToUtf8(destination);
        }
        throw Refused("a lone surrogate", at);
    }

    private static char ReadUnit(ReadOnlySpan<byte> raw, ref int i, int at)
    {
        Span<byte> unit = stackalloc byte[2];
        if (raw.Length - i < 4 || Convert.FromHexString(raw.Slice(i, 4), unit, out _, out _) != System.Buffers.OperationStatus.Done)
            throw Refused("an escape without four hexadecimal digits", at);
        i += 4;
        return (char)BinaryPrimitives.ReadUInt16BigEndian(unit);
    }

    private static ServingException Refused(string reason, int at) =>
        new(ServingError.MalformedJson, $"The body is not valid JSON: {reason} in a string (byte {at}).");
}
