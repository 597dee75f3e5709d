namespace Cloister.Sealing;

/// <summary>How makers sign. The numbers stand in sealed files.</summary>
public enum SignatureAlgorithm : byte
{
    /// <summary>Ed25519, RFC 8032. Needs libcrypto of OpenSSL 3.</summary>
    Ed25519 = 1,

    /// <summary>ECDSA on P-256 with SHA-256, signature r ‖ s (IEEE P1363), FIPS 186-5.</summary>
    EcdsaP256 = 2,
}
