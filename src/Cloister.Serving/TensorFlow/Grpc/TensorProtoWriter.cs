using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.ProtocolBuffers;

namespace Cloister.Serving.TensorFlow.Grpc;

/// <summary>
/// Writes a tensor as a <c>TensorProto</c>: its values in the list that belongs to its type, as TF Serving does, or in
/// <c>tensor_content</c> where that is asked for.
/// </summary>
internal readonly ref struct TensorProtoWriter
{
    private readonly Tensor _tensor;
    private readonly int _field;
    private readonly long _shapeBytes, _valueBytes;

    /// <param name="tensor">The tensor.</param>
    /// <param name="asContent">Whether its values go in one piece.</param>
    public TensorProtoWriter(Tensor tensor, bool asContent)
    {
        _tensor = tensor;
        _field = asContent ? 4 : FieldOf(tensor.Type);
        foreach (long dimension in tensor.Shape) _shapeBytes += WireWriter.SizeOfBytes(2, SizeOfDimension(dimension));
        _valueBytes = tensor.ElementCount == 0 ? 0 : tensor.Type == TensorElementType.String ? SizeOfTexts(asContent) : asContent ? tensor.Bytes.Length : SizeOfList();
        Size = 2 + WireWriter.SizeOfBytes(2, _shapeBytes) + (IsTextList ? _valueBytes : _valueBytes == 0 ? 0 : WireWriter.SizeOfBytes(_field, _valueBytes));
    }

    /// <summary>How many bytes <see cref="Write"/> will write.</summary>
    public long Size { get; }

    private bool IsTextList => _field == 8;

    public void Write(IBufferWriter<byte> output)
    {
        WireWriter.Tag(output, 1, WireType.Varint);
        WireWriter.Varint(output, (ulong)DataTypes.Number(_tensor.Type));
        WireWriter.BytesHeader(output, 2, _shapeBytes);
        foreach (long dimension in _tensor.Shape)
        {
            WireWriter.BytesHeader(output, 2, SizeOfDimension(dimension));
            if (dimension == 0) continue;
            WireWriter.Tag(output, 1, WireType.Varint);
            WireWriter.Varint(output, (ulong)dimension);
        }
        if (_tensor.ElementCount == 0) return;
        if (IsTextList)
        {
            foreach (string text in _tensor.Texts) WireWriter.Bytes(output, 8, Encoding.UTF8.GetBytes(text));
            return;
        }
        WireWriter.BytesHeader(output, _field, _valueBytes);
        if (_tensor.Type == TensorElementType.String) WriteTextContent(output);
        else if (_field is 4 or 5 or 6) output.Write(_tensor.Bytes);
        else WriteList(output);
    }

    // Narrow integers are written as the 32 or 64 bits that protobuf's varints extend them to.
    private void WriteList(IBufferWriter<byte> output)
    {
        switch (_tensor.Type)
        {
            case TensorElementType.Int32: foreach (int value in _tensor.Elements<int>()) WireWriter.Varint(output, (ulong)(long)value); break;
            case TensorElementType.Int16: foreach (short value in _tensor.Elements<short>()) WireWriter.Varint(output, (ulong)(long)value); break;
            case TensorElementType.Int8: foreach (sbyte value in _tensor.Elements<sbyte>()) WireWriter.Varint(output, (ulong)(long)value); break;
            case TensorElementType.Int64: foreach (long value in _tensor.Elements<long>()) WireWriter.Varint(output, (ulong)value); break;
            case TensorElementType.UInt32: foreach (uint value in _tensor.Elements<uint>()) WireWriter.Varint(output, value); break;
            case TensorElementType.UInt64: foreach (ulong value in _tensor.Elements<ulong>()) WireWriter.Varint(output, value); break;
            case TensorElementType.UInt8 or TensorElementType.Bool: foreach (byte value in _tensor.Bytes) WireWriter.Varint(output, value); break;
            default: foreach (ushort value in MemoryMarshal.Cast<byte, ushort>(_tensor.Bytes)) WireWriter.Varint(output, value); break;
        }
    }

    private long SizeOfList()
    {
        if (_field is 5 or 6) return _tensor.Bytes.Length;
        long size = 0;
        switch (_tensor.Type)
        {
            case TensorElementType.Int32: foreach (int value in _tensor.Elements<int>()) size += WireWriter.SizeOfVarint((ulong)(long)value); break;
            case TensorElementType.Int16: foreach (short value in _tensor.Elements<short>()) size += WireWriter.SizeOfVarint((ulong)(long)value); break;
            case TensorElementType.Int8: foreach (sbyte value in _tensor.Elements<sbyte>()) size += WireWriter.SizeOfVarint((ulong)(long)value); break;
            case TensorElementType.Int64: foreach (long value in _tensor.Elements<long>()) size += WireWriter.SizeOfVarint((ulong)value); break;
            case TensorElementType.UInt32: foreach (uint value in _tensor.Elements<uint>()) size += WireWriter.SizeOfVarint(value); break;
            case TensorElementType.UInt64: foreach (ulong value in _tensor.Elements<ulong>()) size += WireWriter.SizeOfVarint(value); break;
            case TensorElementType.UInt8 or TensorElementType.Bool: foreach (byte value in _tensor.Bytes) size += WireWriter.SizeOfVarint(value); break;
            default: foreach (ushort value in MemoryMarshal.Cast<byte, ushort>(_tensor.Bytes)) size += WireWriter.SizeOfVarint(value); break;
        }
        return size;
    }

    private long SizeOfTexts(bool asContent)
    {
        long size = 0;
        foreach (string text in _tensor.Texts)
        {
            int length = Encoding.UTF8.GetByteCount(text);
            size += asContent ? WireWriter.SizeOfVarint((ulong)length) + length : WireWriter.SizeOfBytes(8, length);
        }
        return size;
    }

    private void WriteTextContent(IBufferWriter<byte> output)
    {
        foreach (string text in _tensor.Texts) WireWriter.Varint(output, (ulong)Encoding.UTF8.GetByteCount(text));
        foreach (string text in _tensor.Texts) output.Write(Encoding.UTF8.GetBytes(text));
    }

    private static long SizeOfDimension(long dimension) => dimension == 0 ? 0 : 1 + WireWriter.SizeOfVarint((ulong)dimension);

    private static int FieldOf(TensorElementType type) => type switch
    {
        TensorElementType.Float => 5,
        TensorElementType.Double => 6,
        TensorElementType.String => 8,
        TensorElementType.Int64 => 10,
        TensorElementType.Bool => 11,
        TensorElementType.Float16 or TensorElementType.BFloat16 => 13,
        TensorElementType.UInt32 => 16,
        TensorElementType.UInt64 => 17,
        _ => 7,
    };
}
