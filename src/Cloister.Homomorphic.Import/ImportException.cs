namespace Cloister.Homomorphic.Import;

/// <summary>A model or table was refused. <see cref="Error"/> says why as a stable number; the text says where, and what to do next.</summary>
public sealed class ImportException : Exception
{
    /// <summary>Makes a refusal.</summary>
    /// <param name="error">The stable reason.</param>
    /// <param name="message">What was refused, where it stands, and what to do next.</param>
    /// <param name="inner">The reader's own exception, if one was the cause.</param>
    public ImportException(ImportError error, string message, Exception? inner = null)
        : base(message, inner) => Error = error;

    /// <summary>The stable reason.</summary>
    public ImportError Error { get; }
}
