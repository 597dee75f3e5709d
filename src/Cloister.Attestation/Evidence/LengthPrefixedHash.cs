using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cloister.Attestation;

/// <summary>A hash over fields that each carry their 4-byte little-endian length, so that no two lists of fields hash alike.</summary>
internal sealed class LengthPrefixedHash(HashAlgorithmName algorithm)
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(algorithm);

    public LengthPrefixedHash Add(ReadOnlySpan<byte> field)
    {
        Span<byte> length = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)field.Length);
        _hash.AppendData(length);
        _hash.AppendData(field);
        return this;
    }

    /// <summary>The digest; the hash cannot be used afterwards.</summary>
    public byte[] Finish()
    {
        using (_hash)
            return _hash.GetHashAndReset();
    }
}
