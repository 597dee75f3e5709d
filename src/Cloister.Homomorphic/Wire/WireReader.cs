using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire;

/// <summary>Reads the own formats of queries, answers and keys: a header that all have, then members in order, never beyond the end.</summary>
internal ref struct WireReader
{
    internal const int HeaderSize = 28, MagicSize = 8;

    private const byte Version = 1;

    private readonly string _what;
    private ReadOnlySpan<byte> _rest;

    /// <summary>Reads the header.</summary>
    /// <param name="bytes">The whole object.</param>
    /// <param name="magic">8 bytes.</param>
    /// <param name="what">The object's name at the beginning of a sentence.</param>
    /// <param name="parameters">What it must have been made with.</param>
    /// <param name="flags">The flags that the format knows.</param>
    internal WireReader(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> magic, string what, RlweParameters parameters, byte flags)
    {
        _rest = bytes;
        _what = what;
        if (!bytes.StartsWith(magic)) throw new HomomorphicException(HomomorphicError.WireMagic, $"{what} does not begin with {System.Text.Encoding.ASCII.GetString(magic)}: it is something else.");
        Take(magic.Length);
        if (Byte() is not Version and byte version) throw new HomomorphicException(HomomorphicError.WireVersion, $"{what} has version {version}; this program knows {Version}.");
        Flags = Byte();
        if ((Flags & ~flags) != 0 || Take(2).ContainsAnyExcept((byte)0)) throw new HomomorphicException(HomomorphicError.WireReserved, $"{what} has flags or reserved bytes that this program does not know.");
        if (!CryptographicOperations.FixedTimeEquals(Take(ParameterBlock.IdentitySize), ParameterBlock.Identity(parameters)))
            throw new HomomorphicException(HomomorphicError.WireParameters, $"{what} was made with other parameters. Make it with those of the model's specification.");
    }

    internal byte Flags { get; }

    internal readonly int Left => _rest.Length;

    internal static void WriteHeader(Span<byte> target, ReadOnlySpan<byte> magic, byte flags, RlweParameters parameters)
    {
        magic.CopyTo(target);
        target[MagicSize] = Version;
        target[MagicSize + 1] = flags;
        target[(MagicSize + 2)..(MagicSize + 4)].Clear();
        ParameterBlock.Identity(parameters).CopyTo(target[(MagicSize + 4)..]);
    }

    internal ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length) throw new HomomorphicException(HomomorphicError.WireTruncated, $"{_what} ends early: {count - _rest.Length} more bytes are needed.");
        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    internal byte Byte() => Take(1)[0];

    internal uint Number() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    /// <summary>What is left must have exactly this length.</summary>
    internal readonly void RequireLeft(long expected)
    {
        if (_rest.Length < expected) throw new HomomorphicException(HomomorphicError.WireTruncated, $"{_what} ends early: {expected - _rest.Length} more bytes are needed.");
        if (_rest.Length > expected) throw new HomomorphicException(HomomorphicError.WireTrailing, $"{_what} is followed by {_rest.Length - expected} bytes that do not belong to it.");
    }
}
