namespace Cloister.Attestation.Certificates;

/// <summary>Why certificates or revocation lists do not hold; where nothing is wrong there is no finding (null).</summary>
internal sealed record Finding(Refusal Refusal, string Field, string Reason);
