using Cloister.Protocol.Templates.Execution;
using Cloister.Protocol.Templates.Syntax;
using Cloister.Protocol.Templates.Values;

namespace Cloister.Protocol.Templates.Formatting;

/// <summary>Go's fmt.Sprintf: flags, widths, precisions, argument indexes, and what it writes where they are wrong.</summary>
internal ref struct GoPrintf
{
    private const int TooLarge = 1_000_000;

    private readonly ReadOnlySpan<byte> _format;
    private readonly IReadOnlyList<TemplateValue?> _arguments;
    private readonly GoPrinter _printer;
    private readonly WorkBudget _budget;
    private int _at, _argument;
    private bool _goodNumber, _reordered;

    private GoPrintf(WorkBudget budget, ByteSink sink, ReadOnlySpan<byte> format, IReadOnlyList<TemplateValue?> arguments)
    {
        _budget = budget;
        _format = format;
        _arguments = arguments;
        _printer = new GoPrinter(budget, sink);
    }

    public static void Print(WorkBudget budget, ByteSink sink, ReadOnlySpan<byte> format, IReadOnlyList<TemplateValue?> arguments) =>
        new GoPrintf(budget, sink, format, arguments).Run();

    private readonly ByteSink Sink => _printer.Writer.Sink;

    private readonly ref FormatFlags Flags => ref _printer.Writer.Flags;

    private void Run()
    {
        while (_at < _format.Length)
        {
            _budget.Step();
            _goodNumber = true;
            int percent = _format[_at..].IndexOf((byte)'%');
            Sink.Write(percent < 0 ? _format[_at..] : _format.Slice(_at, percent));
            if (percent < 0) break;
            _at += percent + 1;
            Directive();
        }
        Extra();
    }

    private void Directive()
    {
        Flags = default;
        ReadFlags();
        bool afterIndex = ReadIndex();
        ReadWidth(ref afterIndex);
        ReadPrecision(ref afterIndex);
        if (!afterIndex) ReadIndex();
        if (_at >= _format.Length)
        {
            Sink.Write("%!(NOVERB)"u8);
            return;
        }
        (int verb, int width) = GoUtf8.Decode(_format[_at..]);
        _at += width;
        if (verb == '%') Sink.Write((byte)'%');
        else if (!_goodNumber) Wrong(verb, "(BADINDEX)"u8);
        else if (_argument >= _arguments.Count) Wrong(verb, "(MISSING)"u8);
        else
        {
            if (verb == 'v')
                (Flags.SharpV, Flags.Sharp, Flags.PlusV, Flags.Plus) = (Flags.Sharp, false, Flags.Plus, false);
            _printer.Argument(_arguments[_argument++], verb);
        }
    }

    private void ReadFlags()
    {
        for (; _at < _format.Length; _at++)
        {
            switch (_format[_at])
            {
                case (byte)'#': Flags.Sharp = true; break;
                case (byte)'0': Flags.Zero = true; break;
                case (byte)'+': Flags.Plus = true; break;
                case (byte)'-': Flags.Minus = true; break;
                case (byte)' ': Flags.Space = true; break;
                default: return;
            }
        }
    }

    private void ReadWidth(ref bool afterIndex)
    {
        if (Star())
        {
            (Flags.Width, Flags.HasWidth) = FromArgument();
            if (!Flags.HasWidth) Sink.Write("%!(BADWIDTH)"u8);
            if (Flags.Width < 0) (Flags.Width, Flags.Minus) = (-Flags.Width, true);
            afterIndex = false;
            return;
        }
        (Flags.Width, Flags.HasWidth) = Number(_format.Length);
        if (afterIndex && Flags.HasWidth) _goodNumber = false;
    }

    private void ReadPrecision(ref bool afterIndex)
    {
        if (_at + 1 >= _format.Length || _format[_at] != '.') return;
        _at++;
        if (afterIndex) _goodNumber = false;
        afterIndex = ReadIndex();
        if (Star())
        {
            (Flags.Precision, Flags.HasPrecision) = FromArgument();
            if (Flags.Precision < 0) (Flags.Precision, Flags.HasPrecision) = (0, false);
            if (!Flags.HasPrecision) Sink.Write("%!(BADPREC)"u8);
            afterIndex = false;
            return;
        }
        (Flags.Precision, bool isNumber) = Number(_format.Length);
        if (!isNumber) Flags.Precision = 0;
        Flags.HasPrecision = true;
    }

    private bool Star()
    {
        if (_at >= _format.Length || _format[_at] != '*') return false;
        _at++;
        return true;
    }

    // [n] chooses the argument, counted from 1.
    private bool ReadIndex()
    {
        if (_at >= _format.Length || _format[_at] != '[') return false;
        _reordered = true;
        int start = _at, close = _format[_at..].IndexOf((byte)']');
        if (close < 0 || _format.Length - _at < 3)
        {
            _goodNumber = false;
            _at = start + 1;
            return false;
        }
        _at++;
        (int number, bool isNumber) = Number(start + close);
        bool ok = isNumber && _at == start + close;
        _at = start + close + 1;
        if (ok && number >= 1 && number <= _arguments.Count) _argument = number - 1;
        else _goodNumber = false;
        return ok;
    }

    private (int Value, bool IsNumber) Number(int end)
    {
        int value = 0;
        bool isNumber = false;
        for (; _at < end && _format[_at] is >= (byte)'0' and <= (byte)'9'; _at++)
        {
            if (value > TooLarge)
            {
                _at = end;
                return (0, false);
            }
            value = value * 10 + _format[_at] - '0';
            isNumber = true;
        }
        return (value, isNumber);
    }

    private (int Value, bool IsNumber) FromArgument()
    {
        if (_argument >= _arguments.Count) return (0, false);
        Int128? number = _arguments[_argument++] switch { GoInt signed => signed.Value, GoUint unsigned => unsigned.Value, _ => null };
        return number is { } value && value >= -TooLarge && value <= TooLarge ? ((int)value, true) : (0, false);
    }

    private readonly void Wrong(int verb, ReadOnlySpan<byte> reason)
    {
        Sink.Write("%!"u8);
        Sink.WriteRune(verb);
        Sink.Write(reason);
    }

    private readonly void Extra()
    {
        if (_reordered || _argument >= _arguments.Count) return;
        Flags = default;
        Sink.Write("%!(EXTRA "u8);
        for (int i = _argument; i < _arguments.Count; i++)
        {
            if (i > _argument) Sink.Write(", "u8);
            if (_arguments[i] is not { } value)
            {
                Sink.Write("<nil>"u8);
                continue;
            }
            Sink.WriteText(value.Type.Name + "=");
            _printer.Argument(value, 'v');
        }
        Sink.Write((byte)')');
    }
}
