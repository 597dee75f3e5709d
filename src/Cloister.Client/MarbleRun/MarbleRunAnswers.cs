using System.Collections.Immutable;
using Cloister.Protocol.Rest;

namespace Cloister.Client.MarbleRun;

/// <summary>What a coordinator says of its state.</summary>
/// <param name="Code">A <see cref="CoordinatorState"/>: 1 waits for recovery, 2 for a manifest, 3 activates marbles.</param>
/// <param name="Message">The same for a person.</param>
public sealed record MarbleRunStatus(int Code, string Message);

/// <summary>A coordinator's certificates and quote, not yet believed.</summary>
/// <param name="Intermediate">DER.</param>
/// <param name="Root">DER.</param>
/// <param name="Quote">As it was sent; empty where the coordinator runs in simulation.</param>
public sealed record MarbleRunQuote(ReadOnlyMemory<byte> Intermediate, ReadOnlyMemory<byte> Root, ReadOnlyMemory<byte> Quote);

/// <summary>The manifest in force.</summary>
/// <param name="Manifest">The exact bytes that were set; empty if none is.</param>
/// <param name="Fingerprint">Their SHA-256 as the coordinator says it, hexadecimal.</param>
/// <param name="Signature">The root key's ECDSA signature over the SHA-256, ASN.1.</param>
public sealed record MarbleRunManifest(ReadOnlyMemory<byte> Manifest, string Fingerprint, ReadOnlyMemory<byte> Signature);

/// <summary>How far an update is.</summary>
/// <param name="MissingAcknowledgments">How many users must still agree; 0: it is in force.</param>
/// <param name="MissingUsers">Who may.</param>
/// <param name="RecoverySecrets">New recovery secrets by recovery key, encrypted to it; empty unless the update changed the keys.</param>
public sealed record MarbleRunUpdate(int MissingAcknowledgments, ImmutableArray<string> MissingUsers, ImmutableDictionary<string, byte[]> RecoverySecrets);

/// <summary>An update that waits for users to agree.</summary>
/// <param name="Manifest">The update manifest's bytes.</param>
/// <param name="MissingUsers">Who has not agreed yet.</param>
/// <param name="Message">The same for a person.</param>
public sealed record MarbleRunPendingUpdate(ReadOnlyMemory<byte> Manifest, ImmutableArray<string> MissingUsers, string Message);

/// <summary>How far a recovery is.</summary>
/// <param name="Remaining">Shares that are still needed; 0: the coordinator has recovered.</param>
/// <param name="Message">The same for a person.</param>
public sealed record MarbleRunRecovery(int Remaining, string Message);
