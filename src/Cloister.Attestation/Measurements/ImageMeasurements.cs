using System.Collections.Immutable;

namespace Cloister.Attestation.Measurements;

/// <summary>What a TPM will show when an image boots: <c>measurements.json</c>, predicted from the built files alone.</summary>
public sealed record ImageMeasurements
{
    /// <summary>The image's name.</summary>
    public required string Name { get; init; }

    /// <summary>Product and security version.</summary>
    public required int Product { get; init; }

    /// <inheritdoc cref="Product"/>
    public required int Version { get; init; }

    /// <summary>Whether the image lets its operator in.</summary>
    public required bool Debug { get; init; }

    /// <summary>SHA-256 of the Unified Kernel Image, lower-case hexadecimal.</summary>
    public required string Uki { get; init; }

    /// <summary>The root's dm-verity hash, lower-case hexadecimal.</summary>
    public required string RootHash { get; init; }

    /// <summary>By boot path: PCRs 4, 5, 7, 9, 11 and 12 of the SHA-256 bank, lower-case hexadecimal.</summary>
    public required ImmutableSortedDictionary<BootPath, ImmutableSortedDictionary<int, string>> Pcrs { get; init; }
}
