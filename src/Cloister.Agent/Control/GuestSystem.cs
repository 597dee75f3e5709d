using Cloister.Agent.Disks;
using Cloister.Images;
using Cloister.Images.Boot;
using Cloister.Platform;

namespace Cloister.Agent.Control;

/// <summary>What an agent stands on: the machine's own parts, or in tests others in their place.</summary>
internal sealed record GuestSystem
{
    /// <summary>One launcher an entry.</summary>
    public string Launchers { get; init; } = GuestPaths.Launchers;

    /// <summary>The policy for the coordinator.</summary>
    public string CoordinatorPolicy { get; init; } = GuestPaths.CoordinatorPolicy;

    /// <summary>Memory that belongs to the agent and that activations may write to.</summary>
    public string Run { get; init; } = GuestPaths.Run;

    /// <summary>Closes the machine: memory, network, limits. Told the definition.</summary>
    public required Action<ImageDefinition> Prepare { get; init; }

    /// <summary>Lets the machine reach its coordinator.</summary>
    public required Action<ImageDefinition, System.Net.IPEndPoint> ReachCoordinator { get; init; }

    /// <summary>Lets a user's programs use the TPM.</summary>
    public required Action<int> GiveTpm { get; init; }

    /// <summary>The machine's own evidence.</summary>
    public required Func<IEvidenceIssuer> Issuer { get; init; }

    /// <summary>The machine's disks.</summary>
    public required Func<ImageDefinition, Reporter, IDataDisks> Disks { get; init; }

    /// <summary>Ends every process that is left but this one.</summary>
    public required Action EndAll { get; init; }

    /// <summary>The clock: the host's, so what it says of certificates' times is the host's word.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
