using System.Text;

namespace Cloister.Coordinator.Activation;

/// <summary>A UUID as MarbleRun's marbles may send it: with or without dashes, in braces, after <c>urn:uuid:</c>, in any case.</summary>
internal static class UuidText
{
    private const string Urn = "urn:uuid:";

    public static bool TryParse(string text, out Guid uuid)
    {
        ReadOnlySpan<char> digits = text;
        if (digits.StartsWith(Urn, StringComparison.OrdinalIgnoreCase))
            digits = digits[Urn.Length..];
        else if (digits is ['{', .., '}'])
            digits = digits[1..^1];
        else if (digits.Length == 32)
            return Guid.TryParseExact(digits, "N", out uuid);
        uuid = default;
        return digits.Length == 36 && Guid.TryParseExact(digits, "D", out uuid);
    }

    /// <summary>Fuzz target: any text is a UUID or not.</summary>
    public static void Fuzz(ReadOnlySpan<byte> utf8)
    {
        if (TryParse(Encoding.UTF8.GetString(utf8), out Guid uuid) && !TryParse(uuid.ToString("D"), out _))
            throw new InvalidOperationException("A UUID's own text is not one.");
    }
}
