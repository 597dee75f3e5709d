using System.Buffers.Binary;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>Reads the members of an object from the front of its bytes; what is missing is refused by its name.</summary>
internal ref struct SealReader(ReadOnlySpan<byte> bytes, SealVersion version, string what)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>The version of the whole.</summary>
    internal readonly SealVersion Version => version;

    /// <summary>The object's name in refusals.</summary>
    internal readonly string What => what;

    internal ReadOnlySpan<byte> Take(int count, string member)
    {
        if (_rest.Length < count) throw new HomomorphicException(HomomorphicError.SealTruncated, $"The {what} ends before its {member}: {_rest.Length} bytes are left of {count}.");
        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    internal byte Byte(string member) => Take(1, member)[0];

    internal ulong UInt64(string member) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, member));

    internal double Double(string member) => BinaryPrimitives.ReadDoubleLittleEndian(Take(8, member));

    /// <summary>The members of an object within this one: its header is never compressed, and of the same version.</summary>
    internal SealReader Nested(string member)
    {
        SealHeader header = SealHeader.Read(_rest, member);
        if (header.Version != version) throw new HomomorphicException(HomomorphicError.SealVersion, $"The {member} was saved by SEAL {header.Version}, the {what} around it by {version}.");
        if (header.Compression != SealCompression.None) throw new HomomorphicException(HomomorphicError.SealCompression, $"The {member} is compressed by itself, within the {what}; SEAL compresses the whole.");
        return new SealReader(Take((int)header.TotalBytes, member)[SealHeader.Bytes..], version, member);
    }

    /// <summary>The words of an array, nested as SEAL does: header, count, words.</summary>
    /// <param name="member">Its name.</param>
    /// <param name="least">The count that is due.</param>
    /// <param name="orElse">Another count that is good as well.</param>
    internal ReadOnlySpan<byte> Words(string member, long least, long orElse)
    {
        SealReader array = Nested(member);
        ulong count = array.UInt64("count");
        if (count != (ulong)least && count != (ulong)orElse)
            throw new HomomorphicException(HomomorphicError.SealCount, $"The {member} of the {what} have {count} numbers; {least}{(orElse == least ? "" : $" or {orElse}")} are due.");
        ReadOnlySpan<byte> words = array.Take(checked((int)count * 8), "last number");
        array.End();
        return words;
    }

    /// <summary>Refuses what is left.</summary>
    internal readonly void End()
    {
        if (!_rest.IsEmpty) throw new HomomorphicException(HomomorphicError.SealTrailing, $"{_rest.Length} bytes follow the members of the {what}.");
    }
}
