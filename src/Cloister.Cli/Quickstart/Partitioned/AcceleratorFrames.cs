using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Cloister.Cli.Quickstart.Partitioned;

/// <summary>What whoever controls an accelerator's machine does to its answers.</summary>
internal enum AnswerChange
{
    /// <summary>Nothing.</summary>
    None,
    /// <summary>They have another shape, of as many elements.</summary>
    Shape,
    /// <summary>One element is not a number.</summary>
    NotANumber,
    /// <summary>They are those to the request before.</summary>
    Stale,
    /// <summary>Other numbers in the right shape.</summary>
    Numbers,
}

/// <summary>
/// Changes answers of an accelerator on their way (docs/formats/accelerator-wire.md): each has the digest of its input, and then, for this
/// story, one tensor of 32-bit floats of two or more dimensions that differ.
/// </summary>
internal sealed class AcceleratorFrames
{
    /// <summary>Length of the payload u32, kind u8, three zeros, id u64.</summary>
    public const int HeaderBytes = 16;

    private const byte Answer = 11;
    private const int RankAt = 19, DimensionsAt = 20, DimensionBytes = sizeof(long);

    private byte[]? _before;

    /// <summary>How many bytes follow a header.</summary>
    public static int PayloadBytes(ReadOnlySpan<byte> header) => checked((int)BinaryPrimitives.ReadUInt32LittleEndian(header));

    /// <summary>Whether a frame is an answer.</summary>
    public static bool IsAnswer(ReadOnlySpan<byte> header) => header[4] == Answer;

    /// <summary>An answer as it goes on, under the header that it came with.</summary>
    public byte[] Change(byte[] answer, AnswerChange change)
    {
        byte[]? before = _before;
        _before = answer;
        byte[] changed = [.. answer];
        Span<long> dimensions = MemoryMarshal.Cast<byte, long>(changed.AsSpan(DimensionsAt, DimensionBytes * changed[RankAt]));
        Span<float> elements = MemoryMarshal.Cast<byte, float>(changed.AsSpan(DimensionsAt + DimensionBytes * changed[RankAt]));
        switch (change)
        {
            case AnswerChange.Shape:
                dimensions.Reverse();
                break;
            case AnswerChange.NotANumber:
                elements[0] = float.NaN;
                break;
            case AnswerChange.Numbers:
                elements.Reverse();
                break;
            case AnswerChange.Stale when before?.Length == answer.Length:
                return before;
            default:
                break;
        }
        return changed;
    }
}
