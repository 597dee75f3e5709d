using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>What proven evidence says, in a form that policies compare.</summary>
/// <param name="Kind">The kind of TEE that says it.</param>
/// <param name="Simulated">Whether no hardware stands behind it.</param>
/// <param name="Measurement">The main measurement (launch digest, MRTD, MRENCLAVE, folder digest), lower-case hexadecimal.</param>
/// <param name="Fields">Further fields by name; docs/formats/ lists them for each kind.</param>
public sealed record Claims(TeeKind Kind, bool Simulated, string Measurement, ImmutableDictionary<string, string> Fields);
