using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Cloister.Onnx.Model;

/// <summary>A constant tensor (onnx.proto, TensorProto). Its elements lie in <see cref="RawData"/>, in one of the typed lists, or in another file.</summary>
public sealed record TensorProto : OnnxMessage
{
    private const int External = 1;

    /// <summary>The tensor's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>The element type.</summary>
    public TensorDataType DataType { get; init; }

    /// <summary>The shape; empty for a scalar.</summary>
    public ImmutableArray<long> Dims { get; init; } = [];

    /// <summary>The elements, little-endian, in C order; null where they lie elsewhere. A slice of the parsed bytes, not a copy.</summary>
    public ReadOnlyMemory<byte>? RawData { get; init; }

    /// <summary>Elements of float and complex64.</summary>
    public ImmutableArray<float> FloatData { get; init; } = [];

    /// <summary>Elements of the types up to 32 bits, float16 as bits.</summary>
    public ImmutableArray<int> Int32Data { get; init; } = [];

    /// <summary>Elements of string.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> StringData { get; init; } = [];

    /// <summary>Elements of int64.</summary>
    public ImmutableArray<long> Int64Data { get; init; } = [];

    /// <summary>Elements of double and complex128.</summary>
    public ImmutableArray<double> DoubleData { get; init; } = [];

    /// <summary>Elements of uint32 and uint64.</summary>
    public ImmutableArray<ulong> UInt64Data { get; init; } = [];

    /// <summary>Where the elements lie if <see cref="IsExternal"/>: keys location, offset, length, checksum.</summary>
    public ImmutableArray<StringStringEntryProto> ExternalData { get; init; } = [];

    /// <summary>The raw data_location: 0 here, 1 in another file, null where the file does not say (meaning 0).</summary>
    public int? DataLocation { get; init; }

    /// <summary>Whether the elements lie in another file.</summary>
    public bool IsExternal => DataLocation == External;

    /// <summary>A float tensor, its elements as raw little-endian bytes.</summary>
    /// <exception cref="ArgumentException">The values do not fill the shape.</exception>
    public static TensorProto Of(string name, ReadOnlySpan<long> dims, ReadOnlySpan<float> values)
    {
        var raw = new byte[checked(values.Length * sizeof(float))];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(raw.AsSpan(i * sizeof(float)), values[i]);
        return Of(name, TensorDataType.Float, dims, raw, values.Length);
    }

    /// <summary>An int64 tensor, its elements as raw little-endian bytes.</summary>
    /// <exception cref="ArgumentException">The values do not fill the shape.</exception>
    public static TensorProto Of(string name, ReadOnlySpan<long> dims, ReadOnlySpan<long> values)
    {
        var raw = new byte[checked(values.Length * sizeof(long))];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(raw.AsSpan(i * sizeof(long)), values[i]);
        return Of(name, TensorDataType.Int64, dims, raw, values.Length);
    }

    /// <summary>The number of elements the shape asks for.</summary>
    /// <exception cref="OnnxModelException"><see cref="OnnxModelError.BadShape"/>.</exception>
    public long ElementCount() => TensorSize.Elements(Dims.AsSpan(), Name);

    /// <summary>The elements of a float tensor, wherever in the message they lie.</summary>
    /// <exception cref="OnnxModelException">Another element type, external data, or not as many elements as the shape asks for.</exception>
    public float[] ToFloats()
    {
        if (DataType != TensorDataType.Float)
            throw new OnnxModelException(OnnxModelError.WrongElementType, $"Tensor '{Name}' holds {DataType}, not float.");
        if (IsExternal)
            throw new OnnxModelException(OnnxModelError.BadExternalData, $"The elements of tensor '{Name}' lie in another file.");
        long count = ElementCount();
        long have = RawData is { } bytes ? bytes.Length / sizeof(float) : FloatData.Length;
        if (have != count || RawData is { Length: var length } && length % sizeof(float) != 0)
            throw new OnnxModelException(OnnxModelError.WrongDataLength, $"Tensor '{Name}' needs {count} elements and holds {have}.");
        if (RawData is not { } raw)
            return [.. FloatData];
        float[] values = new float[count];
        for (int i = 0; i < values.Length; i++)
            values[i] = BinaryPrimitives.ReadSingleLittleEndian(raw.Span.Slice(i * sizeof(float)));
        return values;
    }

    internal static TensorProto Read(ProtoReader reader)
    {
        string name = "";
        int dataType = 0;
        int? location = null;
        ReadOnlyMemory<byte>? raw = null;
        var dims = ImmutableArray.CreateBuilder<long>();
        var floats = ImmutableArray.CreateBuilder<float>();
        var int32s = ImmutableArray.CreateBuilder<int>();
        var strings = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        var int64s = ImmutableArray.CreateBuilder<long>();
        var doubles = ImmutableArray.CreateBuilder<double>();
        var uint64s = ImmutableArray.CreateBuilder<ulong>();
        var external = ImmutableArray.CreateBuilder<StringStringEntryProto>();
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1: reader.Int64s(dims); break;
                case 2: dataType = reader.Once().Int32(); break;
                case 4: reader.Floats(floats); break;
                case 5: reader.Int32s(int32s); break;
                case 6: strings.Add(reader.Bytes()); break;
                case 7: reader.Int64s(int64s); break;
                case 8: name = reader.Once().Text(); break;
                case 9: raw = reader.Once().Bytes(); break;
                case 10: reader.Doubles(doubles); break;
                case 11: reader.UInt64s(uint64s); break;
                case 13: external.Add(reader.Message(StringStringEntryProto.Read)); break;
                case 14: location = reader.Once().Int32(); break;
                default: reader.KeepUnknown(); break;
            }
        }

        var tensor = new TensorProto
        {
            Name = name,
            DataType = (TensorDataType)dataType,
            Dims = dims.DrainToImmutable(),
            RawData = raw,
            FloatData = floats.DrainToImmutable(),
            Int32Data = int32s.DrainToImmutable(),
            StringData = strings.DrainToImmutable(),
            Int64Data = int64s.DrainToImmutable(),
            DoubleData = doubles.DrainToImmutable(),
            UInt64Data = uint64s.DrainToImmutable(),
            ExternalData = external.DrainToImmutable(),
            DataLocation = location,
            UnknownFields = reader.Unknown(),
            Origin = reader.Origin,
        };
        tensor.ElementCount();
        return tensor;
    }

    internal override void WriteFields(ProtoWriter writer)
    {
        writer.Int64s(1, Dims);
        writer.Int64(2, (long)DataType);
        writer.PackedFloats(4, FloatData);
        writer.PackedVarints(5, [.. Int32Data.Select(value => (ulong)(long)value)]);
        foreach (ReadOnlyMemory<byte> value in StringData)
            writer.Bytes(6, value);
        writer.PackedVarints(7, [.. Int64Data.Select(value => (ulong)value)]);
        writer.Text(8, Name);
        if (RawData is { } raw)
            writer.Bytes(9, raw);
        writer.PackedDoubles(10, DoubleData);
        writer.PackedVarints(11, UInt64Data);
        writer.Messages(13, ExternalData);
        writer.Int64(14, DataLocation);
    }

    private static TensorProto Of(string name, TensorDataType type, ReadOnlySpan<long> dims, byte[] raw, int count)
    {
        var tensor = new TensorProto { Name = name, DataType = type, Dims = [.. dims], RawData = raw };
        return tensor.ElementCount() == count
            ? tensor
            : throw new ArgumentException($"The shape asks for {tensor.ElementCount()} elements, {count} were given.", nameof(dims));
    }
}
