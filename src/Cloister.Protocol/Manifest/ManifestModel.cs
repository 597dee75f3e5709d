using System.Collections.Immutable;

namespace Cloister.Protocol.Manifest;

/// <summary>Cloister: a sealed model.</summary>
public sealed record ManifestModel
{
    internal ManifestModel() { }

    /// <summary>Model digest, 64 lower-case hex digits (docs/formats/sealed.md).</summary>
    public string Digest { get; internal init; } = "";
    /// <summary>The maker's SubjectPublicKeyInfo, DER: Ed25519 or ECDSA P-256.</summary>
    public ReadOnlyMemory<byte> MakerKey { get; internal init; }
    /// <summary>Name of the secret that holds its key: symmetric-key of 256 bits, user-defined.</summary>
    public string Secret { get; internal init; } = "";
    /// <summary>Smallest version of the content that is opened.</summary>
    public long MinimumVersion { get; internal init; }
    /// <summary>A word of <see cref="ModelModes"/>: how its predictions are protected. Null: wholly inside or encrypted, as the sealed file says; never partitioned.</summary>
    public string? Mode { get; internal init; }
    /// <summary>What its report must show; set exactly where <see cref="Mode"/> is <see cref="ModelModes.Partitioned"/>.</summary>
    public ManifestPartition? Partition { get; internal init; }

    /// <summary>Whether the same file is opened in the same way, by whatever key it is sealed.</summary>
    public bool IsSameContent(ManifestModel other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Digest == other.Digest && MinimumVersion == other.MinimumVersion && MakerKey.Span.SequenceEqual(other.MakerKey.Span)
            && Mode == other.Mode && (Partition is null ? other.Partition is null : other.Partition is { } demanded && Partition.IsSame(demanded));
    }
}

/// <summary>Cloister: what the signed report of a partitioned model must show before the model is opened.</summary>
public sealed record ManifestPartition
{
    internal ManifestPartition() { }

    /// <summary>SubjectPublicKeyInfo of whoever must have signed the report, DER: Ed25519 or ECDSA P-256. The model maker's where the manifest names nobody.</summary>
    public ReadOnlyMemory<byte> AssessorKey { get; internal init; }
    /// <summary>By a name of <see cref="PartitionScores"/>: the least protection that was measured, 0 (everything found) to 1 (nothing beyond chance).</summary>
    public ImmutableSortedDictionary<string, double> MinimumScores { get; internal init; } = ManifestDocument.Names.Empty<double>();

    internal bool IsSame(ManifestPartition other) => AssessorKey.Span.SequenceEqual(other.AssessorKey.Span) && MinimumScores.SequenceEqual(other.MinimumScores);
}
