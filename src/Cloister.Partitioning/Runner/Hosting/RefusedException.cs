using Cloister.Partitioning.Runner.Wire;

namespace Cloister.Partitioning.Runner.Hosting;

/// <summary>The accelerator does not do what it is asked; the peer is told.</summary>
internal sealed class RefusedException(RefusalCode code, string message) : Exception(message)
{
    /// <summary>Why.</summary>
    public RefusalCode Code { get; } = code;
}
