namespace Cloister.Partitioning;

/// <summary>What was given is refused; <see cref="Error"/> says why.</summary>
public sealed class PartitioningException : Exception
{
    /// <summary>Creates the refusal.</summary>
    public PartitioningException(PartitioningError error, string message, Exception? cause = null)
        : base(message, cause) => Error = error;

    /// <summary>The stable number of the reason.</summary>
    public PartitioningError Error { get; }
}
