using System.Buffers.Binary;

namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>Reads the bits of entropy-coded segments (T.81, F.2.2.5): the zero after a 0xFF is left out, and a marker ends them.</summary>
internal ref struct JpegBits(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private ulong _bits; // The next bit is the highest; below _count of them are zeros.
    private int _count, _at;

    /// <summary>The next code's value.</summary>
    public int Decode(JpegHuffman table)
    {
        if (_count < 16)
            Fill();
        int found = table.Find((int)(_bits >> 48)), length = found >> 8;
        if (length == 0 || length > _count)
            throw _count < 16 ? Ended() : new PictureException(PictureError.BadPixelData, "The pixels hold a code that no table has; the file is damaged.");
        Drop(length);
        return found & 255;
    }

    /// <summary>As many bits as a number, the first one highest; <paramref name="count"/> is 0 to 16.</summary>
    public int Read(int count)
    {
        if (count == 0)
            return 0;
        if (_count < count)
        {
            Fill();
            if (_count < count)
                throw Ended();
        }

        int value = (int)(_bits >> 64 - count);
        Drop(count);
        return value;
    }

    /// <summary>A signed number of this size category (F.2.2.1, EXTEND).</summary>
    public int ReadSigned(int category)
    {
        int value = Read(category);
        return value < 1 << category >> 1 ? value - (1 << category) + 1 : value;
    }

    /// <summary>Passes over the restart marker that must stand here (B.1.1.5, E.2.4).</summary>
    public void Restart(int number)
    {
        int at = Finish();
        while (at + 1 < _data.Length && _data[at + 1] == 0xff)
            at++;
        if (at + 1 >= _data.Length)
            throw JpegSegments.Truncated();
        if (_data[at + 1] != (byte)JpegMarker.Restart0 + number)
            throw new PictureException(PictureError.BadPixelData, $"Restart marker {number} is missing among the pixels; the file is damaged.");
        _at = at + 2;
    }

    /// <summary>Ends the segment, of which only bits that fill up the last byte may be left, and says where the marker begins.</summary>
    public int Finish()
    {
        Fill();
        if (_count >= 8)
            throw new PictureException(PictureError.BadPixelData, "There are more pixels than the header says; the file is damaged.");
        (_bits, _count) = (0, 0);
        return _at;
    }

    private void Drop(int count)
    {
        _bits <<= count;
        _count -= count;
    }

    private void Fill()
    {
        int take = 64 - _count & ~7;
        if (take == 0)
            return;
        if (_data.Length - _at >= 8)
        {
            ulong eight = BinaryPrimitives.ReadUInt64BigEndian(_data[_at..]);
            if ((~eight - 0x0101010101010101 & eight & 0x8080808080808080) == 0)
            {
                // None of the eight bytes is 0xFF.
                _bits |= eight >> 64 - take << 64 - take - _count;
                _count += take;
                _at += take / 8;
                return;
            }
        }

        for (; _count <= 56 && _at < _data.Length; _count += 8)
        {
            byte value = _data[_at];
            if (value == 0xff)
            {
                if (_at + 1 >= _data.Length || _data[_at + 1] != 0)
                    return;
                _at++;
            }

            _at++;
            _bits |= (ulong)value << 56 - _count;
        }
    }

    private readonly PictureException Ended() => _data.Length - _at < 2
        ? JpegSegments.Truncated()
        : new PictureException(PictureError.BadPixelData, "There are fewer pixels than the header says; the file is cut off or damaged.");
}
