using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>SEAL's SecretKey: a Plaintext with the values of the secret polynomial over the whole chain. What is read on the way is zeroed.</summary>
internal static class SealSecretKeys
{
    private const string What = "secret key";

    internal static SecretKey Read(ReadOnlySpan<byte> source, RlweParameters parameters, out SealVersion version)
    {
        SealParameters seal = SealParameters.Of(parameters);
        RnsBasis chain = parameters.Ring.Basis;
        int words = chain.Degree * chain.Count;
        using SealBody body = SealBody.Open(source, MemberBytes(words), What);
        version = body.Header.Version;
        SealReader reader = body.Reader(What);
        int moduli = seal.ModuliOf(reader.Take(SealParameters.IdBytes, "parms_id"), What);
        if (moduli != chain.Count) throw new HomomorphicException(HomomorphicError.SealLevel, $"The secret key is at a level of {moduli} moduli; keys have all {chain.Count}.");
        ulong count = reader.UInt64("number of values");
        if (count != (ulong)words) throw new HomomorphicException(HomomorphicError.SealSize, $"The secret key has {count} values; {words} are due.");
        double scale = reader.Double("scale");
        if (scale != 1) throw new HomomorphicException(HomomorphicError.SealScale, $"The secret key has scale {scale}; it is 1 in BFV.");
        ReadOnlySpan<byte> residues = reader.Words("values", words, words);
        reader.End();
        var secret = new RnsPolynomial(chain, RnsForm.Values);
        try
        {
            int limbBytes = chain.Degree * 8;
            bool below = true;
            for (int limb = 0; limb < chain.Count; limb++) below &= SealResidues.Read(residues.Slice(limb * limbBytes, limbBytes), secret.Limb(limb), chain.Moduli[limb]);
            if (!below) throw new HomomorphicException(HomomorphicError.SealResidue, "A value of the secret key is not below its modulus.");
            new SealPolynomials(chain, IsKey: true, 1).ToOurs(secret);
            RequireTernary(secret);
            return new SecretKey(parameters, secret);
        }
        catch
        {
            secret.Dispose();
            throw;
        }
    }

    internal static byte[] Write(SecretKey key, SealVersion version, SealCompression compression)
    {
        RnsBasis chain = key.Parameters.Ring.Basis;
        int words = chain.Degree * chain.Count;
        byte[] whole = SealFormat.NewObject(MemberBytes(words), version);
        var writer = new SealWriter(whole.AsSpan(SealHeader.Bytes), version);
        SealParameters.Of(key.Parameters).Id(chain.Count, writer.Take(SealParameters.IdBytes));
        writer.UInt64((ulong)words);
        writer.Double(1);
        new SealPolynomials(chain, IsKey: true, 1).WritePolynomial(key.Values, writer.Words(words));
        return SealBody.Close(whole, version, compression);
    }

    internal static void Fuzz(ReadOnlySpan<byte> data, RlweParameters parameters)
    {
        try
        {
            using SecretKey key = Read(data, parameters, out SealVersion version);
            byte[] written = Write(key, version, SealCompression.None);
            CryptographicOperations.ZeroMemory(written);
        }
        catch (HomomorphicException)
        {
            // The documented refusal.
        }
    }

    private static long MemberBytes(int words) => SealParameters.IdBytes + 8 + 8 + SealWriter.ArrayBytes(words);

    // Every limb has the same coefficients, and they are -1, 0 or 1: sums over all of them, and no branch on any.
    private static void RequireTernary(RnsPolynomial values)
    {
        using var coefficients = new RnsPolynomial(values.Basis);
        coefficients.CopyFrom(values);
        coefficients.ToCoefficients();
        ReadOnlySpan<double> first = coefficients.Limb(0);
        double wrong = 0;
        for (int limb = 0; limb < values.Basis.Count; limb++)
        {
            ReadOnlySpan<double> other = coefficients.Limb(limb);
            for (int i = 0; i < first.Length; i++) wrong += Math.Max(Math.Abs(first[i]), 1) - 1 + Math.Abs(first[i] - other[i]);
        }
        if (wrong != 0) throw new HomomorphicException(HomomorphicError.SealSecret, "The secret key is not the transform of one polynomial with coefficients -1, 0 and 1 modulo every prime.");
    }
}
