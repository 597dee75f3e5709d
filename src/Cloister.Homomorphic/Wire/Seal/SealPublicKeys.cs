using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>SEAL's PublicKey: an encryption of zero in values over the whole chain.</summary>
internal static class SealPublicKeys
{
    private const string What = "public key";

    internal static PublicKey Read(ReadOnlySpan<byte> source, RlweParameters parameters, out SealVersion version)
    {
        using SealBody body = SealBody.Open(source, Of(parameters).MemberBytes(seeded: false), What);
        version = body.Header.Version;
        SealReader reader = body.Reader(What);
        SealPolynomials polynomials = SealPolynomials.ReadHead(ref reader, SealParameters.Of(parameters), parameters.Ring.Basis, isKey: true, 2);
        var key = new PublicKey(parameters, new RnsPolynomial(polynomials.Basis), new RnsPolynomial(polynomials.Basis));
        try
        {
            polynomials.ReadResidues(ref reader, key.B, key.A);
            reader.End();
            if (SealPolynomials.IsZero(key.A)) throw new HomomorphicException(HomomorphicError.SealTransparent, "What the public key encrypts can be read without the key: its second polynomial is zero.");
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

    private static SealPolynomials Of(RlweParameters parameters) => new(parameters.Ring.Basis, IsKey: true, 2);
}
