namespace Cloister.Onnx.Pictures;

/// <summary>What to do with a picture of another size than the model asks for.</summary>
public enum ResizeMode
{
    /// <summary>Refuse it.</summary>
    Refuse = 0,

    /// <summary>Take the nearest pixel.</summary>
    Nearest = 1,

    /// <summary>Mix the four nearest pixels; pixel centres lie at halves, edges repeat, shrinking does not blur.</summary>
    Bilinear = 2,

    /// <summary>As bilinear where it enlarges; where it shrinks, mix all pixels that are shrunk to one, and a little of those around them.</summary>
    Smooth = 3,
}
