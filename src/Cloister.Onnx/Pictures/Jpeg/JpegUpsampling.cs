namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>
/// Gives a component a sample for each pixel. At half the width, the height or both, a sample is three quarters of the nearest one and a
/// quarter of the next (T.81 leaves it open, and this is what most decoders do, roundings included); elsewhere it is the nearest one.
/// </summary>
internal sealed class JpegUpsampling
{
    private readonly JpegComponent _component;
    private readonly JpegFrame _frame;
    private readonly bool _halfWidth, _halfHeight, _plain;
    private readonly byte[] _row;
    private readonly int[] _columns;

    public JpegUpsampling(JpegComponent component, JpegFrame frame)
    {
        (_component, _frame) = (component, frame);
        bool fullWidth = component.Horizontal == frame.MostHorizontal, fullHeight = component.Vertical == frame.MostVertical;
        _plain = fullWidth && fullHeight;
        // Two samples have no inner ones, and decoders take them as they are.
        _halfWidth = 2 * component.Horizontal == frame.MostHorizontal && component.Width > 2 && (fullHeight || 2 * component.Vertical == frame.MostVertical);
        _halfHeight = 2 * component.Vertical == frame.MostVertical && (fullWidth || _halfWidth);
        _row = _plain ? [] : new byte[2 * Math.Max(frame.Width, component.Width)];
        _columns = _halfWidth ? new int[component.Width] : [];
    }

    /// <summary>The samples of one row of pixels; valid until the next call.</summary>
    public ReadOnlySpan<byte> Row(int y)
    {
        if (_plain)
            return Stored(y);
        if (_halfWidth)
            WidenRow(y);
        else if (_halfHeight)
            MixRows(y);
        else
            Repeat(y);
        return _row;
    }

    private ReadOnlySpan<byte> Stored(int y) => _component.Samples.AsSpan(y * _component.Stride, _component.Width);

    // The row next in distance: above for even rows, below for odd ones, itself at the edges.
    private ReadOnlySpan<byte> Neighbour(int y) => Stored(Math.Clamp(y / 2 + (y % 2 == 0 ? -1 : 1), 0, _component.Height - 1));

    private void MixRows(int y)
    {
        ReadOnlySpan<byte> near = Stored(y / 2), far = Neighbour(y);
        int half = 1 + y % 2;
        for (int x = 0; x < near.Length; x++)
            _row[x] = (byte)(3 * near[x] + far[x] + half >> 2);
    }

    private void WidenRow(int y)
    {
        int[] columns = _columns;
        int shift, left, right;
        if (_halfHeight)
        {
            ReadOnlySpan<byte> near = Stored(y / 2), far = Neighbour(y);
            for (int x = 0; x < columns.Length; x++)
                columns[x] = 3 * near[x] + far[x];
            (shift, left, right) = (4, 8, 7);
        }
        else
        {
            ReadOnlySpan<byte> near = Stored(y);
            for (int x = 0; x < columns.Length; x++)
                columns[x] = near[x];
            (shift, left, right) = (2, 1, 2);
        }

        int end = columns.Length - 1;
        _row[0] = (byte)(4 * columns[0] + (_halfHeight ? 8 : 0) >> shift);
        for (int x = 0; x < end; x++)
        {
            _row[2 * x + 1] = (byte)(3 * columns[x] + columns[x + 1] + right >> shift);
            _row[2 * x + 2] = (byte)(3 * columns[x + 1] + columns[x] + left >> shift);
        }

        _row[2 * end + 1] = (byte)(4 * columns[end] + (_halfHeight ? 7 : 0) >> shift);
    }

    private void Repeat(int y)
    {
        ReadOnlySpan<byte> stored = Stored(y * _component.Vertical / _frame.MostVertical);
        for (int x = 0; x < _frame.Width; x++)
            _row[x] = stored[x * _component.Horizontal / _frame.MostHorizontal];
    }
}
