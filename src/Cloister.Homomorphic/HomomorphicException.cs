namespace Cloister.Homomorphic;

/// <summary>Parameters or data were refused. <see cref="Error"/> says why as a stable number; the text says what to do next and never holds a secret.</summary>
public sealed class HomomorphicException : Exception
{
    /// <summary>Makes a refusal.</summary>
    /// <param name="error">The stable reason.</param>
    /// <param name="message">What was refused, why, and what to do next.</param>
    /// <param name="inner">The platform's own exception, if one was the cause.</param>
    public HomomorphicException(HomomorphicError error, string message, Exception? inner = null)
        : base(message, inner) => Error = error;

    /// <summary>The stable reason.</summary>
    public HomomorphicError Error { get; }
}
