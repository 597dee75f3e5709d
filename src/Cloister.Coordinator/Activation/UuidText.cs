using System.Buffers;
using System.Text;

namespace Cloister.Coordinator.Activation;

/// <summary>
/// A UUID as MarbleRun's marbles may send it, which is what github.com/google/uuid parses: with or without dashes, after <c>urn:uuid:</c>, in braces
/// (any one character before and after), in any case.
/// </summary>
internal static class UuidText
{
    private const string Urn = "urn:uuid:";
    private const int Plain = 32, Dashed = 36;

    // .NET also reads signs and prefixes in a UUID's parts.
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdefABCDEF-");

    public static bool TryParse(string text, out Guid uuid)
    {
        ReadOnlySpan<char> digits = text;
        if (digits.Length == Plain)
            return Guid.TryParseExact(digits, "N", out uuid) && digits.IndexOfAnyExcept(Digits) < 0;
        if (digits.Length == Dashed + Urn.Length && digits.StartsWith(Urn, StringComparison.OrdinalIgnoreCase))
            digits = digits[Urn.Length..];
        else if (digits.Length == Dashed + 2)
            digits = digits[1..^1];
        uuid = default;
        return digits.Length == Dashed && Guid.TryParseExact(digits, "D", out uuid) && digits.IndexOfAnyExcept(Digits) < 0;
    }

    /// <summary>Why a text is none, in that library's words. The text itself is a stranger's and is not repeated.</summary>
    public static string Problem(string text) => Encoding.UTF8.GetByteCount(text) switch
    {
        Plain or Dashed or Dashed + 2 => "invalid UUID format",
        Dashed + 9 => text.StartsWith(Urn, StringComparison.OrdinalIgnoreCase) ? "invalid UUID format" : "invalid urn prefix",
        var length => $"invalid UUID length: {length}",
    };

    /// <summary>Fuzz target: any text is a UUID or not.</summary>
    public static void Fuzz(ReadOnlySpan<byte> utf8)
    {
        string text = Encoding.UTF8.GetString(utf8);
        if (TryParse(text, out Guid uuid) ? !TryParse(uuid.ToString("D"), out _) : Problem(text).Length == 0)
            throw new InvalidOperationException("A UUID's own text is not one.");
    }
}
