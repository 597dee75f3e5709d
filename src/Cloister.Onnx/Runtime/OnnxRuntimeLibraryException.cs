namespace Cloister.Onnx.Runtime;

/// <summary>Why ONNX Runtime's shared library cannot be used. The numbers are stable.</summary>
public enum OnnxRuntimeLibraryError
{
    /// <summary>No library lies in any of the places that are searched.</summary>
    NotFound = 1,
    /// <summary>The file is not one of the pinned libraries: its SHA-256 differs.</summary>
    NotPinned = 2,
    /// <summary>The system's loader refuses the file.</summary>
    NotLoadable = 3,
    /// <summary>The library is of another version, or lacks the function table that this binding was written for.</summary>
    WrongVersion = 4,
    /// <summary>No library is pinned for this operating system and processor.</summary>
    UnsupportedPlatform = 5,
}

/// <summary>ONNX Runtime's shared library is missing or is not the pinned one; the text says what to do.</summary>
public sealed class OnnxRuntimeLibraryException : Exception
{
    /// <summary>Makes the exception from a reason and a text.</summary>
    public OnnxRuntimeLibraryException(OnnxRuntimeLibraryError error, string message, Exception? inner = null) : base(message, inner) => Error = error;

    /// <summary>The reason.</summary>
    public OnnxRuntimeLibraryError Error { get; }
}
