using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Cloister.Protocol.Grpc;

namespace Cloister.Serving.ProtocolBuffers;

/// <summary>
/// Walks the fields of a protobuf message where it lies: nothing is copied and nothing is allocated but the texts that are asked
/// for. Bytes come as slices, so that a tensor is copied once, from the connection's memory to the engine's.
/// </summary>
internal ref struct WireReader
{
    private const int MaximumField = (1 << 29) - 1;

    private SequenceReader<byte> _reader;

    /// <summary>Reads a message, or the elements of a packed field.</summary>
    public WireReader(in ReadOnlySequence<byte> message) => _reader = new SequenceReader<byte>(message);

    public readonly bool IsAtEnd => _reader.End;

    /// <summary>How many bytes are left.</summary>
    public readonly long Remaining => _reader.Remaining;

    /// <summary>Moves to the next field; false at the end. Its value is then read, or skipped.</summary>
    /// <exception cref="GrpcException">The message is malformed.</exception>
    public bool Next(out int field, out WireType type)
    {
        (field, type) = (0, default);
        if (_reader.End) return false;
        ulong tag = Varint();
        if (tag >> 3 is 0 or > MaximumField) throw Malformed("a field has no number");
        field = (int)(tag >> 3);
        type = (WireType)(tag & 7);
        if (type is not (WireType.Varint or WireType.Fixed64 or WireType.Bytes or WireType.Fixed32)) throw Malformed($"field {field} is of a wire type that is not read");
        return true;
    }

    /// <summary>An integer of up to 64 bits.</summary>
    /// <exception cref="GrpcException">The message is malformed.</exception>
    public ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            if (!_reader.TryRead(out byte part)) throw Cut();
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80) return value;
        }
        throw Malformed("an integer has more than ten bytes");
    }

    /// <exception cref="GrpcException">The message is malformed.</exception>
    public uint Fixed32() => _reader.TryReadLittleEndian(out int value) ? (uint)value : throw Cut();

    /// <exception cref="GrpcException">The message is malformed.</exception>
    public ulong Fixed64() => _reader.TryReadLittleEndian(out long value) ? (ulong)value : throw Cut();

    /// <summary>The bytes of a field, a message or a packed list: a slice.</summary>
    /// <exception cref="GrpcException">The message is malformed.</exception>
    public ReadOnlySequence<byte> Bytes()
    {
        ulong length = Varint();
        if (length > (ulong)_reader.Remaining) throw Cut();
        ReadOnlySequence<byte> bytes = _reader.UnreadSequence.Slice(0, (long)length);
        _reader.Advance((long)length);
        return bytes;
    }

    /// <summary>A text.</summary>
    /// <param name="what">What it is, for the refusal.</param>
    /// <param name="most">The most bytes that it may have.</param>
    /// <exception cref="GrpcException">The message is malformed.</exception>
    /// <exception cref="ServingException"><see cref="ServingError.InvalidRequest"/>: it is longer.</exception>
    public string Text(string what, int most = 1024)
    {
        ReadOnlySequence<byte> bytes = Bytes();
        if (bytes.Length > most) throw new ServingException(ServingError.InvalidRequest, $"{what} has {bytes.Length} bytes; it may have {most}.");
        if (bytes.IsSingleSegment) return Text(bytes.FirstSpan, what);
        byte[] joined = ArrayPool<byte>.Shared.Rent((int)bytes.Length);
        bytes.CopyTo(joined);
        try
        {
            return Text(joined.AsSpan(0, (int)bytes.Length), what);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(joined, clearArray: true);
        }
    }

    /// <summary>Passes over the value of a field that is not known, as protobuf's readers do.</summary>
    /// <exception cref="GrpcException">The message is malformed.</exception>
    public void Skip(WireType type)
    {
        switch (type)
        {
            case WireType.Varint: Varint(); break;
            case WireType.Fixed64: Fixed64(); break;
            case WireType.Bytes: Bytes(); break;
            default: Fixed32(); break;
        }
    }

    /// <summary>Checks that a known field is written as it should be.</summary>
    /// <exception cref="GrpcException">It is not.</exception>
    public static void Demand(int field, WireType type, WireType expected)
    {
        if (type != expected) throw Malformed($"field {field} is not written as its type is");
    }

    /// <summary>The refusal of bytes that are not the message: gRPC's own servers answer INTERNAL, too.</summary>
    public static GrpcException Malformed(string reason) => new(GrpcStatus.Internal, $"The request is not a message of this method: {reason}.");

    private static GrpcException Cut() => Malformed("it ends inside a field");

    private static string Text(ReadOnlySpan<byte> bytes, string what) =>
        Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw Malformed($"{what} is not UTF-8");
}
