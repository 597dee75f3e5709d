namespace Cloister.Protocol.Manifest;

/// <summary>Reads manifests: bytes in, a checked document or every problem out. Pure.</summary>
public static class ManifestReader
{
    /// <summary>Largest manifest: 4 MiB.</summary>
    public const int MaxBytes = 4 << 20;

    /// <summary>Reads a manifest in a dialect.</summary>
    public static ManifestOutcome Read(ReadOnlySpan<byte> json, ManifestDialect dialect) => throw new NotImplementedException();
}
