namespace Cloister.Onnx.Pictures;

/// <summary>A picture cannot be read, or not be given to the model; <see cref="Error"/> says why.</summary>
public sealed class PictureException : Exception
{
    /// <summary>Creates the refusal.</summary>
    public PictureException(PictureError error, string message)
        : base(message) => Error = error;

    /// <summary>Creates the refusal with its cause.</summary>
    public PictureException(PictureError error, string message, Exception cause)
        : base(message, cause) => Error = error;

    /// <summary>The stable number of the reason.</summary>
    public PictureError Error { get; }
}
