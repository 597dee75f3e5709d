using System.Text;
using Cloister.Protocol.Templates.Execution;
using Cloister.Protocol.Templates.Values;

namespace Cloister.Protocol.Templates.Formatting;

/// <summary>Go's fmt for the values that templates meet: what %v and the other verbs write of each kind.</summary>
internal sealed class GoPrinter(WorkBudget budget, ByteSink sink)
{
    // Addresses mean nothing here, and no template can tell one from another.
    private const ulong Address = 0xC000010000;

    private bool _erroring;

    public FormatWriter Writer { get; } = new(sink);

    private ref FormatFlags Flags => ref Writer.Flags;

    /// <summary>fmt.Sprint: a space between operands of which neither is a string.</summary>
    public void Print(IReadOnlyList<TemplateValue?> values)
    {
        bool afterText = false;
        for (int i = 0; i < values.Count; i++)
        {
            bool isText = values[i] is GoString;
            if (i > 0 && !isText && !afterText) sink.Write((byte)' ');
            Argument(values[i], 'v');
            afterText = isText;
        }
    }

    /// <summary>fmt.Sprintln.</summary>
    public void PrintLine(IReadOnlyList<TemplateValue?> values)
    {
        for (int i = 0; i < values.Count; i++)
        {
            if (i > 0) sink.Write((byte)' ');
            Argument(values[i], 'v');
        }
        sink.Write((byte)'\n');
    }

    /// <summary>One operand of a verb.</summary>
    public void Argument(TemplateValue? value, int verb)
    {
        budget.Step();
        if (value is null)
        {
            if (verb is 'T' or 'v') Writer.Pad("<nil>"u8);
            else BadVerb(null, verb);
        }
        else if (verb == 'T') Writer.Text(Encoding.UTF8.GetBytes(value.Type.Name));
        else if (verb == 'p') Pointer(value, verb);
        else if (value is GoBytes bytes && value.Type == GoType.Bytes) Bytes(bytes, verb, "[]byte");
        else if (!TryText(value, verb)) Value(value, verb, 0);
    }

    /// <summary>%!verb(type=value).</summary>
    private void BadVerb(TemplateValue? value, int verb)
    {
        _erroring = true;
        sink.Write("%!"u8);
        sink.WriteRune(verb);
        sink.Write((byte)'(');
        if (value is null)
        {
            sink.Write("<nil>"u8);
        }
        else
        {
            sink.WriteText(value.Type.Name);
            sink.Write((byte)'=');
            Argument(value, 'v');
        }
        sink.Write((byte)')');
        _erroring = false;
    }

    // A type with a String method, where a string will do.
    private bool TryText(TemplateValue value, int verb)
    {
        if (_erroring || value.Type.Text is not { } text) return false;
        if (value.Type == CommonValues.BigIntPointer)
        {
            BigIntText.Write(Writer, CommonValues.Number(value), verb);
            return true;
        }
        if (Flags.SharpV && value.Type.Source is { } source)
        {
            Writer.Text(Encoding.UTF8.GetBytes(source(value)));
            return true;
        }
        if (Flags.SharpV || verb is not ('v' or 's' or 'x' or 'X' or 'q')) return false;
        Text(Encoding.UTF8.GetBytes(text(value)), value, verb);
        return true;
    }

    private void Value(TemplateValue? value, int verb, int depth)
    {
        budget.Step();
        if (depth > 0 && value is not null && TryText(value, verb)) return;
        switch (value)
        {
            case null: sink.Write(Flags.SharpV ? "interface {}(nil)"u8 : "<nil>"u8); break;
            case GoBool flag when verb is 't' or 'v': Writer.Bool(flag.Value); break;
            case GoInt number: Integer(number.Value, isSigned: true, value, verb); break;
            case GoUint number: Integer(number.Value, isSigned: false, value, verb); break;
            case GoFloat number: Float(number.Value, value, verb); break;
            case GoComplex complex: Complex(complex, verb); break;
            case GoString text: Text(text.Bytes.Span, value, verb); break;
            case GoBytes bytes when verb is 's' or 'q' or 'x' or 'X': Bytes(bytes, verb, value.Type.Name); break;
            case GoBytes bytes: Elements(value, Items(bytes), bytes.IsNil, verb, depth); break;
            case GoList list: Elements(value, list.Items, list.Items.Count == 0, verb, depth); break;
            case GoMap map: Map(map, verb, depth); break;
            case GoStruct fields: Struct(fields, verb, depth); break;
            case GoPointer { Target: GoStruct target } when depth == 0:
                sink.Write((byte)'&');
                Value(target, verb, depth + 1);
                break;
            case GoPointer: Pointer(value, verb); break;
            default: BadVerb(value, verb); break;
        }
    }

    private void Text(ReadOnlySpan<byte> text, TemplateValue value, int verb)
    {
        switch (verb)
        {
            case 'v' when Flags.SharpV:
            case 'q': Writer.Quoted(text, new ByteSink(budget)); break;
            case 'v' or 's': Writer.Text(text); break;
            case 'x' or 'X': Writer.Hex(text, upper: verb == 'X'); break;
            default: BadVerb(value, verb); break;
        }
    }

    private void Bytes(GoBytes value, int verb, string typeName)
    {
        budget.Step(value.Length);
        switch (verb)
        {
            case 's': Writer.Text(value.Bytes.Span); break;
            case 'q': Writer.Quoted(value.Bytes.Span, new ByteSink(budget)); break;
            case 'x' or 'X': Writer.Hex(value.Bytes.Span, upper: verb == 'X'); break;
            case 'v' when Flags.SharpV: Elements(value, Items(value), value.IsNil, verb, 0, typeName); break;
            default: Elements(value, Items(value), value.IsNil, verb, 0); break;
        }
    }

    private static IEnumerable<TemplateValue?> Items(GoBytes bytes)
    {
        for (int i = 0; i < bytes.Length; i++) yield return new GoUint(bytes.Bytes.Span[i], GoType.Uint8) { IsSecret = bytes.IsSecret };
    }

    private void Elements(TemplateValue value, IEnumerable<TemplateValue?> items, bool isNil, int verb, int depth, string? typeName = null)
    {
        if (Flags.SharpV)
        {
            sink.WriteText(typeName ?? value.Type.Name);
            if (isNil)
            {
                sink.Write("(nil)"u8);
                return;
            }
        }
        sink.Write(Flags.SharpV ? (byte)'{' : (byte)'[');
        bool first = true;
        foreach (TemplateValue? item in items)
        {
            Separate(ref first);
            Value(item, verb, depth + 1);
        }
        sink.Write(Flags.SharpV ? (byte)'}' : (byte)']');
    }

    private void Map(GoMap map, int verb, int depth)
    {
        sink.WriteText(Flags.SharpV ? map.Type.Name + "{" : "map[");
        bool first = true;
        foreach (string key in map.SortedKeys)
        {
            Separate(ref first);
            Value(GoString.Of(key), verb, depth + 1);
            sink.Write((byte)':');
            Value(map.Find(key), verb, depth + 1);
        }
        sink.Write(Flags.SharpV ? (byte)'}' : (byte)']');
    }

    private void Struct(GoStruct value, int verb, int depth)
    {
        if (value.Type.IsOpaque)
            throw new ProtocolException(ProtocolError.TemplateUnknown, "template", $"a {value.Type.Name} cannot be printed here.");
        if (Flags.SharpV) sink.WriteText(value.Type.Name);
        sink.Write((byte)'{');
        bool first = true;
        foreach (GoField field in value.Type.Fields)
        {
            Separate(ref first);
            if (Flags.PlusV || Flags.SharpV) sink.WriteText(field.Name + ":");
            Value(value.Field(field.Name), verb, depth + 1);
        }
        sink.Write((byte)'}');
    }

    private void Separate(ref bool first)
    {
        if (!first) sink.Write(Flags.SharpV ? ", "u8 : " "u8);
        first = false;
    }

    private void Pointer(TemplateValue value, int verb)
    {
        ulong address = value switch
        {
            GoPointer pointer => pointer.Target is null ? 0 : Address,
            GoBytes bytes => bytes.IsNil ? 0 : Address,
            GoList list => list.Items.Count == 0 ? 0 : Address,
            GoMap => Address,
            _ => 1,
        };
        if (address == 1) BadVerb(value, verb);
        else if (verb == 'v' && Flags.SharpV) sink.WriteText($"({value.Type.Name})({(address == 0 ? "nil" : $"0x{Address:x}")})");
        else if (verb == 'v' && address == 0) Writer.Pad("<nil>"u8);
        else if (verb is 'v' or 'p')
        {
            bool sharp = Flags.Sharp;
            Flags.Sharp = !sharp;
            Writer.Integer(address, 16, 'x');
            Flags.Sharp = sharp;
        }
        else if (verb is 'b' or 'o' or 'd' or 'x' or 'X') Integer(address, isSigned: false, value, verb);
        else BadVerb(value, verb);
    }

    private void Integer(Int128 number, bool isSigned, TemplateValue value, int verb)
    {
        // As Go reinterprets a negative number's 64 bits where a code point is wanted.
        UInt128 bits = number < 0 ? (ulong)(long)number : (UInt128)number;
        switch (verb)
        {
            case 'v' when Flags.SharpV && !isSigned:
                bool sharp = Flags.Sharp;
                Flags.Sharp = true;
                Writer.Integer(number, 16, 'v');
                Flags.Sharp = sharp;
                break;
            case 'v' or 'd': Writer.Integer(number, 10, 'd'); break;
            case 'b': Writer.Integer(number, 2, 'b'); break;
            case 'o' or 'O': Writer.Integer(number, 8, (char)verb); break;
            case 'x' or 'X': Writer.Integer(number, 16, (char)verb); break;
            case 'c': Writer.Character(bits); break;
            case 'q': Writer.QuotedCharacter(bits); break;
            case 'U': Writer.CodePoint(bits); break;
            default: BadVerb(value, verb); break;
        }
    }

    private void Float(double number, TemplateValue value, int verb)
    {
        if (IsOfFloats(verb)) GoFloatText.Write(Writer, number, (char)verb);
        else BadVerb(value, verb);
    }

    private void Complex(GoComplex value, int verb)
    {
        if (!IsOfFloats(verb))
        {
            BadVerb(value, verb);
            return;
        }
        bool plus = Flags.Plus;
        sink.Write((byte)'(');
        GoFloatText.Write(Writer, value.Value.Real, (char)verb);
        Flags.Plus = true;
        GoFloatText.Write(Writer, value.Value.Imaginary, (char)verb);
        sink.Write("i)"u8);
        Flags.Plus = plus;
    }

    private static bool IsOfFloats(int verb) => verb is 'v' or 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or 'b' or 'x' or 'X';
}
