namespace Cloister.Attestation;

/// <summary>
/// Something that helps to verify evidence: a certificate chain, a revocation list, TCB data, a reference manifest.
/// A hint only: a verifier uses it after checking it against its own anchors, and no digest of evidence covers it.
/// </summary>
/// <param name="Kind">What it is, in lower-case ASCII letters, digits, '-' and '.'; at most 64 characters.</param>
/// <param name="Bytes">Its content in the form that its endorser publishes.</param>
public sealed record Endorsement(string Kind, ReadOnlyMemory<byte> Bytes);
