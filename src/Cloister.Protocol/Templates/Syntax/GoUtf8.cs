using System.Buffers;
using System.Globalization;
using System.Text;

namespace Cloister.Protocol.Templates.Syntax;

/// <summary>Code points as Go reads them from bytes: an invalid sequence is U+FFFD and one byte long.</summary>
internal static class GoUtf8
{
    public const int Invalid = 0xFFFD;

    /// <summary>The first code point of non-empty bytes.</summary>
    public static (int Rune, int Width) Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes[0] < 0x80) return (bytes[0], 1);
        return Rune.DecodeFromUtf8(bytes, out Rune rune, out int width) == OperationStatus.Done ? (rune.Value, width) : (Invalid, 1);
    }

    public static bool IsLetterOrDigit(int rune) => rune == '_' || (Rune.IsValid(rune) && (Rune.IsLetter(new Rune(rune)) || Rune.IsDigit(new Rune(rune))));

    public static bool IsSpace(int rune) => rune is ' ' or '\t' or '\r' or '\n';

    /// <summary>Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols, and the ASCII space.</summary>
    public static bool IsPrint(int rune)
    {
        if (rune < 0x80) return rune is >= 0x20 and < 0x7F;
        return Rune.IsValid(rune) && Rune.GetUnicodeCategory(new Rune(rune)) is not
            (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
    }

    /// <summary>Writes a code point; one that is no scalar value becomes U+FFFD.</summary>
    public static int Encode(int rune, Span<byte> to) => (Rune.IsValid(rune) ? new Rune(rune) : new Rune(Invalid)).EncodeToUtf8(to);

    public static int Count(ReadOnlySpan<byte> bytes)
    {
        int count = 0;
        for (int at = 0; at < bytes.Length; at += Decode(bytes[at..]).Width) count++;
        return count;
    }

    /// <summary>For messages: Go's %#U.</summary>
    public static string Shown(int rune) =>
        string.Create(CultureInfo.InvariantCulture, $"U+{rune:X4}") + (IsPrint(rune) ? $" '{char.ConvertFromUtf32(rune)}'" : "");
}
