using System.Globalization;
using System.Numerics;
using Cloister.Onnx.Runtime;

namespace Cloister.Serving.Json;

/// <summary>How one kind of element is read from JSON text.</summary>
internal interface IElement<T>
{
    /// <summary>What is read, for a person.</summary>
    static abstract string Expected { get; }

    /// <summary>Length of the element at the start of the text; 0 if there is none, -1 if it does not fit the type.</summary>
    static abstract int Read(ReadOnlySpan<byte> text, out T value);

    /// <summary>Reads as many elements of a list, each with the comma behind it, as a quicker way can; gives the offset of the first it left.</summary>
    static virtual int ReadRun(ReadOnlySpan<byte> text, int at, Span<T> room, ref int count) => at;
}

internal readonly struct SingleElement : IElement<float>
{
    public static string Expected => "a number";

    public static int Read(ReadOnlySpan<byte> text, out float value)
    {
        int length = FloatParser.Read(text, out value);
        return length > 0 && float.IsInfinity(value) && !IsWord(text) ? -1 : length;
    }

    public static int ReadRun(ReadOnlySpan<byte> text, int at, Span<float> room, ref int count) => FloatRun.Read(text, at, room, ref count);

    /// <summary>An infinity that was asked for, not one that a number overflowed to.</summary>
    internal static bool IsWord(ReadOnlySpan<byte> text) => text[0] == 'I' || (text[0] == '-' && text.Length > 1 && text[1] == 'I');
}

internal readonly struct DoubleElement : IElement<double>
{
    public static string Expected => "a number";

    public static int Read(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        int length = JsonNumber.Scan(text);
        if (length == 0) return 0;
        if (JsonNumber.ScanWord(text[..length], out float word) == length)
        {
            value = word;
            return length;
        }
        value = double.Parse(text[..length], NumberStyles.Float, CultureInfo.InvariantCulture);
        return double.IsInfinity(value) ? -1 : length;
    }
}

internal readonly struct HalfElement : IElement<Half>
{
    public static string Expected => "a number";

    public static int Read(ReadOnlySpan<byte> text, out Half value)
    {
        value = default;
        int length = JsonNumber.Scan(text);
        if (length == 0) return 0;
        if (JsonNumber.ScanWord(text[..length], out float word) == length)
        {
            value = (Half)word;
            return length;
        }
        value = Half.Parse(text[..length], NumberStyles.Float, CultureInfo.InvariantCulture);
        return Half.IsInfinity(value) ? -1 : length;
    }
}

internal readonly struct BFloat16Element : IElement<BFloat16>
{
    public static string Expected => "a number";

    public static int Read(ReadOnlySpan<byte> text, out BFloat16 value)
    {
        int length = DoubleElement.Read(text, out double read);
        value = BFloat16.FromDouble(read);
        return length > 0 && value.IsInfinity && !double.IsInfinity(read) ? -1 : length;
    }
}

internal readonly struct IntegerElement<T> : IElement<T> where T : unmanaged, IBinaryInteger<T>
{
    public static string Expected => "a whole number";

    public static int Read(ReadOnlySpan<byte> text, out T value)
    {
        value = default;
        int length = JsonNumber.Scan(text);
        // A fraction or an exponent is not a whole number, even where its value is: as TF Serving has it.
        if (length == 0 || text[(text[0] == '-' ? 1 : 0)..length].ContainsAnyExceptInRange((byte)'0', (byte)'9')) return 0;
        return T.TryParse(text[..length], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) ? length : -1;
    }
}

internal readonly struct BooleanElement : IElement<bool>
{
    public static string Expected => "true or false";

    public static int Read(ReadOnlySpan<byte> text, out bool value)
    {
        value = text.StartsWith("true"u8);
        return value ? 4 : text.StartsWith("false"u8) ? 5 : 0;
    }
}
