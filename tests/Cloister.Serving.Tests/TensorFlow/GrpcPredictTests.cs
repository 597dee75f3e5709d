using Cloister.Protocol.Grpc;
using Cloister.Serving.TensorFlow.Messages;
using Cloister.Serving.Tests.Server;
using Google.Protobuf;

namespace Cloister.Serving.Tests.TensorFlow;

/// <summary><c>PredictionService.Predict</c>: tensors of every type in every form, and what is refused.</summary>
public sealed class GrpcPredictTests
{
    private const string Predict = "PredictionService/Predict";

    public static TheoryData<int, byte[]> Forms()
    {
        var forms = new TheoryData<int, byte[]>();
        void Add(int type, TensorProto tensor) => forms.Add(type, tensor.ToByteArray());
        Add(1, new TensorProto { Dtype = DataType.DtFloat, FloatVal = { 1.5f, -0f, float.NaN, float.NegativeInfinity } });
        Add(11, new TensorProto { Dtype = DataType.DtDouble, DoubleVal = { 1e300, -0.5, double.NaN, 3 } });
        Add(6, new TensorProto { Dtype = DataType.DtInt32, IntVal = { int.MinValue, -1, 0, int.MaxValue } });
        Add(5, new TensorProto { Dtype = DataType.DtInt16, IntVal = { short.MinValue, -1, 0, short.MaxValue } });
        Add(3, new TensorProto { Dtype = DataType.DtInt8, IntVal = { sbyte.MinValue, -1, 0, sbyte.MaxValue } });
        Add(2, new TensorProto { Dtype = DataType.DtUint8, IntVal = { 0, 1, 200, 255 } });
        Add(4, new TensorProto { Dtype = DataType.DtUint16, IntVal = { 0, 1, 40000, 65535 } });
        Add(7, new TensorProto { Dtype = DataType.DtInt64, Int64Val = { long.MinValue, -1, 0, long.MaxValue } });
        Add(12, new TensorProto { Dtype = DataType.DtUint32, Uint32Val = { 0, 1, 2, uint.MaxValue } });
        Add(13, new TensorProto { Dtype = DataType.DtUint64, Uint64Val = { 0, 1, 2, ulong.MaxValue } });
        Add(9, new TensorProto { Dtype = DataType.DtBool, BoolVal = { true, false, false, true } });
        Add(10, new TensorProto { Dtype = DataType.DtHalf, HalfVal = { 0x3C00, 0xC000, 0, 0x7BFF } });
        Add(16, new TensorProto { Dtype = DataType.DtBfloat16, HalfVal = { 0x3F80, 0xC000, 0, 0x7F7F } });
        Add(8, new TensorProto { Dtype = DataType.DtString, StringVal = { ByteString.CopyFromUtf8("a"), ByteString.Empty, ByteString.CopyFromUtf8("ä\n"), ByteString.CopyFromUtf8("d") } });
        return forms;
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task Every_type_goes_through_in_every_form(int type, byte[] form)
    {
        TensorProto listed = TensorProto.Parser.ParseFrom(form);
        listed.TensorShape = Shape(2, 2);
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", TestModels.Identity(type)));
        using var calls = new GrpcCalls(server);
        PredictResponse answer = await calls.CallAsync(Predict, Request("identity", ("x", listed)), PredictResponse.Parser);
        Assert.Equal(listed, answer.Outputs["y"]);
        Assert.Equal(new ModelSpec { Name = "identity", Version = 1, SignatureName = "serving_default" }, answer.ModelSpec);

        // The same in one piece.
        var whole = new TensorProto { Dtype = listed.Dtype, TensorShape = listed.TensorShape, TensorContent = Content(listed) };
        Assert.Equal(listed, (await calls.CallAsync(Predict, Request("identity", ("x", whole)), PredictResponse.Parser)).Outputs["y"]);

        // Each value in a field of its own, as older writers have it; names and shape behind them.
        byte[] unpacked = [.. Field(2, [.. Field(2, Unpacked(listed)), .. Field(1, "x"u8.ToArray())]), .. Field(1, new ModelSpec { Name = "identity" }.ToByteArray())];
        Assert.Equal(listed, (await calls.CallAsync(Predict, unpacked, PredictResponse.Parser)).Outputs["y"]);
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task Answers_may_hold_their_values_in_one_piece(int type, byte[] form)
    {
        TensorProto listed = TensorProto.Parser.ParseFrom(form);
        listed.TensorShape = Shape(2, 2);
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", TestModels.Identity(type)), options => options with { AnswersAsTensorContent = true });
        using var calls = new GrpcCalls(server);
        PredictResponse answer = await calls.CallAsync(Predict, Request("identity", ("x", listed)), PredictResponse.Parser);
        Assert.Equal(new TensorProto { Dtype = listed.Dtype, TensorShape = listed.TensorShape, TensorContent = Content(listed) }, answer.Outputs["y"]);
    }

    [Fact]
    public async Task The_last_value_fills_what_is_missing_and_more_are_passed_over()
    {
        await using TestServer server = await TestServer.StartAsync(
            await (await (await new TestStore().AddAsync("float", TestModels.Identity(1))).AddAsync("int64", TestModels.Identity(7))).AddAsync("text", TestModels.Identity(8)));
        using var calls = new GrpcCalls(server);
        async Task<TensorProto> Ask(string model, TensorProto tensor) => (await calls.CallAsync(Predict, Request(model, ("x", tensor)), PredictResponse.Parser)).Outputs["y"];
        Assert.Equal([7f, 7, 7, 7], (await Ask("float", new TensorProto { Dtype = DataType.DtFloat, TensorShape = Shape(2, 2), FloatVal = { 7 } })).FloatVal);
        Assert.Equal([7f, 8, 8, 8], (await Ask("float", new TensorProto { Dtype = DataType.DtFloat, TensorShape = Shape(2, 2), FloatVal = { 7, 8 } })).FloatVal);
        Assert.Equal([1f, 2], (await Ask("float", new TensorProto { Dtype = DataType.DtFloat, TensorShape = Shape(1, 2), FloatVal = { 1, 2, 3 } })).FloatVal);
        Assert.Equal([0f, 0], (await Ask("float", new TensorProto { Dtype = DataType.DtFloat, TensorShape = Shape(1, 2) })).FloatVal);
        Assert.Equal([5L, 5], (await Ask("int64", new TensorProto { Dtype = DataType.DtInt64, TensorShape = Shape(1, 2), Int64Val = { 5 } })).Int64Val);
        Assert.Equal(["s", "s"], (await Ask("text", new TensorProto { Dtype = DataType.DtString, TensorShape = Shape(2, 1), StringVal = { ByteString.CopyFromUtf8("s") } })).StringVal.Select(value => value.ToStringUtf8()));
        TensorProto empty = await Ask("float", new TensorProto { Dtype = DataType.DtFloat, TensorShape = Shape(0, 2) });
        Assert.Equal(Shape(0, 2), empty.TensorShape);
        Assert.Empty(empty.FloatVal);
    }

    [Fact]
    public async Task Outputs_are_chosen_and_versions_named()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("two", TestModels.SumAndDifference));
        using var calls = new GrpcCalls(server);
        PredictRequest request = Request("two", ("a", Floats(10, 20)), ("b", Floats(1, 2)));
        Assert.Equal(["difference", "sum"], (await calls.CallAsync(Predict, request, PredictResponse.Parser)).Outputs.Keys.Order());
        request.OutputFilter.Add("sum");
        request.ModelSpec.Version = 1;
        request.ModelSpec.SignatureName = "predict";
        PredictResponse answer = await calls.CallAsync(Predict, request, PredictResponse.Parser);
        Assert.Equal([11f, 22], Assert.Single(answer.Outputs).Value.FloatVal);
        Assert.Equal("predict", answer.ModelSpec.SignatureName);

        request.OutputFilter.Add("sum");
        Assert.Equal((GrpcStatus.InvalidArgument, "duplicate output tensor alias: sum"), await calls.RefusedAsync(Predict, request));
        request.OutputFilter[1] = "quotient";
        Assert.Equal((GrpcStatus.InvalidArgument, "output tensor alias not found in signature: quotient Outputs expected to be in the set {difference,sum}."), await calls.RefusedAsync(Predict, request));
        request.OutputFilter.Clear();
        request.ModelSpec.SignatureName = "other";
        Assert.Equal((GrpcStatus.FailedPrecondition, "Serving signature key \"other\" not found."), await calls.RefusedAsync(Predict, request));
        request.ModelSpec.SignatureName = "";
        request.ModelSpec.Version = 7;
        Assert.Equal((GrpcStatus.NotFound, "Servable not found for request: Specific(two, 7)"), await calls.RefusedAsync(Predict, request));
        request.ModelSpec.VersionLabel = "stable";
        Assert.Equal((GrpcStatus.InvalidArgument, "Unrecognized servable version label: stable"), await calls.RefusedAsync(Predict, request));
        request.ModelSpec = new ModelSpec { Name = "three" };
        Assert.Equal((GrpcStatus.NotFound, "Servable not found for request: Latest(three)"), await calls.RefusedAsync(Predict, request));
        request.ModelSpec.Name = "";
        Assert.Equal((GrpcStatus.InvalidArgument, "ModelSpec has no name specified."), await calls.RefusedAsync(Predict, request));
        request.ModelSpec = null;
        Assert.Equal((GrpcStatus.InvalidArgument, "Missing ModelSpec"), await calls.RefusedAsync(Predict, request));
    }

    [Fact]
    public async Task Tensors_that_are_none_are_refused()
    {
        await using TestServer server = await TestServer.StartAsync(await (await new TestStore().AddAsync("two", TestModels.SumAndDifference)).AddAsync("bytes", TestModels.Identity(2)), options => options with { MaximumRequestBytes = 1 << 20 });
        using var calls = new GrpcCalls(server);
        async Task Check(string reason, params (string, TensorProto)[] inputs) =>
            Assert.Equal((GrpcStatus.InvalidArgument, reason), await calls.RefusedAsync(Predict, Request("two", inputs)));
        TensorProto good = Floats(1, 2);
        await Check("input size does not match signature: 1!=2 len({a}) != len({a,b}). Sent extra: {}. Missing but required: {b}.", ("a", good));
        await Check("input size does not match signature: 3!=2 len({a,b,c}) != len({a,b}). Sent extra: {c}. Missing but required: {}.", ("a", good), ("b", good), ("c", good));
        await Check("input tensor alias not found in signature: c. Inputs expected to be in the set {a,b}.", ("a", good), ("c", good));
        await Check("Expects 'b' to be float but int32 is provided", ("a", good), ("b", new TensorProto { Dtype = DataType.DtInt32, TensorShape = Shape(1, 2), IntVal = { 1, 2 } }));
        await Check("Input 'b' takes shape [-1,2], not [2].", ("a", good), ("b", new TensorProto { Dtype = DataType.DtFloat, TensorShape = Shape(2), FloatVal = { 1, 2 } }));
        await Check("tensor parsing error: b (its content has 7 bytes where shape [1,2] wants 8)", ("a", good), ("b", new TensorProto { Dtype = DataType.DtFloat, TensorShape = Shape(1, 2), TensorContent = ByteString.CopyFrom(new byte[7]) }));
        await Check("tensor parsing error: b (a dimension is negative)", ("a", good), ("b", new TensorProto { Dtype = DataType.DtFloat, TensorShape = Shape(-1, 2) }));
        await Check("tensor parsing error: b (its rank is unknown)", ("a", good), ("b", new TensorProto { Dtype = DataType.DtFloat, TensorShape = new TensorShapeProto { UnknownRank = true } }));
        await Check("tensor parsing error: b (elements of DataType 0 are not taken here)", ("a", good), ("b", new TensorProto { TensorShape = Shape(1, 2) }));
        await Check("tensor parsing error: b (elements of DataType 8 are not taken here)", ("a", good), ("b", new TensorProto { Dtype = DataType.DtComplex64, TensorShape = Shape(1, 2) }));
        await Check("tensor parsing error: b (it has too many elements)", ("a", good), ("b", new TensorProto { Dtype = DataType.DtFloat, TensorShape = Shape(long.MaxValue, 2) }));
        await Check("tensor parsing error: b (it has more than 16 dimensions)", ("a", good), ("b", new TensorProto { Dtype = DataType.DtFloat, TensorShape = Shape([.. Enumerable.Repeat(1L, 17)]) }));
        Assert.Equal((GrpcStatus.ResourceExhausted, "Input 'b' would be filled up to 8000000 bytes; the model takes requests of 1048576."),
            await calls.RefusedAsync(Predict, Request("two", ("a", good), ("b", new TensorProto { Dtype = DataType.DtFloat, TensorShape = Shape(1_000_000, 2), FloatVal = { 1 } }))));
        Assert.Equal((GrpcStatus.InvalidArgument, "tensor parsing error: 256 does not fit elements of 8 bits"),
            await calls.RefusedAsync(Predict, Request("bytes", ("x", new TensorProto { Dtype = DataType.DtUint8, TensorShape = Shape(1, 1), IntVal = { 256 } }))));
        GrpcException malformed = await Assert.ThrowsAsync<GrpcException>(() => calls.CallAsync(Predict, [.. Field(1, new ModelSpec { Name = "two" }.ToByteArray()), .. Field(2, [0x0A])], PredictResponse.Parser));
        Assert.Equal(GrpcStatus.Internal, malformed.Status);
        Assert.Equal([2f, 4], (await calls.CallAsync(Predict, Request("two", ("a", good), ("b", good)), PredictResponse.Parser)).Outputs["sum"].FloatVal);
    }

    internal static PredictRequest Request(string model, params (string Name, TensorProto Tensor)[] inputs)
    {
        var request = new PredictRequest { ModelSpec = new ModelSpec { Name = model } };
        foreach ((string name, TensorProto tensor) in inputs) request.Inputs[name] = tensor;
        return request;
    }

    internal static TensorShapeProto Shape(params long[] dimensions)
    {
        var shape = new TensorShapeProto();
        foreach (long dimension in dimensions) shape.Dim.Add(new TensorShapeProto.Types.Dim { Size = dimension });
        return shape;
    }

    internal static TensorProto Floats(params float[] values) => new() { Dtype = DataType.DtFloat, TensorShape = Shape(1, values.Length), FloatVal = { values } };

    private static ByteString Content(TensorProto tensor)
    {
        if (tensor.Dtype == DataType.DtString)
            return ByteString.CopyFrom([.. tensor.StringVal.Select(value => (byte)value.Length), .. tensor.StringVal.SelectMany(value => value.ToByteArray())]);
        var bytes = new List<byte>();
        foreach (float value in tensor.FloatVal) bytes.AddRange(BitConverter.GetBytes(value));
        foreach (double value in tensor.DoubleVal) bytes.AddRange(BitConverter.GetBytes(value));
        foreach (long value in tensor.Int64Val) bytes.AddRange(BitConverter.GetBytes(value));
        foreach (uint value in tensor.Uint32Val) bytes.AddRange(BitConverter.GetBytes(value));
        foreach (ulong value in tensor.Uint64Val) bytes.AddRange(BitConverter.GetBytes(value));
        foreach (bool value in tensor.BoolVal) bytes.Add(value ? (byte)1 : (byte)0);
        foreach (int value in tensor.HalfVal) bytes.AddRange(BitConverter.GetBytes((ushort)value));
        int width = tensor.Dtype switch { DataType.DtInt32 => 4, DataType.DtInt16 or DataType.DtUint16 => 2, _ => 1 };
        foreach (int value in tensor.IntVal) bytes.AddRange(BitConverter.GetBytes(value)[..width]);
        return ByteString.CopyFrom([.. bytes]);
    }

    private static byte[] Unpacked(TensorProto tensor)
    {
        var bytes = new List<byte>();
        void Fixed(int field, byte[] value) => bytes.AddRange([(byte)(field << 3 | (value.Length == 4 ? 5 : 1)), .. value]);
        void Integer(int field, ulong value) => bytes.AddRange([.. Varint((ulong)field << 3), .. Varint(value)]);
        foreach (float value in tensor.FloatVal) Fixed(5, BitConverter.GetBytes(value));
        foreach (double value in tensor.DoubleVal) Fixed(6, BitConverter.GetBytes(value));
        foreach (int value in tensor.IntVal) Integer(7, (ulong)(long)value);
        foreach (ByteString value in tensor.StringVal) bytes.AddRange(Field(8, value.ToByteArray()));
        foreach (long value in tensor.Int64Val) Integer(10, (ulong)value);
        foreach (bool value in tensor.BoolVal) Integer(11, value ? 1u : 0);
        foreach (int value in tensor.HalfVal) Integer(13, (ulong)value);
        foreach (uint value in tensor.Uint32Val) Integer(16, value);
        foreach (ulong value in tensor.Uint64Val) Integer(17, value);
        // A field that nobody knows, then shape and type behind the values.
        return [.. bytes, .. Varint(99 << 3), 1, .. Field(2, tensor.TensorShape.ToByteArray()), 0x08, (byte)tensor.Dtype];
    }

    private static byte[] Field(int number, byte[] bytes) => [.. Varint((ulong)number << 3 | 2), .. Varint((ulong)bytes.Length), .. bytes];

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 128; value >>= 7) bytes.Add((byte)(value | 128));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
