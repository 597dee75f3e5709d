namespace Cloister.Platform;

/// <summary>The platform cannot do what was asked. The message says what happened and what to do; it never holds a secret.</summary>
public sealed class PlatformException : Exception
{
    /// <summary>Makes an exception.</summary>
    public PlatformException(PlatformError error, string message, Exception? inner = null)
        : base(message, inner) => Error = error;

    /// <summary>What went wrong.</summary>
    public PlatformError Error { get; }

    /// <summary>What the TPM itself answered (TPM_RC); null if it was not the TPM that refused.</summary>
    public uint? TpmCode { get; init; }
}
