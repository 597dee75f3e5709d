namespace Cloister.Images;

/// <summary>An image cannot be made or its machine cannot do what was asked. The message says what happened and what to do; it never holds a secret.</summary>
public sealed class ImageException : Exception
{
    /// <summary>Makes an exception.</summary>
    public ImageException(ImageError error, string message, Exception? inner = null)
        : base(message, inner) => Error = error;

    /// <summary>What went wrong.</summary>
    public ImageError Error { get; }
}
