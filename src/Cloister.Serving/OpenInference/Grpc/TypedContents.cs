using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Cloister.Onnx.Runtime;
using Cloister.Protocol.Grpc;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.ProtocolBuffers;

namespace Cloister.Serving.OpenInference.Grpc;

/// <summary>A tensor's values as <c>InferTensorContents</c>: a list of the type that the protocol gives each datatype. FP16 and BF16 have none.</summary>
internal static class TypedContents
{
    private static readonly string[] Names = ["", "bool_contents", "int_contents", "int64_contents", "uint_contents", "uint64_contents", "fp32_contents", "fp64_contents", "bytes_contents"];

    /// <summary>Whether an input brings values.</summary>
    /// <exception cref="GrpcException">The message is malformed.</exception>
    public static bool IsIn(in ReadOnlySequence<byte> input)
    {
        var reader = new WireReader(input);
        while (reader.Next(out int field, out WireType type))
        {
            if (field == ModelInferFields.TensorContents && reader.Bytes().Length > 0) return true;
            if (field != ModelInferFields.TensorContents) reader.Skip(type);
        }
        return false;
    }

    /// <summary>The tensor of an input.</summary>
    /// <param name="message">The input.</param>
    /// <param name="input">What it announces.</param>
    /// <param name="pool">Where memory comes from.</param>
    /// <exception cref="GrpcException">The message is malformed.</exception>
    /// <exception cref="ServingException">The values are of another type or number than is announced.</exception>
    public static Tensor Read(in ReadOnlySequence<byte> message, AnnouncedInput input, TensorPool pool)
    {
        int expected = FieldOf(input.Type) is > 0 and var field
            ? field
            : throw new ServingException(ServingError.WrongType, $"Input '{input.Name}' is of {TensorTypes.OpenInference(input.Type)}, which 'contents' cannot hold; send it in raw_input_contents.");
        // Each value takes at least a byte: no memory is taken for values that are not there.
        if (input.Elements > message.Length) throw Count(input, null);
        if (expected == ModelInferFields.Bytes) return ReadTexts(message, input, pool);
        Tensor tensor = input.Rent(pool);
        try
        {
            long done = 0;
            var reader = new WireReader(message);
            while (reader.Next(out int part, out WireType type))
            {
                if (part == ModelInferFields.TensorContents) Fill(reader.Bytes(), tensor, input, expected, ref done);
                else reader.Skip(type);
            }
            return done == input.Elements ? tensor : throw Count(input, done);
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>The list that the values of a type stand in; 0 if there is none.</summary>
    public static int FieldOf(TensorElementType type) => type switch
    {
        TensorElementType.Bool => ModelInferFields.Bool,
        TensorElementType.Int8 or TensorElementType.Int16 or TensorElementType.Int32 => ModelInferFields.Int,
        TensorElementType.Int64 => ModelInferFields.Int64,
        TensorElementType.UInt8 or TensorElementType.UInt16 or TensorElementType.UInt32 => ModelInferFields.UInt,
        TensorElementType.UInt64 => ModelInferFields.UInt64,
        TensorElementType.Float => ModelInferFields.Fp32,
        TensorElementType.Double => ModelInferFields.Fp64,
        TensorElementType.String => ModelInferFields.Bytes,
        _ => 0,
    };

    /// <summary>The bytes that an output's values take as a message.</summary>
    public static long Size(Tensor tensor)
    {
        int field = FieldOf(tensor.Type);
        if (field != ModelInferFields.Bytes) return tensor.ElementCount == 0 ? 0 : WireWriter.SizeOfBytes(field, PackedSize(tensor));
        long size = 0;
        foreach (string text in tensor.Texts) size += WireWriter.SizeOfBytes(field, Encoding.UTF8.GetByteCount(text));
        return size;
    }

    /// <summary>Writes an output's values.</summary>
    public static void Write(IBufferWriter<byte> output, Tensor tensor)
    {
        int field = FieldOf(tensor.Type);
        if (field == ModelInferFields.Bytes)
        {
            foreach (string text in tensor.Texts) WireWriter.Bytes(output, field, Encoding.UTF8.GetBytes(text));
            return;
        }
        if (tensor.ElementCount == 0) return;
        WireWriter.BytesHeader(output, field, PackedSize(tensor));
        if (field is ModelInferFields.Fp32 or ModelInferFields.Fp64 or ModelInferFields.Bool)
        {
            output.Write(tensor.Bytes);
            return;
        }
        for (int i = 0; i < tensor.ElementCount; i++) WireWriter.Varint(output, Element(tensor, i));
    }

    private static long PackedSize(Tensor tensor)
    {
        if (FieldOf(tensor.Type) is ModelInferFields.Fp32 or ModelInferFields.Fp64 or ModelInferFields.Bool) return tensor.Bytes.Length;
        long size = 0;
        for (int i = 0; i < tensor.ElementCount; i++) size += WireWriter.SizeOfVarint(Element(tensor, i));
        return size;
    }

    // protobuf writes a negative int32 as the 64 bits of its value.
    private static ulong Element(Tensor tensor, int index) => tensor.Type switch
    {
        TensorElementType.Int8 => (ulong)(sbyte)tensor.Bytes[index],
        TensorElementType.Int16 => (ulong)MemoryMarshal.Cast<byte, short>(tensor.Bytes)[index],
        TensorElementType.Int32 => (ulong)MemoryMarshal.Cast<byte, int>(tensor.Bytes)[index],
        TensorElementType.UInt8 => tensor.Bytes[index],
        TensorElementType.UInt16 => MemoryMarshal.Cast<byte, ushort>(tensor.Bytes)[index],
        TensorElementType.UInt32 => MemoryMarshal.Cast<byte, uint>(tensor.Bytes)[index],
        _ => MemoryMarshal.Cast<byte, ulong>(tensor.Bytes)[index],
    };

    private static void Fill(in ReadOnlySequence<byte> contents, Tensor tensor, AnnouncedInput input, int expected, ref long done)
    {
        int size = (int)input.Type.ByteLength(1);
        var reader = new WireReader(contents);
        while (reader.Next(out int field, out WireType type))
        {
            if (!IsExpected(field, type, expected, input, ref reader)) continue;
            if (type != WireType.Bytes)
            {
                Append(ref reader, type, tensor.Bytes, input, expected, ref done);
                continue;
            }
            ReadOnlySequence<byte> packed = reader.Bytes();
            if (expected is ModelInferFields.Fp32 or ModelInferFields.Fp64)
            {
                if (packed.Length % size != 0) throw WireReader.Malformed($"the values of input '{input.Name}' end inside a number");
                if (packed.Length / size > input.Elements - done) throw Count(input, null);
                packed.CopyTo(tensor.Bytes[(int)(done * size)..]);
                done += packed.Length / size;
                continue;
            }
            for (var values = new WireReader(packed); !values.IsAtEnd;) Append(ref values, WireType.Varint, tensor.Bytes, input, expected, ref done);
        }
    }

    // Passes over what is not known and over empty lists; values of another type are refused.
    private static bool IsExpected(int field, WireType type, int expected, AnnouncedInput input, ref WireReader reader)
    {
        if (field == expected) return true;
        if (field > ModelInferFields.Bytes || (type == WireType.Bytes && field != ModelInferFields.Bytes && reader.Bytes().Length == 0))
        {
            if (field > ModelInferFields.Bytes) reader.Skip(type);
            return false;
        }
        throw new ServingException(ServingError.WrongType, $"Input '{input.Name}' of {TensorTypes.OpenInference(input.Type)} has values in {Names[field]}; they belong into {Names[expected]}.");
    }

    private static void Append(ref WireReader reader, WireType type, Span<byte> into, AnnouncedInput input, int expected, ref long done)
    {
        if (done == input.Elements) throw Count(input, null);
        int at = (int)done++;
        WireReader.Demand(expected, type, expected switch { ModelInferFields.Fp32 => WireType.Fixed32, ModelInferFields.Fp64 => WireType.Fixed64, _ => WireType.Varint });
        switch (expected)
        {
            case ModelInferFields.Fp32: MemoryMarshal.Cast<byte, uint>(into)[at] = reader.Fixed32(); return;
            case ModelInferFields.Fp64: MemoryMarshal.Cast<byte, ulong>(into)[at] = reader.Fixed64(); return;
        }
        ulong value = reader.Varint();
        switch (input.Type)
        {
            case TensorElementType.Bool: into[at] = value != 0 ? (byte)1 : (byte)0; break;
            case TensorElementType.Int8: into[at] = (byte)(sbyte)InRange((int)value, sbyte.MinValue, sbyte.MaxValue, input, at); break;
            case TensorElementType.Int16: MemoryMarshal.Cast<byte, short>(into)[at] = (short)InRange((int)value, short.MinValue, short.MaxValue, input, at); break;
            case TensorElementType.Int32: MemoryMarshal.Cast<byte, int>(into)[at] = (int)value; break;
            case TensorElementType.UInt8: into[at] = (byte)InRange((uint)value, 0, byte.MaxValue, input, at); break;
            case TensorElementType.UInt16: MemoryMarshal.Cast<byte, ushort>(into)[at] = (ushort)InRange((uint)value, 0, ushort.MaxValue, input, at); break;
            case TensorElementType.UInt32: MemoryMarshal.Cast<byte, uint>(into)[at] = (uint)value; break;
            default: MemoryMarshal.Cast<byte, ulong>(into)[at] = value; break;
        }
    }

    private static long InRange(long value, long least, long most, AnnouncedInput input, int index) => value >= least && value <= most
        ? value
        : throw new ServingException(ServingError.WrongType, $"Input '{input.Name}': value {index} is {value}, which {TensorTypes.OpenInference(input.Type)} does not hold.");

    private static Tensor ReadTexts(in ReadOnlySequence<byte> message, AnnouncedInput input, TensorPool pool)
    {
        var elements = new List<byte[]>();
        var reader = new WireReader(message);
        while (reader.Next(out int part, out WireType type))
        {
            if (part != ModelInferFields.TensorContents)
            {
                reader.Skip(type);
                continue;
            }
            var contents = new WireReader(reader.Bytes());
            while (contents.Next(out int field, out WireType kind))
            {
                if (!IsExpected(field, kind, ModelInferFields.Bytes, input, ref contents)) continue;
                WireReader.Demand(field, kind, WireType.Bytes);
                elements.Add(contents.Bytes().ToArray());
            }
        }
        return input.ToTensor(elements, pool);
    }

    private static ServingException Count(AnnouncedInput input, long? count) => new(ServingError.WrongShape,
        $"Input '{input.Name}' has {(count is { } number ? $"{number}" : "another number of")} values {(count is null ? "than" : "where")} shape {TensorShapes.Text(input.Shape)} wants{(count is null ? "" : $" {input.Elements}")}.");
}
