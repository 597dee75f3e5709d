using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>
/// All evidence of one attester for one nonce and one key: the primary attester's and that of the devices beside it.
/// The primary's freshly signed field covers every other member.
/// </summary>
/// <param name="Primary">The evidence of the TEE that the code runs in.</param>
/// <param name="Others">Further evidence, at most <see cref="EvidenceCodec.MaximumOthers"/>, in the order it was bound.</param>
/// <param name="Stated">
/// The role, nonce and key for which the maker says that it made the evidence. It is compared with what the verifier expects,
/// so that a refusal can say which of the three differs; what counts is the signed field, computed from the expected ones.
/// </param>
public sealed record EvidenceSet(Evidence Primary, ImmutableArray<Evidence> Others, Binding Stated);
