namespace Cloister.Partitioning.Runner.Wire;

/// <summary>The other side did what the wire does not allow; it ends the connection.</summary>
internal sealed class WireException(AcceleratorFault fault, string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>What it was.</summary>
    public AcceleratorFault Fault { get; } = fault;
}
