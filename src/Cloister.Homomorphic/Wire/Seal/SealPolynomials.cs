using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>
/// The members that ciphertexts and public keys share in SEAL: parms_id, form, sizes, scale, correction factor, and the residues of all polynomials,
/// limb after limb, or of the first one and a seed for the second.
/// </summary>
/// <param name="Basis">The moduli of the level.</param>
/// <param name="IsKey">Whether it is a key: at the level of the keys and in values. Ciphertexts are below it and in coefficients.</param>
/// <param name="Count">How many polynomials.</param>
internal readonly record struct SealPolynomials(RnsBasis Basis, bool IsKey, int Count)
{
    private const int HeadBytes = SealParameters.IdBytes + 1 + 3 * 8 + 8 + 8;

    /// <summary>The length of the members, without the object's header.</summary>
    internal long MemberBytes(bool seeded) => HeadBytes + SealWriter.ArrayBytes((long)(seeded ? 1 : Count) * Basis.Degree * Basis.Count) + (seeded ? SealSeed.InfoBytes : 0);

    /// <summary>Reads the members before the residues, and refuses what the parameters do not have.</summary>
    internal static SealPolynomials ReadHead(ref SealReader reader, SealParameters parameters, RnsBasis chain, bool isKey, int maximumCount)
    {
        string what = reader.What;
        int moduli = parameters.ModuliOf(reader.Take(SealParameters.IdBytes, "parms_id"), what);
        if (isKey ? moduli != parameters.Moduli.Count : moduli > parameters.DataModuli)
            throw new HomomorphicException(HomomorphicError.SealLevel, $"The {what} is at a level of {moduli} moduli; {(isKey ? $"keys have all {parameters.Moduli.Count}" : $"ciphertexts have at most {parameters.DataModuli}, without the special one")}.");
        byte form = reader.Byte("form");
        if (form != (isKey ? 1 : 0))
            throw new HomomorphicException(HomomorphicError.SealForm, $"The {what} has form {form}; {(isKey ? "1, values after the transform, is due" : "0, coefficients, is due: transform it back before it is saved")}.");
        ulong count = reader.UInt64("number of polynomials"), degree = reader.UInt64("degree"), limbs = reader.UInt64("number of moduli");
        if (count < 2 || count > (ulong)maximumCount) throw new HomomorphicException(HomomorphicError.SealSize, $"The {what} has {count} polynomials; {(maximumCount == 2 ? "2 are" : $"2 to {maximumCount} are")} due{(isKey ? "" : ": relinearise it before it is saved")}.");
        if (degree != (ulong)parameters.Degree || limbs != (ulong)moduli)
            throw new HomomorphicException(HomomorphicError.SealSize, $"The {what} says {degree} coefficients and {limbs} moduli; its parms_id, {parameters.Degree} and {moduli}.");
        double scale = reader.Double("scale");
        ulong correction = reader.UInt64("correction factor");
        if (scale != 1 || correction != 1) throw new HomomorphicException(HomomorphicError.SealScale, $"The {what} has scale {scale} and correction factor {correction}; both are 1 in BFV.");
        return new SealPolynomials(chain.Slice(..moduli), isKey, (int)count);
    }

    /// <summary>Reads the residues into polynomials over the level's moduli, which become values. Returns whether the second was a seed.</summary>
    internal bool ReadResidues(ref SealReader reader, params ReadOnlySpan<RnsPolynomial> polynomials)
    {
        long each = (long)Basis.Degree * Basis.Count;
        ReadOnlySpan<byte> words = reader.Words("residues", Count * each, Count == 2 ? each : Count * each);
        bool seeded = words.Length < Count * each * 8;
        for (int i = 0; i < (seeded ? 1 : Count); i++) ReadPolynomial(words.Slice((int)(i * each * 8), (int)each * 8), polynomials[i], reader.What);
        if (seeded) SealSeed.Read(ref reader).Expand(polynomials[1]);
        foreach (RnsPolynomial polynomial in polynomials) ToOurs(polynomial);
        return seeded;
    }

    /// <summary>Writes all members with the residues of polynomials that hold values.</summary>
    internal void Write(ref SealWriter writer, SealParameters parameters, params ReadOnlySpan<RnsPolynomial> polynomials)
    {
        WriteHead(ref writer, parameters);
        int each = Basis.Degree * Basis.Count * 8;
        Span<byte> words = writer.Words(each / 8 * Count);
        for (int i = 0; i < Count; i++) WritePolynomial(polynomials[i], words.Slice(i * each, each));
    }

    /// <summary>Writes all members with the residues of the first of two polynomials, which holds values, and the seed of the second.</summary>
    internal void WriteSeeded(ref SealWriter writer, SealParameters parameters, RnsPolynomial first, SealSeed seed)
    {
        WriteHead(ref writer, parameters);
        WritePolynomial(first, writer.Words(Basis.Degree * Basis.Count));
        seed.Write(ref writer);
    }

    /// <summary>Makes values in our order of what has residues in SEAL's form for this kind of object.</summary>
    internal unsafe void ToOurs(RnsPolynomial polynomial)
    {
        if (!IsKey)
        {
            polynomial.Form = RnsForm.Coefficients;
            polynomial.ToValues();
            return;
        }
        NttOrders.Transpose(polynomial.Pointer, Basis.Degree * Basis.Count);
        polynomial.Form = RnsForm.Values;
    }

    private static void ReadPolynomial(ReadOnlySpan<byte> words, RnsPolynomial polynomial, string what)
    {
        int limbBytes = polynomial.Basis.Degree * 8;
        for (int limb = 0; limb < polynomial.Basis.Count; limb++)
        {
            Modulus modulus = polynomial.Basis.Moduli[limb];
            if (!SealResidues.Read(words.Slice(limb * limbBytes, limbBytes), polynomial.Limb(limb), modulus))
                throw new HomomorphicException(HomomorphicError.SealResidue, $"A residue of the {what} is not below its modulus {modulus.Value}.");
        }
    }

    internal void WritePolynomial(RnsPolynomial values, Span<byte> words)
    {
        using var copy = new RnsPolynomial(values.Basis);
        copy.CopyFrom(values);
        ToSeals(copy);
        int limbBytes = Basis.Degree * 8;
        for (int limb = 0; limb < Basis.Count; limb++) SealResidues.Write(copy.Limb(limb), words.Slice(limb * limbBytes, limbBytes), Basis.Moduli[limb]);
    }

    private unsafe void ToSeals(RnsPolynomial polynomial)
    {
        if (IsKey) NttOrders.Transpose(polynomial.Pointer, Basis.Degree * Basis.Count); // the order is its own inverse
        else polynomial.ToCoefficients();
    }

    private void WriteHead(ref SealWriter writer, SealParameters parameters)
    {
        parameters.Id(Basis.Count, writer.Take(SealParameters.IdBytes));
        writer.Byte(IsKey ? (byte)1 : (byte)0);
        writer.UInt64((ulong)Count);
        writer.UInt64((ulong)Basis.Degree);
        writer.UInt64((ulong)Basis.Count);
        writer.Double(1);
        writer.UInt64(1);
    }
}
