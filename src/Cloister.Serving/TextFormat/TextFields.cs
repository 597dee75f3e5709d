using System.Globalization;
using System.Text;

namespace Cloister.Serving.TextFormat;

/// <summary>
/// Reads a message's fields by name and type. A singular field that is there twice, a value of the wrong type and, once
/// <see cref="RefuseOthers"/> is called, a field that nobody asked for are refused with their place.
/// </summary>
/// <param name="message">The message.</param>
/// <param name="type">The message's type in its proto file, for a refusal.</param>
internal sealed class TextFields(TextMessage message, string type)
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public TextPosition Position => message.Position;

    public static bool IsInfinity(string word) => word.Equals("inf", StringComparison.OrdinalIgnoreCase) || word.Equals("infinity", StringComparison.OrdinalIgnoreCase);

    public static bool IsNaN(string word) => word.Equals("nan", StringComparison.OrdinalIgnoreCase);

    /// <summary>Where the field stands; the message's place if it is not there.</summary>
    public TextPosition At(string name) => message.Fields.FirstOrDefault(field => field.Name == name)?.Position ?? message.Position;

    /// <summary>A string field; null if it is not there.</summary>
    public string? Text(string name) => Single(name) is { } value ? Text(name, value) : null;

    /// <summary>An integer field in a range; null if it is not there.</summary>
    public long? Integer(string name, long minimum, long maximum) => Single(name) is { } value ? Integer(name, value, minimum, maximum) : null;

    /// <summary>A repeated integer field.</summary>
    public IReadOnlyList<long> Integers(string name, long minimum, long maximum) => [.. All(name).Select(value => Integer(name, value, minimum, maximum))];

    /// <summary>A boolean field; null if it is not there.</summary>
    public bool? Flag(string name) => Single(name) switch
    {
        null => null,
        TextWord { IsNegative: false, Word: "true" or "True" or "t" } => true,
        TextWord { IsNegative: false, Word: "false" or "False" or "f" } => false,
        TextNumber { IsInteger: true, IsNegative: false } number when Magnitude(number) is { } magnitude && magnitude <= 1 => magnitude == 1,
        { } other => throw Wrong(name, other, "true or false"),
    };

    /// <summary>A floating-point field; null if it is not there.</summary>
    public double? Number(string name)
    {
        switch (Single(name))
        {
            case null:
                return null;
            case TextWord word when IsInfinity(word.Word):
                return word.IsNegative ? double.NegativeInfinity : double.PositiveInfinity;
            case TextWord word when IsNaN(word.Word):
                return double.NaN;
            case TextNumber { IsInteger: true } number when Magnitude(number) is { } magnitude:
                return number.IsNegative ? -(double)magnitude : magnitude;
            case TextNumber { Literal: not ['0', >= '0' and <= '9', ..] } number when double.TryParse(number.Literal.TrimEnd('f', 'F'), NumberStyles.Float, CultureInfo.InvariantCulture, out double value):
                return number.IsNegative ? -value : value;
            case { } other:
                throw Wrong(name, other, "a number");
        }
    }

    /// <summary>An enum field, by name or by number; null if it is not there.</summary>
    public int? Choice(string name, params ReadOnlySpan<(string Name, int Number)> values)
    {
        TextValue? given = Single(name);
        if (given is null) return null;
        foreach ((string known, int number) in values)
        {
            if (given is TextWord { IsNegative: false } word ? word.Word == known : given is TextNumber { IsInteger: true } literal && Magnitude(literal) is { } magnitude && (literal.IsNegative ? -(Int128)magnitude : magnitude) == number)
                return number;
        }
        var names = new List<string>();
        foreach ((string known, _) in values) names.Add(known);
        throw Wrong(name, given, "one of " + string.Join(", ", names));
    }

    /// <summary>A message field; null if it is not there.</summary>
    public TextMessage? Message(string name) => Single(name) is { } value ? Message(name, value) : null;

    /// <summary>A repeated message field.</summary>
    public IReadOnlyList<TextMessage> Messages(string name) => [.. All(name).Select(value => Message(name, value))];

    /// <summary>A field that is known, has no meaning here and may say what it likes.</summary>
    /// <returns>Whether it is there.</returns>
    public bool PassOver(string name)
    {
        _known.Add(name);
        return message.Fields.Any(field => field.Name == name);
    }

    /// <summary>At most one of these, which have been read, may be there.</summary>
    public void DemandOneOf(params ReadOnlySpan<string> names)
    {
        string? first = null;
        foreach (TextField field in message.Fields)
        {
            if (!names.Contains(field.Name) || field.Name == first) continue;
            if (first is not null) throw Refused(field.Position, $"'{field.Name}' excludes '{first}', which stands before it.");
            first = field.Name;
        }
    }

    /// <summary>Refuses a field that was not asked for by any other method.</summary>
    public void RefuseOthers()
    {
        foreach (TextField field in message.Fields)
        {
            if (!_known.Contains(field.Name))
                throw Refused(field.Position, $"{type} has no field '{field.Name}'; it has {string.Join(", ", _known.Order(StringComparer.Ordinal))}.");
        }
    }

    /// <summary>A refusal of what a field says.</summary>
    public ServingException Refused(string name, string reason) => Refused(At(name), reason);

    private static ServingException Refused(TextPosition position, string reason) => position.Refusal(ServingError.SettingsRefused, reason);

    private ServingException Wrong(string name, TextValue value, string expected) => Refused(value.Position, $"'{name}' of {type} wants {expected}, not {value.Description}.");

    private TextValue? Single(string name)
    {
        _known.Add(name);
        TextField? found = null;
        foreach (TextField field in message.Fields)
        {
            if (field.Name != name) continue;
            if (field.IsList) throw Refused(field.Position, $"'{name}' of {type} is one value, not a list.");
            if (found is not null) throw Refused(field.Position, $"'{name}' of {type} is there twice; it stands first in line {found.Position.Line}.");
            found = field;
        }
        return found?.Values[0];
    }

    private IEnumerable<TextValue> All(string name)
    {
        _known.Add(name);
        return message.Fields.Where(field => field.Name == name).SelectMany(field => field.Values);
    }

    private string Text(string name, TextValue value)
    {
        if (value is not TextString text) throw Wrong(name, value, "a string");
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(text.Bytes);
        }
        catch (DecoderFallbackException notUtf8)
        {
            throw new ServingException(ServingError.SettingsRefused, $"{value.Position}: '{name}' of {type} is not UTF-8.", notUtf8);
        }
    }

    private long Integer(string name, TextValue value, long minimum, long maximum)
    {
        if (value is not TextNumber { IsInteger: true } number) throw Wrong(name, value, "a whole number");
        Int128 signed = Magnitude(number) is { } magnitude ? (number.IsNegative ? -(Int128)magnitude : magnitude) : Int128.MaxValue;
        if (signed < minimum || signed > maximum) throw Wrong(name, value, $"a whole number from {minimum} to {maximum}");
        return (long)signed;
    }

    private TextMessage Message(string name, TextValue value) => value is TextMessageValue message ? message.Message : throw Wrong(name, value, "a message in { }");

    /// <summary>Decimal, octal (0...) or hexadecimal (0x...); null beyond 64 bits.</summary>
    private static ulong? Magnitude(TextNumber number)
    {
        string literal = number.Literal;
        if (literal.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            return ulong.TryParse(literal.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong hexadecimal) ? hexadecimal : null;
        if (literal[0] != '0') return ulong.TryParse(literal, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : null;
        UInt128 octal = 0;
        foreach (char digit in literal)
        {
            octal = (octal * 8) + (uint)(digit - '0');
            if (octal > ulong.MaxValue) return null;
        }
        return (ulong)octal;
    }
}
