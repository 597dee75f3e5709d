using System.Security.Cryptography;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Tests.Model;

public class OnnxModelTests
{
    internal static ModelProto Small() => new()
    {
        IrVersion = 8,
        ProducerName = "cloister",
        OpsetImport = [new OperatorSetIdProto { Version = 13 }],
        MetadataProps = [new StringStringEntryProto { Key = "k", Value = "v" }],
        Graph = new GraphProto
        {
            Name = "g",
            Inputs = [ValueInfoProto.Tensor("x", TensorDataType.Float, "N", 3)],
            Outputs = [ValueInfoProto.Tensor("y", TensorDataType.Float, "N", 2)],
            Initializers = [TensorProto.Of("w", [3, 2], [1f, 2f, 3f, 4f, 5f, -0.5f])],
            Nodes =
            [
                new NodeProto
                {
                    OpType = "Gemm",
                    Name = "n",
                    Inputs = ["x", "w"],
                    Outputs = ["y"],
                    Attributes = [AttributeProto.Of("alpha", 1.5f), AttributeProto.Of("transB", 0), AttributeProto.Of("pads", 1, 1), AttributeProto.Of("mode", "same")],
                },
            ],
        },
    };

    [Fact]
    public void AModelBuiltFromScratchReadsBack()
    {
        byte[] bytes = Small().ToBytes();
        ModelProto read = OnnxModel.Parse(bytes);
        Assert.Equal("cloister", read.ProducerName);
        Assert.Equal(13, read.OpsetImport[0].Version);
        Assert.Equal([1f, 2f, 3f, 4f, 5f, -0.5f], read.Graph.Initializers[0].ToFloats());
        NodeProto node = Assert.Single(read.Graph.Nodes);
        Assert.Equal(["x", "w"], node.Inputs.AsEnumerable());
        Assert.Equal(1.5f, node.Attributes[0].Float);
        Assert.Equal(0, node.Attributes[1].Int);
        Assert.Equal([1L, 1L], node.Attributes[2].Ints.AsEnumerable());
        Assert.Equal("same"u8, node.Attributes[3].String!.Value.Span);
        Assert.Equal(bytes, read.ToBytes());
    }

    [Fact]
    public void TheBytesOfAFixedModelDoNotChange() => Assert.Equal(
        "cfa9db90dfa68d0b8e6f2f653c45acab8c077d32de594da2e89dd81dd790e40e",
        Convert.ToHexStringLower(SHA256.HashData(Small().ToBytes())));

    [Fact]
    public void EveryTypedListSurvives()
    {
        var tensor = new TensorProto
        {
            Name = "t",
            DataType = TensorDataType.Int64,
            Dims = [0],
            FloatData = [1.25f, float.NaN],
            Int32Data = [-1, int.MaxValue],
            Int64Data = [long.MinValue, 0, 5],
            DoubleData = [1e300],
            UInt64Data = [ulong.MaxValue],
            StringData = ["ab"u8.ToArray(), Array.Empty<byte>()],
            DataLocation = 0,
        };
        ModelProto model = Small();
        TensorProto read = OnnxModel.Parse((model with { Graph = model.Graph with { Initializers = [tensor] } }).ToBytes()).Graph.Initializers[0];
        Assert.Equal(tensor.FloatData.AsEnumerable(), read.FloatData);
        Assert.Equal(tensor.Int32Data.AsEnumerable(), read.Int32Data);
        Assert.Equal(tensor.Int64Data.AsEnumerable(), read.Int64Data);
        Assert.Equal(tensor.DoubleData.AsEnumerable(), read.DoubleData);
        Assert.Equal(tensor.UInt64Data.AsEnumerable(), read.UInt64Data);
        Assert.Equal(["ab", ""], read.StringData.Select(text => System.Text.Encoding.UTF8.GetString(text.Span)));
        Assert.Equal(0, read.DataLocation);
        Assert.Null(read.RawData);
    }

    [Fact]
    public void UnknownFieldsAndForeignFieldOrderSurviveByteForByte()
    {
        // Field 100 (varint), the graph, field 101 (bytes), ir_version last and as an over-long integer.
        byte[] graph = Wire.Bytes(7, Wire.Bytes(2, "g"u8));
        byte[] bytes = [.. Wire.Varint(100, 7), .. graph, .. Wire.Bytes(101, "unknown"u8), 0x08, 0x88, 0x00];
        ModelProto model = OnnxModel.Parse(bytes);
        Assert.Equal(8, model.IrVersion);
        Assert.Equal(bytes, model.ToBytes());
        byte[] rewritten = (model with { ProducerName = "p" }).ToBytes();
        Assert.Equal([0x08, 0x08, .. Wire.Bytes(2, "p"u8), .. graph, .. Wire.Varint(100, 7), .. Wire.Bytes(101, "unknown"u8)], rewritten);
    }

    [Fact]
    public void UnpackedAndPackedNumbersReadAlike()
    {
        byte[] packed = [.. Wire.Bytes(1, [2, 3]), .. Wire.Varint(2, 1)];
        byte[] unpacked = [.. Wire.Varint(1, 2), .. Wire.Varint(1, 3), .. Wire.Varint(2, 1)];
        Assert.Equal(Dims(packed), Dims(unpacked));
        static IEnumerable<long> Dims(byte[] tensor) =>
            OnnxModel.Parse(Wire.Bytes(7, Wire.Bytes(5, tensor))).Graph.Initializers[0].Dims;
    }

    [Fact]
    public void FuzzedModelsAreReadOrRefused()
    {
        byte[] valid = Small().ToBytes();
        OnnxModel.Fuzz(valid);
        for (int length = 0; length < valid.Length; length++)
            OnnxModel.Fuzz(valid.AsSpan(0, length));
        for (int seed = 1; seed <= 20_000; seed++)
        {
            var random = new Random(seed);
            byte[] mutated = [.. valid];
            for (int i = random.Next(1, 5); i > 0; i--)
            {
                int at = random.Next(mutated.Length);
                mutated = random.Next(4) switch
                {
                    0 => [.. mutated[..at], .. mutated[(at + 1)..], 0],
                    1 => [.. mutated[..at], (byte)random.Next(256), .. mutated[at..]],
                    2 => [.. mutated[..at], .. BitConverter.GetBytes(random.NextInt64()), .. mutated[at..]],
                    _ => [.. mutated[..at], (byte)(mutated[at] ^ 1 << random.Next(8)), .. mutated[(at + 1)..]],
                };
            }

            OnnxModel.Fuzz(mutated);
        }
    }
}
