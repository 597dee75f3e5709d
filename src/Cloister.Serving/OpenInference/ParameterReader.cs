using System.Buffers.Text;
using System.Text;
using Cloister.Serving.Json;

namespace Cloister.Serving.OpenInference;

/// <summary>Reads the members of a <c>$parameters</c> object.</summary>
internal static class ParameterReader
{
    private const int MaximumName = 256, MaximumText = 64 << 10;

    /// <summary>A parameter's name.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.InvalidRequest"/>: it is too long.</exception>
    public static string Name(ref JsonCursor cursor, ReadOnlySpan<byte> name) => name.Length <= MaximumName
        ? Encoding.UTF8.GetString(name)
        : throw cursor.Invalid($"a parameter's name is longer than {MaximumName} bytes");

    /// <summary>A parameter's value.</summary>
    /// <exception cref="ServingException">It is neither a truth value nor a number nor a text.</exception>
    public static ParameterValue Value(ref JsonCursor cursor, string name)
    {
        switch (cursor.Peek())
        {
            case JsonKind.Boolean: return ParameterValue.Of(cursor.ReadBoolean("a parameter"));
            case JsonKind.String: return ParameterValue.Of(cursor.ReadText($"parameter '{name}'", MaximumText));
            case JsonKind.Number:
                ReadOnlySpan<byte> number = cursor.ReadNumberToken();
                if (Utf8Parser.TryParse(number, out long whole, out int used) && used == number.Length) return ParameterValue.Of(whole);
                if (Utf8Parser.TryParse(number, out ulong large, out used) && used == number.Length) return ParameterValue.Of(large);
                return ParameterValue.Of(Utf8Parser.TryParse(number, out double value, out used) && used == number.Length ? value : double.NaN);
            default: throw cursor.Invalid($"parameter '{name}' must be a text, a number or true or false");
        }
    }
}
