namespace Cloister.Sealing;

/// <summary>Sealed data, a key or a signature was refused. <see cref="Error"/> says why as a stable number; the text says what to do next and never holds a secret.</summary>
public sealed class SealingException : Exception
{
    /// <summary>Makes a refusal.</summary>
    /// <param name="error">The stable reason.</param>
    /// <param name="message">What happened, why, and what to do next.</param>
    /// <param name="inner">The platform's own exception, if one was the cause.</param>
    public SealingException(SealingError error, string message, Exception? inner = null)
        : base(message, inner) => Error = error;

    /// <summary>The stable reason.</summary>
    public SealingError Error { get; }
}
