namespace Cloister.Attestation.Tpm;

/// <summary>An attestation key that an activation tied to a genuine TPM.</summary>
/// <param name="Name">Its name, lower-case hexadecimal.</param>
/// <param name="Certificate">SHA-256 of the endorsement key's certificate (DER), lower-case hexadecimal: which TPM.</param>
public sealed record TpmEnrolledKey(string Name, string Certificate);
