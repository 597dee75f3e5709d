using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>An encryption of zero (b, a) with b = -(a s) + e: with it anybody encrypts to the holder of s.</summary>
public sealed class PublicKey : IDisposable
{
    private PublicKey(RlweParameters parameters, RnsPolynomial b, RnsPolynomial a) => (Parameters, B, A) = (parameters, b, a);

    /// <summary>What it is for.</summary>
    public RlweParameters Parameters { get; }

    /// <summary>Values over the whole chain.</summary>
    internal RnsPolynomial B { get; }

    /// <summary>Values over the whole chain.</summary>
    internal RnsPolynomial A { get; }

    /// <summary>Makes the public key of a secret one. Each call gives another.</summary>
    public static PublicKey Of(SecretKey secret)
    {
        RnsBasis basis = secret.Parameters.Ring.Basis;
        var a = new RnsPolynomial(basis, RnsForm.Values);
        Span<byte> seed = stackalloc byte[SeedExpander.SeedBytes];
        RandomNumberGenerator.Fill(seed);
        Encryption.ExpandUniform(seed, a);
        return new PublicKey(secret.Parameters, Encryption.Hide(default, a, secret), a);
    }

    /// <summary>Zeroes and frees the memory.</summary>
    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
    }
}
