using System.Collections.Immutable;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.State;

/// <summary>A manifest that comes into force once enough users have acknowledged it.</summary>
/// <param name="Manifest">Exactly as it came.</param>
/// <param name="Dialect">The rules it was read by.</param>
/// <param name="OwnerSignatures">Signatures that came with it; all of them verified.</param>
/// <param name="Acknowledged">Users who sent or acknowledged it, in their order.</param>
internal sealed record PendingUpdate(
    ReadOnlyMemory<byte> Manifest,
    ManifestDialect Dialect,
    ImmutableArray<OwnerSignature> OwnerSignatures,
    ImmutableArray<string> Acknowledged);
