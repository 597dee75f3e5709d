using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>SEAL's PublicKey: an encryption of zero in values over the whole chain.</summary>
internal static class SealPublicKeys
{
    private const string What = "public key";

    /// <param name="source">The object.</param>
    /// <param name="parameters">What the key is for.</param>
    /// <param name="version">What saved it.</param>
    /// <param name="seeded">Whether its second polynomial must have come as a seed, so that nobody chose it.</param>
    internal static PublicKey Read(ReadOnlySpan<byte> source, RlweParameters parameters, out SealVersion version, bool seeded = false)
    {
        using SealBody body = SealBody.Open(source, Of(parameters).MemberBytes(seeded: false), What);
        version = body.Header.Version;
        SealReader reader = body.Reader(What);
        return ReadMembers(ref reader, SealParameters.Of(parameters), parameters, seeded);
    }

    /// <summary>Reads the members, the last of their object.</summary>
    internal static PublicKey ReadMembers(ref SealReader reader, SealParameters seal, RlweParameters parameters, bool seeded = false)
    {
        SealPolynomials polynomials = SealPolynomials.ReadHead(ref reader, seal, parameters.Ring.Basis, isKey: true, 2);
        var key = new PublicKey(parameters, new RnsPolynomial(polynomials.Basis), new RnsPolynomial(polynomials.Basis));
        try
        {
            if (!polynomials.ReadResidues(ref reader, key.B, key.A) && seeded)
                throw new HomomorphicException(HomomorphicError.WirePublicKey, $"The {reader.What} brings its second polynomial itself. A model hides behind that polynomial, so it must be random for certain: save the key with its seed (createPublicKeySerializable).");
            reader.End();
            if (key.A.HasZeroLimb || key.B.HasZeroLimb)
                throw new HomomorphicException(HomomorphicError.SealTransparent, $"The {reader.What} hides nothing: one of its polynomials is zero modulo a prime.");
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    internal static byte[] Write(PublicKey key, SealVersion version, SealCompression compression)
    {
        SealPolynomials polynomials = Of(key.Parameters);
        if (key.B.Basis.Count != polynomials.Basis.Count) throw new ArgumentException("The key came over Cloister's own wire, without its part for the special modulus: SEAL wants all of it.", nameof(key));
        byte[] whole = SealFormat.NewObject(polynomials.MemberBytes(seeded: false), version);
        var writer = new SealWriter(whole.AsSpan(SealHeader.Bytes), version);
        polynomials.Write(ref writer, SealParameters.Of(key.Parameters), key.B, key.A);
        return SealBody.Close(whole, version, compression);
    }

    internal static void Fuzz(ReadOnlySpan<byte> data, RlweParameters parameters)
    {
        try
        {
            using PublicKey key = Read(data, parameters, out SealVersion version);
            using PublicKey again = Read(Write(key, version, SealCompression.None), parameters, out _);
        }
        catch (HomomorphicException)
        {
            // The documented refusal.
        }
    }

    internal static SealPolynomials Of(RlweParameters parameters) => new(parameters.Ring.Basis, IsKey: true, 2);
}
