namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>One colour component of a frame (T.81, A.1.1, A.2): its size, and what has been read of it.</summary>
internal sealed class JpegComponent(byte id, int horizontal, int vertical, int quantizationTable)
{
    private short[]? _coefficients;
    private byte[]? _samples;

    /// <summary>The name by which scans call it.</summary>
    public byte Id => id;

    /// <summary>Blocks of it beside each other in an interleaved unit (H).</summary>
    public int Horizontal => horizontal;

    /// <summary>Blocks of it above each other in an interleaved unit (V).</summary>
    public int Vertical => vertical;

    /// <summary>Which quantisation table it uses (Tq).</summary>
    public int QuantizationTable => quantizationTable;

    /// <summary>Samples of the picture, without what fills up the last blocks.</summary>
    public int Width { get; private set; }

    public int Height { get; private set; }

    /// <summary>Blocks that a scan of this component alone has.</summary>
    public int BlocksAcross => (Width + 7) / 8;

    public int BlocksDown => (Height + 7) / 8;

    /// <summary>Blocks of an interleaved scan: filled up to whole units.</summary>
    public int StoredAcross { get; private set; }

    public int StoredDown { get; private set; }

    /// <summary>Samples from a row to the next.</summary>
    public int Stride => 8 * StoredAcross;

    /// <summary>The table in force when its first scan began, in zigzag order; null before.</summary>
    public ushort[]? Quantization { get; set; }

    /// <summary>For each coefficient the lowest bit that has been read; -1 where none has been.</summary>
    public sbyte[] Precision { get; } = [.. Enumerable.Repeat((sbyte)-1, 64)];

    /// <summary>64 coefficients a block in zigzag order.</summary>
    public short[] Coefficients => _coefficients ??= new short[64 * StoredAcross * StoredDown];

    /// <summary>Rows of <see cref="Stride"/> samples.</summary>
    public byte[] Samples => _samples ??= new byte[64 * StoredAcross * StoredDown];

    /// <summary>Fits it into a frame of this size and these largest factors.</summary>
    public void Place(int width, int height, int mostHorizontal, int mostVertical, int unitsAcross, int unitsDown)
    {
        Width = (width * horizontal + mostHorizontal - 1) / mostHorizontal;
        Height = (height * vertical + mostVertical - 1) / mostVertical;
        StoredAcross = unitsAcross * horizontal;
        StoredDown = unitsDown * vertical;
    }

    /// <summary>Turns the coefficients into samples and lets them go.</summary>
    public void Transform()
    {
        short[] coefficients = Coefficients;
        for (int row = 0; row < BlocksDown; row++)
        {
            for (int column = 0; column < BlocksAcross; column++)
                Transform(coefficients.AsSpan(64 * (row * StoredAcross + column), 64), row, column);
        }

        _coefficients = null;
    }

    /// <summary>Turns one block into samples.</summary>
    public void Transform(ReadOnlySpan<short> block, int row, int column) =>
        JpegTransform.Inverse(block, Quantization, Samples.AsSpan(8 * (row * Stride + column)), Stride);
}
