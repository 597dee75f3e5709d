namespace Cloister.Images.Volumes;

/// <summary>One state of a sealed disk: which commit counts. Two machines that commit the same version differ in the digest.</summary>
/// <param name="Version">Number of the commit; 0 before the first.</param>
/// <param name="Digest">What that commit is known by, 32 bytes; empty before the first.</param>
public sealed record DiskState(ulong Version, ReadOnlyMemory<byte> Digest)
{
    /// <summary>Bytes in a digest.</summary>
    public const int DigestSize = 32;

    /// <summary>Before the first commit.</summary>
    public static DiskState None { get; } = new(0, default);

    /// <inheritdoc/>
    public bool Equals(DiskState? other) => other is not null && Version == other.Version && Digest.Span.SequenceEqual(other.Digest.Span);

    /// <inheritdoc/>
    public override int GetHashCode() => Version.GetHashCode();
}
