namespace Cloister.Homomorphic;

/// <summary>Why parameters or data were refused. Numbers are stable and append-only: 1xx parameters, 2xx ciphertexts.</summary>
public enum HomomorphicError
{
    /// <summary>The ring degree is no power of two between 1024 and 32768.</summary>
    DegreeNotSupported = 100,

    /// <summary>A modulus has more than 49 bits, or fewer than a prime for this degree can have.</summary>
    ModulusSize = 101,

    /// <summary>A modulus is not prime.</summary>
    ModulusNotPrime = 102,

    /// <summary>A modulus is not 1 modulo twice the degree, so that the ring has no number-theoretic transform over it.</summary>
    ModulusHasNoTransform = 103,

    /// <summary>The same modulus stands twice in a chain.</summary>
    ModulusRepeated = 104,

    /// <summary>A chain has no modulus, or more than 40.</summary>
    ChainLength = 105,

    /// <summary>The product of the moduli exceeds what the security level allows at this degree (ePrint 2024/463, table 5.2).</summary>
    InsecureParameters = 106,

    /// <summary>The tables have no entry for this degree at this security level.</summary>
    NotInTables = 107,

    /// <summary>There are fewer primes of this size than were asked for.</summary>
    NotEnoughPrimes = 108,

    /// <summary>The plaintext modulus is below 2, above 49 bits, or has a factor in common with the ciphertext's moduli.</summary>
    PlaintextModulus = 109,

    /// <summary>A chain cannot have this many special moduli: none or one, and at least one other.</summary>
    SpecialModulus = 110,

    /// <summary>The result would be a ciphertext that anybody can read: its second part would be zero.</summary>
    Transparent = 200,

    /// <summary>There is no modulus left to drop.</summary>
    NoModulusLeft = 201,
}
