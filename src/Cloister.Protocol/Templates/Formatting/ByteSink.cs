using System.Security.Cryptography;
using Cloister.Protocol.Templates.Execution;
using Cloister.Protocol.Templates.Syntax;

namespace Cloister.Protocol.Templates.Formatting;

/// <summary>Bytes being written. What may be secret stays in buffers that are cleared: when they grow, and by the rendering's <see cref="WorkBudget"/> at its end.</summary>
/// <param name="budget">Counts and clears; null for what is neither large nor secret.</param>
internal sealed class ByteSink(WorkBudget? budget)
{
    private byte[] _buffer = [];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, Length);

    public void Write(byte value)
    {
        if (Length == _buffer.Length) Grow(1);
        _buffer[Length++] = value;
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _buffer.Length - Length) Grow(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(Length));
        Length += bytes.Length;
    }

    public void WriteRune(long rune)
    {
        Span<byte> utf8 = stackalloc byte[4];
        Write(utf8[..GoUtf8.Encode(rune is >= 0 and <= 0x10FFFF ? (int)rune : GoUtf8.Invalid, utf8)]);
    }

    public void WriteText(string text)
    {
        foreach (char c in text) Write((byte)c); // ASCII: names of types, numbers
    }

    public void Fill(byte value, int count)
    {
        for (int i = 0; i < count; i++) Write(value);
    }

    /// <summary>Room for so many bytes, to be filled by the caller.</summary>
    public Span<byte> Reserve(int count)
    {
        if (count > _buffer.Length - Length) Grow(count);
        Length += count;
        return _buffer.AsSpan(Length - count, count);
    }

    private void Grow(int more)
    {
        long wanted = (long)Length + more;
        if (budget is not null) WorkBudget.RequireSize(wanted);
        int size = (int)Math.Min(Math.Max(wanted, Math.Max(64, 2L * _buffer.Length)), Template.MaxRenderedBytes + 64L);
        if (size < wanted) size = (int)wanted;
        byte[] larger = budget?.Buffer(size) ?? new byte[size];
        Written.CopyTo(larger);
        CryptographicOperations.ZeroMemory(_buffer);
        _buffer = larger;
    }
}
