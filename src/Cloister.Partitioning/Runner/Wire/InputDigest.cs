using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Cloister.Partitioning.Runner.Wire;

/// <summary>
/// What an answer repeats of the input it belongs to: four CRC-32C side by side over every fourth 64-bit word, then over the length. It
/// finds mix-ups: two inputs that differ in one word pass for each other with a chance of 2^-32, ones that differ all over with 2^-128.
/// An accelerator that lies knows the input and repeats any digest of it, so a slower hash would prove no more.
/// </summary>
internal sealed class InputDigest
{
    /// <summary>Bytes of a digest.</summary>
    public const int Size = 16;

    private const int Block = 32;

    private readonly byte[] _held = new byte[Block];
    private uint _a = 0xFFFF_FFFF, _b = 0xFFFF_FFFE, _c = 0xFFFF_FFFD, _d = 0xFFFF_FFFC;
    private int _holds;
    private ulong _length;

    /// <summary>Adds bytes; how they are cut into calls makes no difference.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        _length += (ulong)bytes.Length;
        if (_holds > 0)
        {
            int fill = Math.Min(Block - _holds, bytes.Length);
            bytes[..fill].CopyTo(_held.AsSpan(_holds));
            _holds += fill;
            bytes = bytes[fill..];
            if (_holds < Block)
                return;
            Blocks(_held);
            _holds = 0;
        }
        int whole = bytes.Length & ~(Block - 1);
        Blocks(bytes[..whole]);
        bytes[whole..].CopyTo(_held);
        _holds = bytes.Length - whole;
    }

    /// <summary>Ends: the rest is filled up with zeros. The digest must not be used again.</summary>
    /// <param name="digest"><see cref="Size"/> bytes.</param>
    public void Finish(Span<byte> digest)
    {
        if (_holds > 0)
        {
            _held.AsSpan(_holds).Clear();
            Blocks(_held);
        }
        ReadOnlySpan<uint> lanes = [_a, _b, _c, _d];
        for (int i = 0; i < lanes.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(digest[(4 * i)..], BitOperations.Crc32C(lanes[i], _length));
    }

    // The bytes are whole blocks. Words are little-endian, as everything on this wire.
    private void Blocks(ReadOnlySpan<byte> bytes)
    {
        uint a = _a, b = _b, c = _c, d = _d;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        for (int i = 0; i + 3 < words.Length; i += 4)
        {
            a = BitOperations.Crc32C(a, Little(words[i]));
            b = BitOperations.Crc32C(b, Little(words[i + 1]));
            c = BitOperations.Crc32C(c, Little(words[i + 2]));
            d = BitOperations.Crc32C(d, Little(words[i + 3]));
        }
        (_a, _b, _c, _d) = (a, b, c, d);
    }

    private static ulong Little(ulong word) => BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
}
