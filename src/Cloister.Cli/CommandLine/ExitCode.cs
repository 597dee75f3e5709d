namespace Cloister.Cli.CommandLine;

/// <summary>Why the command ended; the same table stands in docs/cli.md.</summary>
internal enum ExitCode
{
    Success = 0,
    /// <summary>Something that should not happen; the text is all that is known.</summary>
    Failure = 1,
    /// <summary>The command line is wrong.</summary>
    Usage = 2,
    /// <summary>Evidence, a signature, a key or a peer was refused.</summary>
    Refused = 3,
    /// <summary>A file or document could not be read or is not what it should be.</summary>
    BadInput = 4,
    /// <summary>The other side could not be reached or is not ready.</summary>
    Unavailable = 5,
    /// <summary>The other side does not allow this caller to do it.</summary>
    NotPermitted = 6,
    /// <summary>Something this machine needs is missing.</summary>
    MissingRequirement = 7,
    /// <summary>Stopped by the user.</summary>
    Cancelled = 130,
}

/// <summary>An end that a person can act on: what happened, why, what to do next.</summary>
internal sealed class CommandException(ExitCode code, string message, Exception? inner = null) : Exception(message, inner)
{
    public ExitCode Code { get; } = code;
}
