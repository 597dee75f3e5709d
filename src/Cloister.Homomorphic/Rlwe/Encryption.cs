using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>
/// Encrypts and decrypts polynomials modulo t. Secure against chosen plaintexts only (IND-CPA): a holder of the key who tells others what ciphertexts of
/// theirs decrypt to, or that one failed to, gives the key away bit by bit. Never return decryptions to whoever made or changed the ciphertext.
/// </summary>
/// <remarks>Every encryption draws its own seed for the uniform part and, apart from it, its own stream for what is secret.</remarks>
public static class Encryption
{
    /// <summary>The label of what public seeds are expanded to.</summary>
    internal static ReadOnlySpan<byte> UniformLabel => "cloister rlwe uniform 1"u8;

    /// <summary>Encrypts with the secret key: half the size, and less noise than with the public key.</summary>
    /// <param name="message">n coefficients below t.</param>
    /// <param name="key">The key; the same one decrypts.</param>
    public static SeededCiphertext Encrypt(ReadOnlySpan<ulong> message, SecretKey key)
    {
        if (message.IsEmpty) throw new ArgumentException("The message is empty.", nameof(message));
        Span<byte> seed = stackalloc byte[SeedExpander.SeedBytes];
        RandomNumberGenerator.Fill(seed);
        using var uniform = new RnsPolynomial(key.Parameters.Basis, RnsForm.Values);
        ExpandUniform(seed, uniform);
        RnsPolynomial c0 = Hide(message, uniform, key);
        return new SeededCiphertext(key.Parameters, c0, seed);
    }

    /// <summary>Encrypts with the public key: an encryption of zero over the whole chain, divided by the special modulus and so relieved of nearly all its noise, and the message.</summary>
    /// <param name="message">n coefficients below t.</param>
    /// <param name="key">The receiver's key.</param>
    public static Ciphertext Encrypt(ReadOnlySpan<ulong> message, PublicKey key)
    {
        if (message.IsEmpty) throw new ArgumentException("The message is empty.", nameof(message));
        return PublicEncryption.Encrypt(message, key);
    }

    /// <summary>A fresh encryption of zero under a public key: added to a ciphertext it makes it another one of the same message.</summary>
    /// <param name="key">The receiver's key.</param>
    public static Ciphertext EncryptZero(PublicKey key) => PublicEncryption.Encrypt(default, key);

    /// <summary>The message: round(t (c0 + c1 s) / Q), coefficients below t. With too much noise it is another message, and nothing says so.</summary>
    /// <param name="ciphertext">Made under this key.</param>
    /// <param name="key">The secret key.</param>
    public static ulong[] Decrypt(Ciphertext ciphertext, SecretKey key)
    {
        RequireSame(ciphertext.Parameters, key);
        using RnsPolynomial phase = Phase(ciphertext, key);
        using var message = new RnsPolynomial(key.Parameters.PlaintextBasis);
        key.Parameters.ToPlaintext(phase.Basis.Count).Scale(phase, message);
        Modulus t = key.Parameters.Plaintext;
        ReadOnlySpan<double> residues = message.Limb(0);
        var coefficients = new ulong[residues.Length];
        for (int i = 0; i < coefficients.Length; i++) coefficients[i] = t.Unbalance(residues[i]);
        return coefficients;
    }

    /// <summary>The carried coefficients of the message, in the order of the ciphertext's.</summary>
    /// <param name="ciphertext">Made under this key. What says otherwise is only its number of coefficients.</param>
    /// <param name="key">The secret key.</param>
    public static ulong[] Decrypt(CompactCiphertext ciphertext, SecretKey key) => CompactDecryption.Decrypt(ciphertext, key);

    /// <summary>c0 + c1 s, and c2 s^2 where there is a third part, as coefficients.</summary>
    internal static RnsPolynomial Phase(Ciphertext ciphertext, SecretKey key)
    {
        var phase = new RnsPolynomial(ciphertext.Basis);
        phase.CopyFrom(ciphertext.C0);
        key.Apply<Accumulation>(ciphertext.C1, phase);
        if (ciphertext.C2 is not null)
        {
            using var product = new RnsPolynomial(ciphertext.Basis, RnsForm.Values);
            key.Apply<Accumulation>(ciphertext.C2, product);
            key.Apply<Accumulation>(product, phase);
        }
        phase.ToCoefficients();
        return phase;
    }

    /// <summary>The uniform part that a public seed stands for, as values.</summary>
    internal static void ExpandUniform(ReadOnlySpan<byte> seed, RnsPolynomial uniform)
    {
        using var stream = new SeedExpander(seed, UniformLabel);
        Samplers.Uniform(stream, uniform);
    }

    /// <summary>round(Q m / t) + e - a s with a fresh error e; of no message, an encryption of zero.</summary>
    internal static RnsPolynomial Hide(ReadOnlySpan<ulong> message, RnsPolynomial a, SecretKey key)
    {
        var c0 = new RnsPolynomial(a.Basis);
        using SeedExpander stream = SeedExpander.Fresh();
        Samplers.CenteredBinomial(stream, c0);
        if (!message.IsEmpty) key.Parameters.AddMessage(message, c0);
        c0.ToValues();
        key.Apply<Deduction>(a, c0);
        return c0;
    }

    private static void RequireSame(RlweParameters parameters, SecretKey key)
    {
        if (!ReferenceEquals(parameters, key.Parameters)) throw new HomomorphicException(HomomorphicError.OtherParameters, "The ciphertext was made with other parameters than the key's.");
    }
}
