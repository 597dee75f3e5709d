namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>How the body of an object is compressed; the header never is. Numbers are SEAL's.</summary>
public enum SealCompression
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>RFC 1950. Saves the unused bits of residues: a quarter of a fresh ciphertext or more.</summary>
    Zlib = 1,
}
