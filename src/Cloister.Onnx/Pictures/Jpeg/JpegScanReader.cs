namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>Reads the entropy-coded segments of one scan, unit by unit (T.81, A.2, E.2).</summary>
internal sealed class JpegScanReader
{
    private readonly JpegFrame _frame;
    private readonly JpegScan _scan;
    private readonly int _interval;
    private readonly short[] _block = new short[64];
    private int _run;

    /// <summary>Prepares reading with the tables in force.</summary>
    public JpegScanReader(JpegFrame frame, JpegScan scan, JpegTables tables)
    {
        (_frame, _scan, _interval) = (frame, scan, tables.RestartInterval);
        foreach (JpegScanComponent part in scan.Components)
            part.Take(tables, dc: scan.From == 0 && scan.High == 0, ac: scan.To > 0);
    }

    /// <summary>Reads the scan and returns how many bytes it had; a marker follows them.</summary>
    public int Read(ReadOnlySpan<byte> data)
    {
        var bits = new JpegBits(data);
        JpegComponent first = _scan.Components[0].Component;
        bool alone = _scan.Components.Length == 1;
        int across = alone ? first.BlocksAcross : _frame.UnitsAcross, down = alone ? first.BlocksDown : _frame.UnitsDown;
        for (int row = 0, unit = 0; row < down; row++)
        {
            for (int column = 0; column < across; column++, unit++)
            {
                if (_interval > 0 && unit > 0 && unit % _interval == 0)
                    Restart(ref bits, (unit / _interval - 1) % 8);
                if (alone)
                    ReadBlock(ref bits, _scan.Components[0], row, column);
                else
                    ReadUnit(ref bits, row, column);
            }
        }

        DemandNoRun();
        return bits.Finish();
    }

    private void ReadUnit(ref JpegBits bits, int row, int column)
    {
        foreach (JpegScanComponent part in _scan.Components)
        {
            int horizontal = part.Component.Horizontal, vertical = part.Component.Vertical;
            for (int i = 0; i < horizontal * vertical; i++)
                ReadBlock(ref bits, part, row * vertical + i / horizontal, column * horizontal + i % horizontal);
        }
    }

    private void ReadBlock(ref JpegBits bits, JpegScanComponent part, int row, int column)
    {
        JpegComponent component = part.Component;
        if (!_frame.Progressive)
        {
            _block.AsSpan().Clear();
            JpegBlock.Sequential(ref bits, part.Dc, part.Ac, part, _block);
            component.Transform(_block, row, column);
            return;
        }

        Span<short> block = component.Coefficients.AsSpan(64 * (row * component.StoredAcross + column), 64);
        if (_scan.From == 0 && _scan.High == 0)
            JpegBlock.DcFirst(ref bits, part.Dc, part, _scan.Low, block);
        else if (_scan.From == 0)
            JpegBlock.DcNext(ref bits, _scan.Low, block);
        else if (_scan.High == 0)
            JpegBlock.AcFirst(ref bits, part.Ac, block[_scan.From..(_scan.To + 1)], _scan.Low, ref _run);
        else
            JpegBlock.AcNext(ref bits, part.Ac, block[_scan.From..(_scan.To + 1)], _scan.Low, ref _run);
    }

    private void Restart(ref JpegBits bits, int number)
    {
        DemandNoRun();
        bits.Restart(number);
        foreach (JpegScanComponent part in _scan.Components)
            part.Prediction = 0;
    }

    private void DemandNoRun()
    {
        if (_run > 0)
            throw new PictureException(PictureError.BadPixelData, "A run of blocks goes beyond its scan or its restart marker; the file is damaged.");
    }
}
