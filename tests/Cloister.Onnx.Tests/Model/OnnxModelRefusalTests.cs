using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Tests.Model;

public class OnnxModelRefusalTests
{
    private static readonly byte[] EmptyGraph = Wire.Bytes(7, []);

    public static TheoryData<OnnxModelError, byte[]> Refused => new()
    {
        { OnnxModelError.MissingGraph, [] },
        { OnnxModelError.MissingGraph, Wire.Varint(1, 8) },
        { OnnxModelError.Truncated, [.. EmptyGraph, 0x08] },
        { OnnxModelError.Truncated, [.. EmptyGraph, 0x08, 0x80] },
        { OnnxModelError.Truncated, [0x3a, 0x05, 0x00] },
        { OnnxModelError.Truncated, [.. Wire.Number(7 << 3 | 2), .. Wire.Number(ulong.MaxValue)] },
        { OnnxModelError.Truncated, [.. Wire.Number(7 << 3 | 2), .. Wire.Number(int.MaxValue)] },
        { OnnxModelError.Truncated, [.. EmptyGraph, 100 << 3 & 0x7f | 0x80 | 5, 6, 1, 2] },
        { OnnxModelError.Truncated, Tensor([.. Wire.Bytes(4, [1, 2, 3])]) },
        { OnnxModelError.BadInteger, [.. EmptyGraph, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02] },
        { OnnxModelError.BadInteger, [.. EmptyGraph, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01] },
        { OnnxModelError.BadInteger, Tensor(Wire.Varint(2, 1UL << 40)) },
        { OnnxModelError.BadTag, [0x00, 0x00] },
        { OnnxModelError.BadTag, [0x03] },
        { OnnxModelError.BadTag, [.. Wire.Number(1UL << 35 | 8), 1] },
        { OnnxModelError.WrongWireType, Wire.Varint(7, 1) },
        { OnnxModelError.WrongWireType, [.. EmptyGraph, .. Wire.Bytes(1, "8"u8)] },
        { OnnxModelError.BadText, [.. EmptyGraph, .. Wire.Bytes(2, [0xff])] },
        { OnnxModelError.DuplicateField, [.. EmptyGraph, .. EmptyGraph] },
        { OnnxModelError.DuplicateField, Value(Wire.Bytes(1, Wire.Bytes(2, Wire.Bytes(1, [.. Wire.Varint(1, 3), .. Wire.Bytes(2, "N"u8)])))) },
        { OnnxModelError.DuplicateField, Value([.. Wire.Bytes(1, []), .. Wire.Bytes(4, [])]) },
        { OnnxModelError.BadShape, Tensor(Wire.Varint(1, ulong.MaxValue)) },
        { OnnxModelError.BadShape, Tensor([.. Wire.Varint(1, 1UL << 40), .. Wire.Varint(1, 1UL << 40)]) },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void HostileBytesAreRefusedWithTheirNumber(OnnxModelError error, byte[] bytes) =>
        Assert.Equal(error, Assert.Throws<OnnxModelException>(() => OnnxModel.Parse(bytes)).Error);

    [Fact]
    public void NestingIsBounded()
    {
        byte[] graph = [];
        for (int i = 0; i < 40; i++)
            graph = Wire.Bytes(1, Wire.Bytes(5, Wire.Bytes(6, graph)));
        Assert.Equal(OnnxModelError.TooDeep, Assert.Throws<OnnxModelException>(() => OnnxModel.Parse(Wire.Bytes(7, graph))).Error);
    }

    [Fact]
    public void TheNumberOfMessagesIsBoundedOverTheWholeModel()
    {
        byte[] nodes = [.. Enumerable.Repeat(Wire.Bytes(1, []), 600).SelectMany(bytes => bytes)];
        byte[] model = Wire.Bytes(7, nodes);
        Assert.Equal(600, OnnxModel.Parse(model).Graph.Nodes.Length);
        var limits = new OnnxModelLimits { MaxMessages = 600 };
        Assert.Equal(OnnxModelError.TooLarge, Assert.Throws<OnnxModelException>(() => OnnxModel.Parse(model, limits)).Error);
    }

    [Fact]
    public void ExternalInitializersAreListedWithExactLengths()
    {
        ModelProto model = OnnxModelTests.Small();
        TensorProto inner = External("inner", ("location", "weights/b.bin"));
        var loop = new NodeProto
        {
            OpType = "Loop",
            Attributes = [new AttributeProto { Name = "body", Type = AttributeType.Graph, Graph = new GraphProto { Initializers = [inner] } }],
        };
        model = model with
        {
            Graph = model.Graph with
            {
                Initializers = [External("w", ("location", "a.bin"), ("offset", "4096"), ("length", "24"))],
                Nodes = [loop],
            },
        };
        IReadOnlyList<ExternalInitializer> found = OnnxModel.ExternalInitializers(OnnxModel.Parse(model.ToBytes()));
        Assert.Equal(["w", "inner"], found.Select(tensor => tensor.Name));
        Assert.Equal(("a.bin", 4096L, 24L), (found[0].Location, found[0].Offset, found[0].Length));
        Assert.Equal(("weights/b.bin", 0L, 24L), (found[1].Location, found[1].Offset, found[1].Length));
        Assert.Equal([3L, 2L], found[0].Shape.AsEnumerable());
    }

    [Theory]
    [InlineData(OnnxModelError.BadExternalData, "offset=0")]
    [InlineData(OnnxModelError.BadExternalData, "location=../a")]
    [InlineData(OnnxModelError.BadExternalData, "location=/etc/passwd")]
    [InlineData(OnnxModelError.BadExternalData, "location=C:a")]
    [InlineData(OnnxModelError.BadExternalData, "location=a\\b")]
    [InlineData(OnnxModelError.BadExternalData, "location=")]
    [InlineData(OnnxModelError.BadExternalData, "location=a,location=a")]
    [InlineData(OnnxModelError.BadExternalData, "location=a,offset=-1")]
    [InlineData(OnnxModelError.BadExternalData, "location=a,offset=1e3")]
    [InlineData(OnnxModelError.BadExternalData, "location=a,length=23")]
    [InlineData(OnnxModelError.BadExternalData, "location=a,offset=9223372036854775807")]
    public void BadExternalDataIsRefused(OnnxModelError error, string entries)
    {
        TensorProto tensor = External("w", [.. entries.Split(',').Select(entry => entry.Split('=', 2)).Select(pair => (pair[0], pair[1]))]);
        ModelProto model = OnnxModelTests.Small();
        model = model with { Graph = model.Graph with { Initializers = [tensor] } };
        Assert.Equal(error, Assert.Throws<OnnxModelException>(() => OnnxModel.ExternalInitializers(model)).Error);
    }

    [Fact]
    public void ATensorOfAnotherTypeOrLengthGivesNoFloats()
    {
        TensorProto tensor = TensorProto.Of("w", [2], [1f, 2f]);
        Assert.Equal(OnnxModelError.WrongDataLength, Error(tensor with { Dims = [3] }));
        Assert.Equal(OnnxModelError.WrongDataLength, Error(tensor with { RawData = new byte[9] }));
        Assert.Equal(OnnxModelError.WrongElementType, Error(tensor with { DataType = TensorDataType.Int32 }));
        Assert.Equal(OnnxModelError.BadExternalData, Error(tensor with { DataLocation = 1 }));
        Assert.Throws<ArgumentException>(() => TensorProto.Of("w", [3], [1f, 2f]));
        static OnnxModelError Error(TensorProto tensor) => Assert.Throws<OnnxModelException>(() => tensor.ToFloats()).Error;
    }

    [Fact]
    public void TheNumbersOfRefusalsAreStable() => Assert.Equal(
        "101 102 103 104 105 106 107 108 201 202 203 204 205",
        string.Join(' ', Enum.GetValues<OnnxModelError>().Select(error => (int)error)));

    private static byte[] Tensor(byte[] fields) => Wire.Bytes(7, Wire.Bytes(5, fields));

    private static byte[] Value(byte[] type) => Wire.Bytes(7, Wire.Bytes(11, Wire.Bytes(2, type)));

    private static TensorProto External(string name, params ImmutableArray<(string Key, string Value)> entries) => new()
    {
        Name = name,
        DataType = TensorDataType.Float,
        Dims = [3, 2],
        DataLocation = 1,
        ExternalData = [.. entries.Select(entry => new StringStringEntryProto { Key = entry.Key, Value = entry.Value })],
    };
}
