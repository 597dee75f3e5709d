using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire;

/// <summary>Parameters as bytes (docs/formats/he-ciphertext.md), and the 16 bytes that name them in every object.</summary>
public static class ParameterBlock
{
    /// <summary>The length of an identity.</summary>
    public const int IdentitySize = 16;

    internal const int HeadSize = 16, MaximumSize = HeadSize + (RnsBasis.MaximumModuli * sizeof(ulong));

    /// <summary>The first 16 bytes of SHA-256 over everything that parameters are: degree, primes, special primes, t and level.</summary>
    public static byte[] Identity(RlweParameters parameters) =>
        SHA256.HashData(Labels.Join("cloister/he/parameters/v1"u8, Write(parameters)))[..IdentitySize];

    internal static byte[] Write(RlweParameters parameters)
    {
        IReadOnlyList<Modulus> chain = parameters.Ring.Basis.Moduli;
        var bytes = new byte[HeadSize + (chain.Count * sizeof(ulong))];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, parameters.Ring.Degree);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), (ushort)parameters.Ring.Level);
        bytes[6] = (byte)chain.Count;
        bytes[7] = (byte)parameters.SpecialModuli;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), parameters.Plaintext.Value);
        for (int i = 0; i < chain.Count; i++) BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(HeadSize + (i * sizeof(ulong))), chain[i].Value);
        return bytes;
    }

    /// <summary>Reads a whole block.</summary>
    internal static RlweParameters Read(ReadOnlySpan<byte> block)
    {
        if (block.Length < HeadSize) throw new HomomorphicException(HomomorphicError.WireTruncated, "The parameters end early.");
        WireLength.Require(block.Length, HeadSize + (block[6] * sizeof(ulong)), "The parameters");
        ushort level = BinaryPrimitives.ReadUInt16LittleEndian(block[4..]);
        if (!Enum.IsDefined((SecurityLevel)level)) throw new HomomorphicException(HomomorphicError.NotInTables, $"{level} bits of security are not in the tables: 128, 192 or 256.");
        var primes = new ulong[block[6]];
        for (int i = 0; i < primes.Length; i++) primes[i] = BinaryPrimitives.ReadUInt64LittleEndian(block[(HeadSize + (i * sizeof(ulong)))..]);
        return RlweParameters.Create(
            RingParameters.Create(BinaryPrimitives.ReadInt32LittleEndian(block), primes, (SecurityLevel)level), BinaryPrimitives.ReadUInt64LittleEndian(block[8..]), block[7]);
    }
}
