namespace Cloister.Onnx.Pictures;

/// <summary>Why a picture was refused. The numbers are stable: 1xx is the file's structure, 2xx its content, 3xx what a model asks for.</summary>
public enum PictureError
{
    /// <summary>The bytes do not begin as a PNG file does.</summary>
    NotPng = 101,

    /// <summary>The file ends before its picture does.</summary>
    Truncated = 102,

    /// <summary>A chunk's checksum is wrong.</summary>
    BadChecksum = 103,

    /// <summary>A chunk is missing, misplaced, repeated, of a wrong size, or critical and unknown.</summary>
    BadChunk = 104,

    /// <summary>Bytes follow the end chunk.</summary>
    TrailingBytes = 105,

    /// <summary>The bytes do not begin as a JPEG file does.</summary>
    NotJpeg = 106,

    /// <summary>The bytes begin as no format does that is read.</summary>
    NotPicture = 107,

    /// <summary>A JPEG segment is missing, misplaced, repeated, of a wrong size, or unknown.</summary>
    BadSegment = 108,

    /// <summary>The header describes a picture that the format does not have.</summary>
    BadHeader = 201,

    /// <summary>The picture or its file is larger than the limits allow.</summary>
    TooLarge = 202,

    /// <summary>The compressed pixels do not decode, are too few, too many, or fail their checksum.</summary>
    BadPixelData = 203,

    /// <summary>A pixel names a palette entry that does not exist, or the palette is missing.</summary>
    BadPalette = 204,

    /// <summary>A JPEG table contradicts itself.</summary>
    BadTable = 205,

    /// <summary>A JPEG scan uses a table that the file does not have.</summary>
    MissingTable = 206,

    /// <summary>A JPEG scan names components, coefficients or bits that are not due.</summary>
    BadScan = 207,

    /// <summary>A JPEG of a kind that is not read: arithmetic, lossless, hierarchical, 12 bits, or of a height told late.</summary>
    UnsupportedCoding = 208,

    /// <summary>A JPEG of colours that are not read: CMYK, YCCK.</summary>
    UnsupportedColors = 209,

    /// <summary>A JPEG of more scans than any encoder makes.</summary>
    TooManyScans = 210,

    /// <summary>No preprocessing has this name.</summary>
    UnknownPreprocessing = 301,

    /// <summary>The picture is not of the size the model asks for.</summary>
    WrongSize = 302,

    /// <summary>The preprocessing does not make as many channels as the model asks for.</summary>
    WrongChannels = 303,
}
