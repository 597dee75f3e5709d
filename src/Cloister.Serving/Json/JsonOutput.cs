using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Cloister.Serving.Json;

/// <summary>Writes JSON into one pooled buffer, which is cleared when it goes back: answers are the caller's data.</summary>
internal sealed class JsonOutput : IDisposable
{
    private static readonly SearchValues<byte> Escaped = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(control => (byte)control), (byte)'"', (byte)'\\', 0x7F]);

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(1024);
    private int _length;

    /// <summary>What was written.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    /// <summary>Writes bytes that are JSON already.</summary>
    public JsonOutput Raw(ReadOnlySpan<byte> json)
    {
        json.CopyTo(Room(json.Length));
        _length += json.Length;
        return this;
    }

    public JsonOutput Text(string text)
    {
        int most = Encoding.UTF8.GetMaxByteCount(text.Length);
        byte[] rented = ArrayPool<byte>.Shared.Rent(most);
        Text(rented.AsSpan(0, Encoding.UTF8.GetBytes(text, rented)));
        ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        return this;
    }

    /// <summary>Writes UTF-8 as a JSON string.</summary>
    public JsonOutput Text(ReadOnlySpan<byte> text)
    {
        Raw("\""u8);
        while (true)
        {
            int stop = text.IndexOfAny(Escaped);
            if (stop < 0) break;
            Raw(text[..stop]);
            WriteEscape(text[stop]);
            text = text[(stop + 1)..];
        }
        return Raw(text).Raw("\""u8);
    }

    public JsonOutput Number(float value, FloatStyle style)
    {
        _length += FloatFormatter.Write(value, Room(FloatFormatter.MaximumLength), style);
        return this;
    }

    public JsonOutput Number(double value, FloatStyle style)
    {
        _length += DoubleFormatter.Write(value, Room(DoubleFormatter.MaximumLength), style);
        return this;
    }

    public JsonOutput Number<T>(T value) where T : IUtf8SpanFormattable
    {
        value.TryFormat(Room(32), out int length, default, CultureInfo.InvariantCulture);
        _length += length;
        return this;
    }

    /// <summary>Writes spaces, which mean nothing between values.</summary>
    public JsonOutput Spaces(int count)
    {
        Room(count)[..count].Fill((byte)' ');
        _length += count;
        return this;
    }

    public JsonOutput Boolean(bool value) => Raw(value ? "true"u8 : "false"u8);

    /// <summary>Writes a list of whole numbers.</summary>
    public JsonOutput List(ReadOnlySpan<long> values)
    {
        Raw("["u8);
        for (int i = 0; i < values.Length; i++)
        {
            if (i > 0) Raw(","u8);
            Number(values[i]);
        }
        return Raw("]"u8);
    }

    /// <summary>Writes bytes as a base64 string.</summary>
    public JsonOutput Base64Of(ReadOnlySpan<byte> bytes)
    {
        Raw("\""u8);
        Base64.EncodeToUtf8(bytes, Room(Base64.GetMaxEncodedToUtf8Length(bytes.Length)), out _, out int written);
        _length += written;
        return Raw("\""u8);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
        _buffer = [];
        _length = 0;
    }

    private void WriteEscape(byte symbol)
    {
        Raw(symbol switch
        {
            (byte)'"' => "\\\""u8,
            (byte)'\\' => "\\\\"u8,
            (byte)'\n' => "\\n"u8,
            (byte)'\r' => "\\r"u8,
            (byte)'\t' => "\\t"u8,
            _ => "\\u00"u8,
        });
        if (symbol is (byte)'"' or (byte)'\\' or (byte)'\n' or (byte)'\r' or (byte)'\t') return;
        symbol.TryFormat(Room(2), out _, "x2", CultureInfo.InvariantCulture);
        _length += 2;
    }

    private Span<byte> Room(int bytes)
    {
        if (_buffer.Length - _length < bytes)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(checked(_length + bytes), 2 * _buffer.Length));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
            _buffer = larger;
        }
        return _buffer.AsSpan(_length);
    }
}
