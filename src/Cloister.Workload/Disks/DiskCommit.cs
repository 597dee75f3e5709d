namespace Cloister.Workload;

/// <summary>One commit of a sealed disk, as the coordinator remembers it.</summary>
/// <param name="Version">From 1; 0 before the first.</param>
/// <param name="Digest">32 bytes that tell it from any other commit of the same version; empty before the first.</param>
public sealed record DiskCommit(ulong Version, ReadOnlyMemory<byte> Digest);
