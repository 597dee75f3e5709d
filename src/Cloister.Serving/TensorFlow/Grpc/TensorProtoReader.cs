using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.ProtocolBuffers;
using Cloister.Serving.Repository;

namespace Cloister.Serving.TensorFlow.Grpc;

/// <summary>
/// Makes a tensor of a <c>TensorProto</c> (tensorflow/core/framework/tensor.proto): of <c>tensor_content</c>, which is copied once into
/// the memory that the engine computes on, or of the list that belongs to its type, whose last value fills what is missing.
/// </summary>
internal static class TensorProtoReader
{
    /// <summary>Makes the tensor for an input.</summary>
    /// <param name="message">The <c>TensorProto</c>.</param>
    /// <param name="input">The input.</param>
    /// <param name="model">The input's model, whose largest request bounds what few values may be stretched to.</param>
    /// <param name="pool">Where the memory comes from.</param>
    /// <exception cref="ServingException">It is none, or not of the input's type or shape.</exception>
    /// <exception cref="Cloister.Protocol.Grpc.GrpcException">The bytes are no message.</exception>
    public static Tensor Read(in ReadOnlySequence<byte> message, TensorInfo input, ServedModel model, TensorPool pool)
    {
        TensorHeader header = TensorHeader.Read(message);
        TensorElementType type = DataTypes.Of(header.Type);
        if (header.Fault is { } fault) throw Unreadable(input, fault);
        if (type == TensorElementType.Undefined) throw Unreadable(input, $"elements of {DataTypes.Label(header.Type)} are not taken here");
        long[] shape = header.Shape;
        long count = TensorShapes.Elements(shape) ?? throw Unreadable(input, "it has too many elements");
        if (model.Picture is { } picture && picture.Name == input.Name && type == TensorElementType.String)
            return picture.ToTensor(StringValues.Read(header, count, model.MaximumRequestBytes, reason => Unreadable(input, reason)), pool);
        if (type != input.Type)
            throw new ServingException(ServingError.WrongType, $"Expects '{input.Name}' to be {DataTypes.Name(input.Type)} but {DataTypes.Name(type)} is provided");
        if (input.Mismatch(type, shape) is not null)
            throw new ServingException(ServingError.WrongShape, $"Input '{input.Name}' takes shape {TensorShapes.Text([.. input.Shape])}, not {TensorShapes.Text(shape)}.");
        if (type == TensorElementType.String)
            return Texts.ToTensor(StringValues.Read(header, count, model.MaximumRequestBytes, reason => Unreadable(input, reason)), input.Name, shape);
        return ReadNumbers(header, type, count, shape, input, model, pool);
    }

    private static Tensor ReadNumbers(TensorHeader header, TensorElementType type, long count, long[] shape, TensorInfo input, ServedModel model, TensorPool pool)
    {
        long bytes = type.ByteLength(count);
        if (!header.Content.IsEmpty && header.Content.Length != bytes)
            throw Unreadable(input, $"its content has {header.Content.Length} bytes where shape {TensorShapes.Text(shape)} wants {bytes}");
        // Of a list no value takes less than a byte; what is more than the message can hold is filled up.
        if (bytes > Math.Max(model.MaximumRequestBytes, 8 * header.Message.Length))
            throw new ServingException(ServingError.TooLarge, $"Input '{input.Name}' would be filled up to {bytes} bytes; the model takes requests of {model.MaximumRequestBytes}.");
        var tensor = new Tensor(type, shape, pool.Rent(Math.Max(1, bytes)));
        try
        {
            if (!header.Content.IsEmpty) CopyContent(header.Content, tensor);
            else if (count > 0) Fill(header.Message, tensor);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    private static void CopyContent(in ReadOnlySequence<byte> content, Tensor tensor)
    {
        content.CopyTo(tensor.Bytes);
        if (tensor.Type != TensorElementType.Bool) return;
        // A truth value is one byte, 0 or 1, to what computes on it.
        foreach (ref byte value in tensor.Bytes) value = value == 0 ? (byte)0 : (byte)1;
    }

    private static void Fill(in ReadOnlySequence<byte> message, Tensor tensor)
    {
        switch (tensor.Type)
        {
            case TensorElementType.Float: FillFixed<float>(message, 5, WireType.Fixed32, tensor); break;
            case TensorElementType.Double: FillFixed<double>(message, 6, WireType.Fixed64, tensor); break;
            case TensorElementType.Int32: FillVarints(message, 7, tensor.Elements<int>(), value => (int)value); break;
            case TensorElementType.Int16: FillVarints(message, 7, tensor.Elements<short>(), Narrow<short>); break;
            case TensorElementType.Int8: FillVarints(message, 7, tensor.Elements<sbyte>(), Narrow<sbyte>); break;
            case TensorElementType.UInt16: FillVarints(message, 7, tensor.Elements<ushort>(), Narrow<ushort>); break;
            case TensorElementType.UInt8: FillVarints(message, 7, tensor.Elements<byte>(), Narrow<byte>); break;
            case TensorElementType.Int64: FillVarints(message, 10, tensor.Elements<long>(), value => (long)value); break;
            case TensorElementType.Bool: FillVarints(message, 11, tensor.Elements<bool>(), value => value != 0); break;
            case TensorElementType.UInt32: FillVarints(message, 16, tensor.Elements<uint>(), value => (uint)value); break;
            case TensorElementType.UInt64: FillVarints(message, 17, tensor.Elements<ulong>(), value => value); break;
            default: FillVarints(message, 13, MemoryMarshal.Cast<byte, ushort>(tensor.Bytes), Narrow<ushort>); break; // half_val: FP16 and BF16
        }
    }

    // The elements lie in the message as the engine wants them: little-endian, side by side.
    private static void FillFixed<T>(in ReadOnlySequence<byte> message, int number, WireType single, Tensor tensor) where T : unmanaged
    {
        Span<byte> bytes = tensor.Bytes;
        int size = single == WireType.Fixed32 ? 4 : 8, at = 0;
        var reader = new WireReader(message);
        while (reader.Next(out int field, out WireType type))
        {
            if (field != number) reader.Skip(type);
            else if (type == WireType.Bytes)
            {
                ReadOnlySequence<byte> packed = reader.Bytes();
                if (packed.Length % size != 0) throw WireReader.Malformed($"field {number} ends inside a value");
                packed = packed.Slice(0, Math.Min(packed.Length, bytes.Length - at));
                packed.CopyTo(bytes[at..]);
                at += (int)packed.Length;
            }
            else
            {
                WireReader.Demand(field, type, single);
                ulong value = single == WireType.Fixed32 ? reader.Fixed32() : reader.Fixed64();
                if (at == bytes.Length) continue;
                MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in value))[..size].CopyTo(bytes[at..]);
                at += size;
            }
        }
        Span<T> elements = tensor.Elements<T>();
        elements[(at / size)..].Fill(at > 0 ? elements[at / size - 1] : default);
    }

    private static void FillVarints<T>(in ReadOnlySequence<byte> message, int number, Span<T> elements, Func<ulong, T> convert) where T : unmanaged
    {
        int at = 0;
        var reader = new WireReader(message);
        while (reader.Next(out int field, out WireType type))
        {
            if (field != number) reader.Skip(type);
            else if (type == WireType.Bytes)
            {
                var packed = new WireReader(reader.Bytes());
                while (!packed.IsAtEnd) Take(packed.Varint(), elements, convert, ref at);
            }
            else
            {
                WireReader.Demand(field, type, WireType.Varint);
                Take(reader.Varint(), elements, convert, ref at);
            }
        }
        elements[at..].Fill(at > 0 ? elements[at - 1] : default);
    }

    private static void Take<T>(ulong value, Span<T> elements, Func<ulong, T> convert, ref int at) where T : unmanaged
    {
        if (at < elements.Length) elements[at++] = convert(value);
    }

    // TF Serving cuts off the upper bits; a value that is not the sender's is worse than none.
    private static T Narrow<T>(ulong value) where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        long whole = (long)value;
        return whole >= long.CreateChecked(T.MinValue) && whole <= long.CreateChecked(T.MaxValue)
            ? T.CreateTruncating(whole)
            : throw new ServingException(ServingError.WrongType, $"tensor parsing error: {whole} does not fit elements of {8 * Unsafe.SizeOf<T>()} bits");
    }

    private static ServingException Unreadable(TensorInfo input, string reason) => new(ServingError.WrongShape, $"tensor parsing error: {input.Name} ({reason})");
}
