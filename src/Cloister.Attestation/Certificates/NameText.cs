using System.Globalization;
using System.Text;

namespace Cloister.Attestation.Certificates;

/// <summary>Writes a distinguished name as text (RFC 4514): last part first, attributes by their short names.</summary>
internal static class NameText
{
    private const int MaximumText = 1024;

    private static readonly (byte Id, string Name)[] Attributes = [(3, "CN"), (7, "L"), (8, "ST"), (10, "O"), (11, "OU"), (6, "C"), (9, "STREET"), (5, "2.5.4.5")];

    /// <summary>The text of a DER name; null if it is out of form, longer than 1024 characters or has a value that is no text.</summary>
    public static string? Of(ReadOnlyMemory<byte> name)
    {
        var reader = new DerReader(name);
        if (!reader.TryReadInto(DerReader.Sequence, out DerReader parts) || !reader.IsEmpty) return null;
        var written = new List<string>();
        while (!parts.IsEmpty)
        {
            if (!parts.TryReadInto(DerReader.Set, out DerReader set) || PartOf(set) is not { } part) return null;
            written.Add(part);
        }
        written.Reverse();
        string text = string.Join(',', written);
        return text.Length <= MaximumText ? text : null;
    }

    private static string? PartOf(DerReader set)
    {
        var pairs = new List<string>();
        while (!set.IsEmpty)
        {
            if (!set.TryReadInto(DerReader.Sequence, out DerReader pair) || !pair.TryRead(DerReader.ObjectIdentifier, out ReadOnlyMemory<byte> oid)
                || !pair.TryReadAny(out byte tag, out ReadOnlyMemory<byte> value) || !pair.IsEmpty) return null;
            if (NameOf(oid.Span) is not { } name || tag is not (DerReader.Utf8String or DerReader.PrintableString or DerReader.Ia5String) || !System.Text.Unicode.Utf8.IsValid(value.Span)) return null;
            pairs.Add($"{name}={Escape(Encoding.UTF8.GetString(value.Span))}");
        }
        return pairs.Count == 0 ? null : string.Join('+', pairs);
    }

    private static string? NameOf(ReadOnlySpan<byte> oid)
    {
        if (oid.Length != 3 || oid[0] != 0x55 || oid[1] != 0x04) return null;
        foreach ((byte id, string name) in Attributes)
            if (oid[2] == id) return name;
        return string.Create(CultureInfo.InvariantCulture, $"2.5.4.{oid[2]}");
    }

    private static string Escape(string value)
    {
        var text = new StringBuilder(value.Length);
        for (int i = 0; i < value.Length; i++)
        {
            char one = value[i];
            bool edge = one == ' ' && (i == 0 || i == value.Length - 1) || one == '#' && i == 0;
            if (one == '\0') text.Append("\\00");
            else if (edge || one is '"' or '+' or ',' or ';' or '<' or '>' or '\\') text.Append('\\').Append(one);
            else text.Append(one);
        }
        return text.ToString();
    }
}
