using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Cloister.Attestation.Dcap;

/// <summary>Hostile JSON is not of the form it must have; caught where its parser begins and turned into a refusal.</summary>
internal sealed class CollateralFormatException(string field, string reason) : Exception(reason)
{
    public string Field { get; } = field;
}

/// <summary>Reads values of collateral JSON: strict in form, without allocation where the value is small.</summary>
internal static class CollateralJson
{
    /// <summary>Most bytes of one JSON text.</summary>
    public const int MaximumSize = 1 << 20;

    private const int MaximumDepth = 16;

    public static Utf8JsonReader Start(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = MaximumDepth });
        Next(ref reader);
        return reader;
    }

    /// <summary>Runs a parser; what is malformed becomes a refusal.</summary>
    public static Outcome<T> Guard<T>(Refusal refusal, string document, ReadOnlySpan<byte> text, ReadDocument<T> read)
    {
        if (text.Length > MaximumSize) return Outcome.Refuse<T>(refusal, document, $"{text.Length} bytes; at most {MaximumSize} are read");
        try
        {
            return Outcome.Accept(read(text));
        }
        catch (CollateralFormatException malformed)
        {
            return Outcome.Refuse<T>(refusal, $"{document}.{malformed.Field}", malformed.Message);
        }
        catch (JsonException malformed)
        {
            return Outcome.Refuse<T>(refusal, document, $"not JSON: byte {malformed.BytePositionInLine} of line {malformed.LineNumber}");
        }
        catch (InvalidOperationException malformed) when (malformed is not ObjectDisposedException)
        {
            return Outcome.Refuse<T>(refusal, document, "a text in it is not Unicode"); // found only when the text is taken out
        }
    }

    public delegate T ReadDocument<T>(ReadOnlySpan<byte> text);

    public static void Next(ref Utf8JsonReader reader)
    {
        if (!reader.Read()) throw new CollateralFormatException("end", "the text ends too early");
    }

    /// <summary>After the outermost object nothing may follow.</summary>
    public static void End(ref Utf8JsonReader reader)
    {
        if (reader.Read()) throw new CollateralFormatException("end", "something follows the object");
    }

    public static void Expect(ref Utf8JsonReader reader, JsonTokenType token, string field)
    {
        if (reader.TokenType != token) throw new CollateralFormatException(field, $"is {reader.TokenType}, not {token}");
    }

    /// <summary>Moves to the next member of an object and past its name. False at the object's end.</summary>
    public static bool NextMember(ref Utf8JsonReader reader)
    {
        Next(ref reader);
        return reader.TokenType == JsonTokenType.PropertyName;
    }

    /// <summary>Moves to the next item of an array. False at its end.</summary>
    public static bool NextItem(ref Utf8JsonReader reader, int count, int maximum, string field)
    {
        Next(ref reader);
        if (reader.TokenType == JsonTokenType.EndArray) return false;
        return count < maximum ? true : throw new CollateralFormatException(field, $"more than {maximum} items");
    }

    /// <summary>Marks a member as seen; twice is refused, for readers differ in which of the two counts.</summary>
    public static void Once(ref uint seen, int bit, string field)
    {
        if ((seen & (1u << bit)) != 0) throw new CollateralFormatException(field, "stands twice");
        seen |= 1u << bit;
    }

    public static void Skip(ref Utf8JsonReader reader)
    {
        Next(ref reader);
        reader.Skip();
    }

    public static ReadOnlySpan<byte> PlainText(ref Utf8JsonReader reader, string field)
    {
        Next(ref reader);
        Expect(ref reader, JsonTokenType.String, field);
        return reader.ValueIsEscaped ? throw new CollateralFormatException(field, "has escapes where none belong") : reader.ValueSpan;
    }

    public static long Number(ref Utf8JsonReader reader, long maximum, string field)
    {
        Next(ref reader);
        Expect(ref reader, JsonTokenType.Number, field);
        return reader.TryGetInt64(out long value) && value >= 0 && value <= maximum ? value : throw new CollateralFormatException(field, $"is not a whole number from 0 to {maximum}");
    }

    public static byte[] Hex(ref Utf8JsonReader reader, int size, string field)
    {
        ReadOnlySpan<byte> text = PlainText(ref reader, field);
        return HexOf(text, size) ?? throw new CollateralFormatException(field, $"is not {2 * size} hexadecimal digits");
    }

    public static byte[]? HexOf(ReadOnlySpan<byte> text, int size)
    {
        if (text.Length != 2 * size) return null;
        var bytes = new byte[size];
        return Convert.FromHexString(text, bytes, out _, out int written) == OperationStatus.Done && written == size ? bytes : null;
    }

    /// <summary>A moment as Intel writes it: <c>2025-06-19T10:16:03Z</c>.</summary>
    public static DateTimeOffset Date(ref Utf8JsonReader reader, string field)
    {
        ReadOnlySpan<byte> text = PlainText(ref reader, field);
        Span<char> characters = stackalloc char[20];
        return text.Length == characters.Length && Encoding.ASCII.GetChars(text, characters) == characters.Length
            && DateTime.TryParseExact(characters, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTime moment)
            ? new DateTimeOffset(moment, TimeSpan.Zero)
            : throw new CollateralFormatException(field, "is not a moment such as 2025-06-19T10:16:03Z");
    }
}
