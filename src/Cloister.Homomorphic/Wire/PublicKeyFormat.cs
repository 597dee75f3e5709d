using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire;

/// <summary>A public key as bytes (docs/formats/he-ciphertext.md): the seed of its uniform part and its other part, over the moduli of ciphertexts.</summary>
public static class PublicKeyFormat
{
    private static ReadOnlySpan<byte> Magic => "CLHEPUBK"u8;

    /// <summary>Writes a public key.</summary>
    public static byte[] Write(PublicKey key)
    {
        var bytes = new byte[WireReader.HeaderSize + BodySize(key.Parameters)];
        WireReader.WriteHeader(bytes, Magic, 0, key.Parameters);
        WriteBody(key, bytes.AsSpan(WireReader.HeaderSize));
        return bytes;
    }

    /// <summary>Reads a public key; the caller disposes of it.</summary>
    /// <param name="bytes">Any bytes.</param>
    /// <param name="parameters">What it must have been made with.</param>
    /// <exception cref="HomomorphicException">The bytes are refused; the number says why.</exception>
    public static PublicKey Read(ReadOnlySpan<byte> bytes, RlweParameters parameters)
    {
        var reader = new WireReader(bytes, Magic, "The public key", parameters, flags: 0);
        reader.RequireLeft(BodySize(parameters));
        return ReadBody(ref reader, parameters);
    }

    internal static int BodySize(RlweParameters parameters) => SeedExpander.SeedBytes + ResiduePacking.Bytes(parameters.Basis);

    internal static void WriteBody(PublicKey key, Span<byte> target)
    {
        if (key.Seed.IsEmpty) throw new ArgumentException("The key came without a seed, from another library: make one with PublicKey.Of.", nameof(key));
        key.Seed.CopyTo(target);
        ResiduePacking.Write(key.B, key.Parameters.Basis.Count, target[SeedExpander.SeedBytes..]);
    }

    internal static PublicKey ReadBody(ref WireReader reader, RlweParameters parameters)
    {
        ReadOnlySpan<byte> seed = reader.Take(SeedExpander.SeedBytes);
        var b = new RnsPolynomial(parameters.Basis, RnsForm.Values);
        try
        {
            ResiduePacking.Read(reader.Take(ResiduePacking.Bytes(parameters.Basis)), b);
            return b.HasZeroLimb
                ? throw new HomomorphicException(HomomorphicError.Transparent, "The public key is zero: what it hides would be readable.")
                : new PublicKey(parameters, b, seed);
        }
        catch
        {
            b.Dispose();
            throw;
        }
    }

    /// <summary>Fuzz target: any bytes are a public key, or refused with a <see cref="HomomorphicException"/>.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes, RlweParameters parameters)
    {
        try
        {
            Read(bytes, parameters).Dispose();
        }
        catch (HomomorphicException)
        {
            // The documented refusal.
            return;
        }
    }
}
