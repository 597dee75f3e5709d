namespace Cloister.Onnx.Pictures;

/// <summary>Why a picture was refused. The numbers are stable: 1xx is the file's structure, 2xx its content, 3xx what a model asks for.</summary>
public enum PictureError
{
    /// <summary>The bytes do not begin as a PNG file does.</summary>
    NotPng = 101,

    /// <summary>The file ends within a chunk, or without its end chunk.</summary>
    Truncated = 102,

    /// <summary>A chunk's checksum is wrong.</summary>
    BadChecksum = 103,

    /// <summary>A chunk is missing, misplaced, repeated, of a wrong size, or critical and unknown.</summary>
    BadChunk = 104,

    /// <summary>Bytes follow the end chunk.</summary>
    TrailingBytes = 105,

    /// <summary>The header names a combination of colour type, depth and method that PNG does not have.</summary>
    BadHeader = 201,

    /// <summary>The picture or its file is larger than the limits allow.</summary>
    TooLarge = 202,

    /// <summary>The compressed pixels do not inflate, are too few, too many, or fail their checksum.</summary>
    BadPixelData = 203,

    /// <summary>A pixel names a palette entry that does not exist, or the palette is missing.</summary>
    BadPalette = 204,

    /// <summary>No preprocessing has this name.</summary>
    UnknownPreprocessing = 301,

    /// <summary>The picture is not of the size the model asks for.</summary>
    WrongSize = 302,

    /// <summary>The preprocessing does not make as many channels as the model asks for.</summary>
    WrongChannels = 303,
}
