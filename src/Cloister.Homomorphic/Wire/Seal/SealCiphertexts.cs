using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>SEAL's Ciphertext.</summary>
internal static class SealCiphertexts
{
    private const string What = "ciphertext";
    private const int MaximumPolynomials = 3;

    internal static Ciphertext Read(ReadOnlySpan<byte> source, RlweParameters parameters, out SealVersion version)
    {
        SealParameters seal = SealParameters.Of(parameters);
        using SealBody body = SealBody.Open(source, new SealPolynomials(parameters.Basis, IsKey: false, MaximumPolynomials).MemberBytes(seeded: false), What);
        version = body.Header.Version;
        SealReader reader = body.Reader(What);
        SealPolynomials polynomials = SealPolynomials.ReadHead(ref reader, seal, parameters.Basis, isKey: false, MaximumPolynomials);
        var ciphertext = new Ciphertext(parameters, polynomials.Basis, polynomials.Count);
        try
        {
            polynomials.ReadResidues(ref reader, Parts(ciphertext));
            reader.End();
            if (IsTransparent(ciphertext)) throw new HomomorphicException(HomomorphicError.SealTransparent, "The ciphertext can be read without the key: all its polynomials but the first are zero, modulo one prime or all. Encrypt it.");
            return ciphertext;
        }
        catch
        {
            ciphertext.Dispose();
            throw;
        }
    }

    internal static byte[] Write(Ciphertext ciphertext, SealVersion version, SealCompression compression)
    {
        if (IsTransparent(ciphertext)) throw new HomomorphicException(HomomorphicError.SealTransparent, "The ciphertext can be read without the key: all its polynomials but the first are zero. SEAL refuses it.");
        var polynomials = new SealPolynomials(ciphertext.Basis, IsKey: false, ciphertext.Size);
        byte[] whole = SealFormat.NewObject(polynomials.MemberBytes(seeded: false), version);
        var writer = new SealWriter(whole.AsSpan(SealHeader.Bytes), version);
        polynomials.Write(ref writer, SealParameters.Of(ciphertext.Parameters), Parts(ciphertext));
        return SealBody.Close(whole, version, compression);
    }

    /// <summary>Encrypts and writes c0 and the seed of c1.</summary>
    internal static byte[] Encrypt(ReadOnlySpan<ulong> message, SecretKey key, SealVersion version, SealCompression compression)
    {
        Span<byte> seed = stackalloc byte[SealSeed.SeedBytes];
        RandomNumberGenerator.Fill(seed);
        return Encrypt(message, key, new SealSeed(SealGenerator.Blake2Xb, seed), version, compression);
    }

    internal static byte[] Encrypt(ReadOnlySpan<ulong> message, SecretKey key, SealSeed seed, SealVersion version, SealCompression compression)
    {
        if (message.IsEmpty) throw new ArgumentException("The message is empty.", nameof(message));
        var polynomials = new SealPolynomials(key.Parameters.Basis, IsKey: false, 2);
        byte[] whole = SealFormat.NewObject(polynomials.MemberBytes(seeded: true), version);
        using var c1 = new RnsPolynomial(polynomials.Basis);
        seed.Expand(c1);
        c1.ToValues();
        using RnsPolynomial c0 = Encryption.Hide(message, c1, key);
        var writer = new SealWriter(whole.AsSpan(SealHeader.Bytes), version);
        polynomials.WriteSeeded(ref writer, SealParameters.Of(key.Parameters), c0, seed);
        return SealBody.Close(whole, version, compression);
    }

    internal static void Fuzz(ReadOnlySpan<byte> data, RlweParameters parameters)
    {
        try
        {
            using Ciphertext ciphertext = Read(data, parameters, out SealVersion version);
            using Ciphertext again = Read(Write(ciphertext, version, SealCompression.None), parameters, out _);
        }
        catch (HomomorphicException)
        {
            // The documented refusal.
        }
    }

    private static RnsPolynomial[] Parts(Ciphertext ciphertext) => ciphertext.C2 is { } c2 ? [ciphertext.C0, ciphertext.C1, c2] : [ciphertext.C0, ciphertext.C1];

    private static bool IsTransparent(Ciphertext ciphertext) => ciphertext.C1.HasZeroLimb && (ciphertext.C2 is null || ciphertext.C2.HasZeroLimb);
}
