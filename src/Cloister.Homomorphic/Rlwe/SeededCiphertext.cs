using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>A fresh ciphertext of half the size: its uniform part is the 32-byte seed that it was expanded from.</summary>
public sealed class SeededCiphertext : IDisposable
{
    private readonly byte[] _seed;

    internal SeededCiphertext(RlweParameters parameters, RnsPolynomial c0, ReadOnlySpan<byte> seed)
    {
        (Parameters, C0) = (parameters, c0);
        _seed = seed.ToArray();
    }

    /// <summary>What it was made with.</summary>
    public RlweParameters Parameters { get; }

    /// <summary>The public seed of c1. It is not secret, and is used for this ciphertext alone.</summary>
    public ReadOnlySpan<byte> Seed => _seed;

    internal RnsPolynomial C0 { get; }

    /// <summary>The whole ciphertext.</summary>
    public Ciphertext Expand()
    {
        var ciphertext = new Ciphertext(Parameters, C0.Basis);
        ciphertext.C0.CopyFrom(C0);
        Encryption.ExpandUniform(_seed, ciphertext.C1);
        return ciphertext;
    }

    /// <summary>Zeroes and frees the memory.</summary>
    public void Dispose() => C0.Dispose();
}
