using System.Buffers;
using Cloister.Serving.Json;
using Cloister.Serving.ProtocolBuffers;

namespace Cloister.Serving.TensorFlow.Grpc;

/// <summary>What a <c>TensorProto</c> says of itself, and its content if that is all in one piece. Fields may come in any order, so this is read first.</summary>
internal ref struct TensorHeader
{
    private readonly List<long> _shape = [];

    private TensorHeader(in ReadOnlySequence<byte> message) => Message = message;

    /// <summary>The whole message.</summary>
    public ReadOnlySequence<byte> Message { get; }

    /// <summary><c>DataType</c>'s number.</summary>
    public int Type { get; private set; }

    public readonly long[] Shape => [.. _shape];

    /// <summary><c>tensor_content</c>; empty if the values stand in lists.</summary>
    public ReadOnlySequence<byte> Content { get; private set; }

    /// <summary>Why it is no tensor; null if it may be one.</summary>
    public string? Fault { get; private set; }

    public static TensorHeader Read(in ReadOnlySequence<byte> message)
    {
        var header = new TensorHeader(message);
        var reader = new WireReader(message);
        while (reader.Next(out int field, out WireType type))
        {
            switch (field)
            {
                case 1:
                    WireReader.Demand(field, type, WireType.Varint);
                    header.Type = (int)reader.Varint();
                    break;
                case 2:
                    WireReader.Demand(field, type, WireType.Bytes);
                    header.ReadShape(reader.Bytes());
                    break;
                case 4:
                    WireReader.Demand(field, type, WireType.Bytes);
                    header.Content = reader.Bytes();
                    break;
                default:
                    reader.Skip(type);
                    break;
            }
        }
        return header;
    }

    private void ReadShape(in ReadOnlySequence<byte> message)
    {
        var reader = new WireReader(message);
        while (reader.Next(out int field, out WireType type))
        {
            if (field == 2)
            {
                WireReader.Demand(field, type, WireType.Bytes);
                ReadDimension(reader.Bytes());
            }
            else if (field == 3)
            {
                WireReader.Demand(field, type, WireType.Varint);
                if (reader.Varint() != 0) Fault = "its rank is unknown";
            }
            else reader.Skip(type);
        }
    }

    private void ReadDimension(in ReadOnlySequence<byte> message)
    {
        long size = 0;
        var reader = new WireReader(message);
        while (reader.Next(out int field, out WireType type))
        {
            if (field == 1)
            {
                WireReader.Demand(field, type, WireType.Varint);
                size = (long)reader.Varint();
            }
            else reader.Skip(type);
        }
        if (size < 0) Fault = "a dimension is negative";
        if (_shape.Count >= ValueReader.MaximumRank) Fault = $"it has more than {ValueReader.MaximumRank} dimensions";
        else _shape.Add(size);
    }
}
