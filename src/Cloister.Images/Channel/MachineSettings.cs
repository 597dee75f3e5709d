using System.Collections.Immutable;

namespace Cloister.Images.Channel;

/// <summary>What the host tells a machine when it starts. Nothing of it is measured, so nothing of it decides whom the machine trusts.</summary>
public sealed record MachineSettings
{
    /// <summary>The coordinator's mesh address as seen from inside, <c>host:port</c>.</summary>
    public string? Coordinator { get; init; }

    /// <summary>The workload's UUID; null: a fresh one.</summary>
    public Guid? Uuid { get; init; }

    /// <summary>DNS names and addresses for the certificate.</summary>
    public ImmutableArray<string> DnsNames { get; init; } = [];

    /// <summary>Arguments for the entry that starts, where it takes any.</summary>
    public ImmutableArray<string> Arguments { get; init; } = [];

    /// <summary>Variables for it, where it allows them.</summary>
    public ImmutableSortedDictionary<string, string> Environment { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}
