using System.Buffers.Binary;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>
/// BFV parameters as SEAL has them: degree, chain and plaintext modulus. Where the chain has several moduli, the last one is for keys alone. Every
/// level - the whole chain, then one modulus less at a time - has a parms_id that all objects name.
/// </summary>
public sealed class SealParameters
{
    private const int BfvScheme = 1, ModulusBytes = SealHeader.Bytes + 8;

    private readonly ulong[] _moduli;

    private SealParameters(int degree, ulong[] moduli, ulong plaintextModulus) => (Degree, _moduli, PlaintextModulus) = (degree, moduli, plaintextModulus);

    /// <summary>The length of a parms_id.</summary>
    public const int IdBytes = 32;

    /// <summary>The number of coefficients.</summary>
    public int Degree { get; }

    /// <summary>The whole chain.</summary>
    public IReadOnlyList<ulong> Moduli => _moduli;

    /// <summary>t.</summary>
    public ulong PlaintextModulus { get; }

    /// <summary>How many of the moduli fresh ciphertexts have: all but the last, or the only one.</summary>
    public int DataModuli => Math.Max(_moduli.Length - 1, 1);

    /// <summary>SEAL's view of parameters.</summary>
    /// <param name="parameters">Of one modulus, or with one special modulus.</param>
    /// <exception cref="ArgumentException">There are several moduli and none is special: SEAL has no such parameters.</exception>
    public static SealParameters Of(RlweParameters parameters)
    {
        IReadOnlyList<Modulus> chain = parameters.Ring.Basis.Moduli;
        if (chain.Count > 1 && parameters.SpecialModuli != 1)
            throw new ArgumentException("SEAL keeps the last of several moduli for keys: create the parameters with one special modulus.", nameof(parameters));
        return new SealParameters(parameters.Ring.Degree, [.. chain.Select(modulus => modulus.Value)], parameters.Plaintext.Value);
    }

    /// <summary>The parameters to compute with, checked against the security tables.</summary>
    /// <param name="level">The security wanted.</param>
    /// <exception cref="HomomorphicException">They are refused: among others, SEAL's own defaults are, which exceed ePrint 2024/463 by 1 to 2 %, and moduli of more than 49 bits.</exception>
    public RlweParameters ToRlwe(SecurityLevel level = SecurityLevel.Bits128) =>
        RlweParameters.Create(RingParameters.Create(Degree, _moduli, level), PlaintextModulus, _moduli.Length > 1 ? 1 : 0);

    /// <summary>The parms_id of the level that has the chain's first moduli: BLAKE2b-256 of scheme, degree, moduli and plaintext modulus as 64-bit words.</summary>
    /// <param name="moduli">How many; all of them for keys, <see cref="DataModuli"/> for fresh ciphertexts.</param>
    public byte[] Id(int moduli)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(moduli, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(moduli, _moduli.Length);
        byte[] id = new byte[IdBytes];
        Id(moduli, id);
        return id;
    }

    /// <summary>Reads SEAL's EncryptionParameters. They are not checked for security: <see cref="ToRlwe"/> does that.</summary>
    /// <param name="source">The whole object.</param>
    /// <param name="version">The version that it was saved by.</param>
    /// <exception cref="HomomorphicException">The bytes are refused; the number says why.</exception>
    public static SealParameters Read(ReadOnlySpan<byte> source, out SealVersion version)
    {
        using SealBody body = SealBody.Open(source, BodyBytes(RnsBasis.MaximumModuli), "parameters");
        version = body.Header.Version;
        SealReader reader = body.Reader("parameters");
        byte scheme = reader.Byte("scheme");
        if (scheme != BfvScheme) throw new HomomorphicException(HomomorphicError.SealScheme, $"The parameters are of SEAL's scheme {scheme}; 1, BFV, is what is understood.");
        ulong degree = reader.UInt64("degree"), count = reader.UInt64("number of moduli");
        if (degree is < NegacyclicNtt.MinimumDegree or > NegacyclicNtt.MaximumDegree || !ulong.IsPow2(degree))
            throw new HomomorphicException(HomomorphicError.SealSize, $"The parameters are of degree {degree}; powers of two from {NegacyclicNtt.MinimumDegree} to {NegacyclicNtt.MaximumDegree} are understood.");
        if (count is 0 or > RnsBasis.MaximumModuli) throw new HomomorphicException(HomomorphicError.SealSize, $"The parameters have {count} moduli; 1 to {RnsBasis.MaximumModuli} are understood.");
        var moduli = new ulong[(int)count];
        for (int i = 0; i < moduli.Length; i++) moduli[i] = ReadModulus(ref reader, "modulus");
        ulong plaintext = ReadModulus(ref reader, "plaintext modulus");
        reader.End();
        return new SealParameters((int)degree, moduli, plaintext);
    }

    /// <summary>SEAL's EncryptionParameters.</summary>
    /// <param name="version">The version they are for.</param>
    /// <param name="compression">How they are compressed.</param>
    public byte[] Write(SealVersion version, SealCompression compression = SealCompression.None)
    {
        byte[] whole = SealFormat.NewObject(BodyBytes(_moduli.Length), version);
        var writer = new SealWriter(whole.AsSpan(SealHeader.Bytes), version);
        writer.Byte(BfvScheme);
        writer.UInt64((ulong)Degree);
        writer.UInt64((ulong)_moduli.Length);
        foreach (ulong modulus in (ReadOnlySpan<ulong>)[.. _moduli, PlaintextModulus])
        {
            writer.Header(ModulusBytes);
            writer.UInt64(modulus);
        }
        return SealBody.Close(whole, version, compression);
    }

    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        try
        {
            SealParameters parameters = Read(data, out SealVersion version);
            _ = Read(parameters.Write(version), out _);
        }
        catch (HomomorphicException)
        {
            // The documented refusal.
        }
    }

    internal void Id(int moduli, Span<byte> id)
    {
        Span<byte> words = stackalloc byte[(RnsBasis.MaximumModuli + 3) * 8];
        BinaryPrimitives.WriteUInt64LittleEndian(words, BfvScheme);
        BinaryPrimitives.WriteUInt64LittleEndian(words[8..], (ulong)Degree);
        for (int i = 0; i < moduli; i++) BinaryPrimitives.WriteUInt64LittleEndian(words[((i + 2) * 8)..], _moduli[i]);
        BinaryPrimitives.WriteUInt64LittleEndian(words[((moduli + 2) * 8)..], PlaintextModulus);
        Blake2b.Hash(words[..((moduli + 3) * 8)], id);
    }

    /// <summary>How many moduli the level of a parms_id has.</summary>
    internal int ModuliOf(ReadOnlySpan<byte> id, string what)
    {
        Span<byte> level = stackalloc byte[IdBytes];
        for (int moduli = _moduli.Length; moduli >= 1; moduli--)
        {
            Id(moduli, level);
            if (level.SequenceEqual(id)) return moduli;
        }
        throw new HomomorphicException(HomomorphicError.SealParametersId, $"The {what} was made with other parameters: its parms_id {Convert.ToHexStringLower(id[..8])}... is none of this chain's. Use degree {Degree}, moduli {string.Join(", ", _moduli)} and plaintext modulus {PlaintextModulus}, scheme BFV.");
    }

    private static long BodyBytes(int moduli) => 1 + 8 + 8 + (moduli + 1) * ModulusBytes;

    private static ulong ReadModulus(ref SealReader reader, string member)
    {
        SealReader modulus = reader.Nested(member);
        ulong value = modulus.UInt64("value");
        modulus.End();
        return value;
    }
}
