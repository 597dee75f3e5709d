namespace Cloister.Homomorphic.Import;

/// <summary>Reads a table line by line (RFC 4180): cells between separators, quoted where they hold a separator, a quotation mark or a line break. Blank lines are skipped.</summary>
internal sealed class CsvLines(TextReader text, CsvOptions options)
{
    private readonly char[] _block = new char[16 << 10];
    private readonly List<int> _ends = [];
    private char[] _line = new char[1 << 10];
    private int _length;
    private int _at;
    private int _filled;
    private int _next = 1;

    /// <summary>The number of the line that was read, from 1. A quoted line break counts too.</summary>
    public int Line { get; private set; }

    /// <summary>How many cells the line has.</summary>
    public int Count => _ends.Count;

    /// <summary>A cell, without its quotation marks. Valid until the next line is read.</summary>
    public ReadOnlySpan<char> this[int cell]
    {
        get
        {
            int start = cell == 0 ? 0 : _ends[cell - 1];
            return _line.AsSpan(start, _ends[cell] - start);
        }
    }

    /// <summary>Reads the next line that is not blank; false at the end.</summary>
    public bool Read()
    {
        while (Peek() is '\r' or '\n') SkipBreak();
        if (Peek() < 0) return false;
        Line = _next;
        _length = 0;
        _ends.Clear();
        for (; ; )
        {
            if (Peek() == '"') Quoted();
            else Plain();
            if (_ends.Count == options.MaxColumns) throw Refuse(ImportError.TableTooLarge, $"has more than {options.MaxColumns} cells");
            _ends.Add(_length);
            if (Peek() == options.Separator)
            {
                Take();
                continue;
            }
            if (Peek() >= 0) SkipBreak();
            return true;
        }
    }

    public ImportException Refuse(ImportError error, string what) => new(error, $"Line {Line} of the table {what}.");

    private void Plain()
    {
        for (int c = Peek(); c >= 0 && c != options.Separator && c is not ('\r' or '\n'); c = Peek())
        {
            if (c == '"') throw Refuse(ImportError.BadQuotes, $"has a quotation mark inside cell {Count + 1}; quote the whole cell and double the mark");
            Add(Take());
        }
    }

    private void Quoted()
    {
        Take();
        for (; ; )
        {
            int c = Peek();
            if (c < 0) throw Refuse(ImportError.BadQuotes, $"opens a quotation in cell {Count + 1} that is never closed");
            Take();
            if (c == '"')
            {
                if (Peek() != '"') break;
                Take();
            }
            else if (c == '\n')
            {
                _next++;
            }
            Add((char)c);
        }
        if (Peek() is var after && after >= 0 && after != options.Separator && after is not ('\r' or '\n'))
            throw Refuse(ImportError.BadQuotes, $"goes on behind the closing quotation mark of cell {Count + 1}");
    }

    private void SkipBreak()
    {
        if (Take() == '\r' && Peek() == '\n') Take();
        _next++;
    }

    private void Add(char c)
    {
        if (_length == options.MaxLine) throw Refuse(ImportError.TableTooLarge, $"is longer than {options.MaxLine} characters");
        if (_length == _line.Length) Array.Resize(ref _line, Math.Min(2 * _line.Length, options.MaxLine));
        _line[_length++] = c;
    }

    private char Take() => _block[_at++];

    private int Peek()
    {
        if (_at == _filled)
        {
            (_at, _filled) = (0, 0);
            try
            {
                _filled = text.Read(_block, 0, _block.Length);
            }
            catch (System.Text.DecoderFallbackException e)
            {
                throw new ImportException(ImportError.BadText, $"The table is not UTF-8 text near line {_next}. Save it as UTF-8.", e);
            }
            if (_filled == 0) return -1;
        }
        return _block[_at];
    }
}
