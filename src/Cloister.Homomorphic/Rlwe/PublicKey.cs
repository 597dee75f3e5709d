using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>An encryption of zero (b, a) with b = -(a s) + e: with it anybody encrypts to the holder of s.</summary>
public sealed class PublicKey : IDisposable
{
    private readonly byte[] _seed;

    /// <summary>Takes over b, values over the whole chain or over the moduli of ciphertexts alone, and expands a over the same.</summary>
    internal PublicKey(RlweParameters parameters, RnsPolynomial b, ReadOnlySpan<byte> seed)
    {
        (Parameters, B, _seed) = (parameters, b, seed.ToArray());
        A = new RnsPolynomial(b.Basis, RnsForm.Values);
        Encryption.ExpandUniform(seed, A);
    }

    /// <summary>Takes over both, values over the same moduli.</summary>
    internal PublicKey(RlweParameters parameters, RnsPolynomial b, RnsPolynomial a, ReadOnlySpan<byte> seed = default) => (Parameters, B, A, _seed) = (parameters, b, a, seed.ToArray());

    /// <summary>What it is for.</summary>
    public RlweParameters Parameters { get; }

    /// <summary>The public seed of a; empty where the key came without one, from another library.</summary>
    public ReadOnlySpan<byte> Seed => _seed;

    /// <summary>Values over the whole chain; over the moduli of ciphertexts alone where the key came over the wire.</summary>
    internal RnsPolynomial B { get; }

    /// <summary>Values over the same moduli.</summary>
    internal RnsPolynomial A { get; }

    /// <summary>Makes the public key of a secret one. Each call gives another.</summary>
    public static PublicKey Of(SecretKey secret)
    {
        RnsBasis basis = secret.Parameters.Ring.Basis;
        var a = new RnsPolynomial(basis, RnsForm.Values);
        Span<byte> seed = stackalloc byte[SeedExpander.SeedBytes];
        RandomNumberGenerator.Fill(seed);
        Encryption.ExpandUniform(seed, a);
        return new PublicKey(secret.Parameters, Encryption.Hide(default, a, secret), a, seed);
    }

    /// <summary>Zeroes and frees the memory.</summary>
    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
    }
}
