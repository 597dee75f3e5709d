using System.Buffers.Binary;
using System.Text;

namespace Cloister.Partitioning.Runner.Wire;

/// <summary>Why an accelerator does not do something. The numbers are stable.</summary>
internal enum RefusalCode : ushort
{
    Protocol = 1,
    ModelTooLarge = 2,
    NoRoom = 3,
    ModelRefused = 4,
    OtherDigest = 5,
    RunRefused = 6,
    RunFailed = 7,
    RunTooLong = 8,
    RunTooLarge = 9,
    Flood = 10,
    SharedMemory = 11,
}

/// <summary>An accelerator's refusal: a code and its words, which are for people and never obeyed.</summary>
internal readonly record struct RefusalNote(RefusalCode Code, string Text)
{
    public const int LeastSize = 2;
    public const int MostSize = 2 + MaximumText;

    private const int MaximumText = 512;

    public byte[] Write()
    {
        byte[] text = new byte[MaximumText];
        Encoding.UTF8.GetEncoder().Convert(Text, text, flush: true, out _, out int used, out _);
        byte[] bytes = new byte[2 + used];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)Code);
        text.AsSpan(0, used).CopyTo(bytes.AsSpan(2));
        return bytes;
    }

    /// <summary>Reads a refusal; an unknown code stays a number, and what does not print becomes a question mark.</summary>
    /// <exception cref="WireException"><see cref="AcceleratorFault.BadFrame"/>.</exception>
    public static RefusalNote Read(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        var code = (RefusalCode)reader.UInt16();
        string text = Encoding.UTF8.GetString(reader.Rest());
        return new RefusalNote(code, string.Concat(text.EnumerateRunes().Select(rune => IsPrinted(rune) ? rune.ToString() : "?")));
    }

    // Control and format characters move a terminal's cursor or turn the direction of a line.
    private static bool IsPrinted(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format or System.Globalization.UnicodeCategory.Surrogate
        or System.Globalization.UnicodeCategory.PrivateUse or System.Globalization.UnicodeCategory.OtherNotAssigned
        or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator);
}
