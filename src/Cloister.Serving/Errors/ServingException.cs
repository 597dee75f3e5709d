namespace Cloister.Serving;

/// <summary>Everything that hostile or broken input can cause while serving: a stable code and a reason a person can act on, never a secret.</summary>
public sealed class ServingException : Exception
{
    /// <summary>Creates a refusal.</summary>
    public ServingException(ServingError error, string message, Exception? inner = null)
        : base(message, inner) => Error = error;

    /// <summary>The stable code.</summary>
    public ServingError Error { get; }

    /// <summary>For <see cref="ServingError.Overloaded"/>, <see cref="ServingError.QuotaExceeded"/>, <see cref="ServingError.KeysUnavailable"/> and <see cref="ServingError.AcceleratorFailed"/>: how long the caller should wait before it tries again.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
