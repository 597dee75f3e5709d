using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cloister.Attestation.Sgx;

/// <summary>
/// An enclave's signature structure (SIGSTRUCT; Intel SDM volume 3D, "Layout of Enclave Signature Structure", 1808 bytes): what its
/// signer says that the enclave is. Reference values for a policy, if one trusts where the file came from.
/// </summary>
public sealed record SigStruct
{
    /// <summary>Its length in bytes.</summary>
    public const int Size = 1808;

    private const int ModulusAt = 128, ModulusBytes = 384, ExponentAt = 512, SignatureAt = 516, BodyAt = 900, AttributesAt = 928, MaskAt = 944, EnclaveAt = 960, ProductAt = 1024, SvnAt = 1026, BodyEnd = 1028;
    private const ulong DebugFlag = 2;

    private SigStruct()
    {
    }

    /// <summary>MRENCLAVE, which manifests call UniqueID: 64 lower-case hexadecimal digits.</summary>
    public required string MrEnclave { get; init; }

    /// <summary>MRSIGNER, SignerID: SHA-256 of the signer's modulus, as before.</summary>
    public required string MrSigner { get; init; }

    /// <summary>ISVPRODID, ProductID.</summary>
    public required ushort ProductId { get; init; }

    /// <summary>ISVSVN, SecurityVersion.</summary>
    public required ushort SecurityVersion { get; init; }

    /// <summary>Whether the enclave runs under debug: true or false where the signature says so, null where whoever launches it may choose.</summary>
    public required bool? Debug { get; init; }

    /// <summary>Finds the structure in what holds it (a section of an ELF file, a .sig file), and checks its signature.</summary>
    /// <param name="bytes">Hostile.</param>
    public static Outcome<SigStruct> Find(ReadOnlySpan<byte> bytes)
    {
        int from = 0;
        while (bytes[from..].IndexOf(FirstHeader) is >= 0 and int found)
        {
            int at = from + found;
            if (bytes.Length - at < Size) return Refuse(Refusal.SigStructMalformed, "the signature structure is cut off");
            ReadOnlySpan<byte> structure = bytes.Slice(at, Size);
            if (structure.Slice(24, SecondHeader.Length).SequenceEqual(SecondHeader)) return Read(structure);
            from = at + 1;
        }
        return Refuse(Refusal.SigStructMalformed, "there is no signature structure of an enclave in it");
    }

    private static ReadOnlySpan<byte> FirstHeader => [0x06, 0, 0, 0, 0xE1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0];

    private static ReadOnlySpan<byte> SecondHeader => [1, 1, 0, 0, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 1, 0, 0, 0];

    private static Outcome<SigStruct> Read(ReadOnlySpan<byte> structure)
    {
        if (!IsSigned(structure)) return Refuse(Refusal.SigStructSignature, "the structure is not signed by the key in it: it was changed, or never signed");
        ulong flags = BinaryPrimitives.ReadUInt64LittleEndian(structure[AttributesAt..]), mask = BinaryPrimitives.ReadUInt64LittleEndian(structure[MaskAt..]);
        return Outcome.Accept(new SigStruct
        {
            MrEnclave = Convert.ToHexStringLower(structure.Slice(EnclaveAt, SHA256.HashSizeInBytes)),
            MrSigner = Convert.ToHexStringLower(SHA256.HashData(structure.Slice(ModulusAt, ModulusBytes))),
            ProductId = BinaryPrimitives.ReadUInt16LittleEndian(structure[ProductAt..]),
            SecurityVersion = BinaryPrimitives.ReadUInt16LittleEndian(structure[SvnAt..]),
            Debug = (mask & DebugFlag) != 0 ? (flags & DebugFlag) != 0 : null,
        });
    }

    /// <summary>RSA with 3072 bits, exponent 3, PKCS#1 v1.5 and SHA-256 over the header and the body; numbers are little-endian.</summary>
    private static bool IsSigned(ReadOnlySpan<byte> structure)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(structure[ExponentAt..]) != 3) return false;
        byte[] modulus = structure.Slice(ModulusAt, ModulusBytes).ToArray(), signature = structure.Slice(SignatureAt, ModulusBytes).ToArray();
        Array.Reverse(modulus);
        Array.Reverse(signature);
        try
        {
            using var key = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = [3] });
            byte[] signed = [.. structure[..ModulusAt], .. structure[BodyAt..BodyEnd]];
            return key.VerifyData(signed, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
        catch (CryptographicException)
        {
            // A modulus that is none.
            return false;
        }
    }

    /// <summary>Fuzz target: any bytes are a structure or refused.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        Outcome<SigStruct> found = Find(bytes);
        if (found.IsAccepted && found.Value.MrEnclave.Length != 2 * SHA256.HashSizeInBytes)
            throw new InvalidOperationException("A structure without a measurement.");
    }

    private static Outcome<SigStruct> Refuse(Refusal refusal, string reason) => Outcome.Refuse<SigStruct>(refusal, "sigstruct", reason);
}
