using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cloister.Homomorphic.Models;

/// <summary>The bytes of a compiled model: docs/formats/he-model.md. They hold the model's weights, so they are as secret as the model.</summary>
internal static class CompiledModelFile
{
    /// <summary>The most bytes that are read.</summary>
    internal const int MaximumBytes = 1 << 30;

    private const int Version = 1, DesignAt = 10, ClientAt = 12, ServerAt = 16, HeaderBytes = 20;

    private static ReadOnlySpan<byte> Magic => "CLHEMODL"u8;

    /// <summary>The specification with the digest of the file that it and the server's half make.</summary>
    internal static ClientSpecification WithDigest(ClientSpecification specification, ReadOnlySpan<byte> server)
    {
        byte[] file = Write(specification, server);
        try
        {
            return specification with { Digest = Convert.ToHexStringLower(SHA256.HashData(file)) };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(file);
        }
    }

    /// <summary>Writes a file. The specification's digest is left out.</summary>
    internal static byte[] Write(ClientSpecification specification, ReadOnlySpan<byte> server)
    {
        byte[] client = ClientSpecificationJson.Write(specification with { Digest = "" });
        var file = new byte[checked(HeaderBytes + client.Length + server.Length)];
        Magic.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(Magic.Length), Version);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(DesignAt), NumberOf(specification.Design));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(ClientAt), client.Length);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(ServerAt), server.Length);
        client.CopyTo(file.AsSpan(HeaderBytes));
        server.CopyTo(file.AsSpan(HeaderBytes + client.Length));
        return file;
    }

    /// <summary>Reads a file: the specification with its digest, and where the server's half begins; it goes on to the end.</summary>
    /// <exception cref="HomomorphicException">The file is refused.</exception>
    internal static ClientSpecification Read(ReadOnlySpan<byte> file, out int serverAt)
    {
        if (file.Length is < HeaderBytes or > MaximumBytes || !file.StartsWith(Magic)) throw Refuse("it does not begin as one, or is too short or too long");
        int version = BinaryPrimitives.ReadUInt16LittleEndian(file[Magic.Length..]);
        if (version != Version) throw new HomomorphicException(HomomorphicError.CompiledModelVersion, $"The compiled model has version {version}; this program knows {Version}. Compile it again, or use a newer program.");
        uint client = BinaryPrimitives.ReadUInt32LittleEndian(file[ClientAt..]), server = BinaryPrimitives.ReadUInt32LittleEndian(file[ServerAt..]);
        if (HeaderBytes + (long)client + server != file.Length) throw Refuse("its parts do not fill it");
        serverAt = HeaderBytes + (int)client;
        ReadOnlySpan<byte> json = file[HeaderBytes..serverAt];
        ClientSpecification specification = ClientSpecificationJson.Read(json, published: false);
        if (NumberOf(specification.Design) != BinaryPrimitives.ReadUInt16LittleEndian(file[DesignAt..])) throw Refuse("its header and its specification name different designs");
        // One model has one file: the digest would not survive being written again otherwise.
        if (!json.SequenceEqual(ClientSpecificationJson.Write(specification))) throw Refuse("its specification is not written as a compiler writes it");
        return specification with { Digest = Convert.ToHexStringLower(SHA256.HashData(file)) };
    }

    internal static HomomorphicException Refuse(string reason) => new(HomomorphicError.CompiledModel, $"The compiled model is refused: {reason}.");

    // Written out: an enum's order is no format.
    private static ushort NumberOf(ModelDesign design) => design switch
    {
        ModelDesign.Linear => 1,
        ModelDesign.Forest => 2,
        _ => throw new ArgumentOutOfRangeException(nameof(design)),
    };
}
