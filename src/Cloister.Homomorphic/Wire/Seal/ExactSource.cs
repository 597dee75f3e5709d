namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>
/// Feeds a decompressor that neither says where its data ended nor minds that it did not: the last byte is given by itself, so that it is asked for only
/// where the data goes up to it, and asking for more is remembered.
/// </summary>
internal sealed unsafe class ExactSource(byte* bytes, int length) : Stream
{
    private int _position;

    /// <summary>Whether the reader came to its end at the last byte: neither before, nor wanting more.</summary>
    internal bool EndsHere => _position == length && !WantedMore;

    /// <summary>Whether the reader wanted more than there is.</summary>
    internal bool WantedMore { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty) return 0;
        int count = Math.Min(buffer.Length, _position < length - 1 ? length - 1 - _position : length - _position);
        if (count == 0) WantedMore = true;
        new ReadOnlySpan<byte>(bytes + _position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
