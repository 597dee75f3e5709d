namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>The second bytes of JPEG's markers (T.81, table B.1), those that are told apart.</summary>
internal enum JpegMarker : byte
{
    BaselineFrame = 0xC0,
    ExtendedFrame = 0xC1,
    ProgressiveFrame = 0xC2,
    LastFrame = 0xCF,
    HuffmanTables = 0xC4,
    Reserved = 0xC8,
    ArithmeticConditioning = 0xCC,
    Restart0 = 0xD0,
    Restart7 = 0xD7,
    Start = 0xD8,
    End = 0xD9,
    Scan = 0xDA,
    QuantizationTables = 0xDB,
    NumberOfLines = 0xDC,
    RestartInterval = 0xDD,
    Hierarchy = 0xDE,
    Expansion = 0xDF,
    Application0 = 0xE0,
    Application1 = 0xE1,
    Application14 = 0xEE,
    Application15 = 0xEF,
    Comment = 0xFE,
}
