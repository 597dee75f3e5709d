namespace Cloister.Sealing;

/// <summary>What a reader insists on before any content is looked at.</summary>
/// <param name="Maker">The one maker whose signature counts.</param>
/// <param name="ExpectedDigest">The model digest (32 bytes) that the manifest names; null accepts any content of this maker.</param>
/// <param name="MinimumVersion">The oldest acceptable version of the content.</param>
/// <param name="ExpectedName">The content's name; null accepts any.</param>
public sealed record SealedTrust(MakerPublicKey Maker, ReadOnlyMemory<byte>? ExpectedDigest, long MinimumVersion, string? ExpectedName);
