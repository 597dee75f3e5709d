using System.Collections.Immutable;
using Cloister.Protocol.Manifest;
using Cloister.Sealing;

namespace Cloister.Workload;

/// <summary>A sealed model this workload may open: what it must be, who made it, and the key.</summary>
/// <param name="Name">The model's name in the manifest.</param>
/// <param name="Digest">The sealed file's model digest, lower-case hex SHA-256.</param>
/// <param name="MakerKey">The maker's public key, DER SubjectPublicKeyInfo.</param>
/// <param name="MinimumVersion">The lowest content version that may be opened.</param>
/// <param name="Key">The file's key; owned by the <see cref="Activation"/> and zeroed with it.</param>
public sealed record ModelGrant(string Name, string Digest, ReadOnlyMemory<byte> MakerKey, long MinimumVersion, SecretBytes Key)
{
    /// <summary>
    /// How its predictions are to be protected, a word of <see cref="ModelModes"/>, which this workload's evidence states to its clients. Null:
    /// wholly inside or encrypted, as the sealed file says; never partitioned.
    /// </summary>
    public string? Mode { get; init; }

    /// <summary>What the signed report of a partitioned model must show before it is opened; set exactly with <see cref="ModelModes.Partitioned"/>.</summary>
    public PartitionDemands? Partition { get; init; }
}

/// <summary>What the signed report of a partitioned model must show.</summary>
/// <param name="AssessorKey">SubjectPublicKeyInfo of whoever must have signed it, DER.</param>
/// <param name="MinimumScores">By a name of <see cref="PartitionScores"/>: the least protection, 0 to 1. A score that the report does not have is too low.</param>
public sealed record PartitionDemands(ReadOnlyMemory<byte> AssessorKey, ImmutableSortedDictionary<string, double> MinimumScores)
{
    /// <summary>Whether both demand the same, key and scores compared by content.</summary>
    public bool Equals(PartitionDemands? other) => other is not null && AssessorKey.Span.SequenceEqual(other.AssessorKey.Span) && MinimumScores.SequenceEqual(other.MinimumScores);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(AssessorKey.Length, MinimumScores.Count);
}

/// <summary>Files, environment and arguments that the manifest gives a workload. Values may hold secrets; they are owned by the <see cref="Activation"/>.</summary>
/// <param name="Files">Path to content.</param>
/// <param name="Environment">Name to value, UTF-8.</param>
/// <param name="Arguments">The argument vector; its first element is the program's name. Empty: the command line's own.</param>
public sealed record WorkloadParameters(
    IReadOnlyDictionary<string, SecretBytes> Files,
    IReadOnlyDictionary<string, SecretBytes> Environment,
    IReadOnlyList<string> Arguments);
