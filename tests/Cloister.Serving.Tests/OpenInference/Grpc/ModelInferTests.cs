using System.Runtime.InteropServices;
using System.Text;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Tests.Grpc;
using Cloister.Serving.OpenInference.Grpc.Wire;
using Cloister.Serving.Tests.Server;
using Google.Protobuf;

namespace Cloister.Serving.Tests.OpenInference.Grpc;

/// <summary>ModelInfer over a real connection.</summary>
public sealed class ModelInferTests
{
    private static readonly InferParameter s_true = new() { BoolParam = true }, s_false = new() { BoolParam = false };

    [Fact]
    public async Task Half_plus_two_predicts()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        using var client = new GrpcClient(server);
        ModelInferRequest request = GrpcClient.Raw("half", "FP32", [3], 1f, 2f, 5f);
        request.Id = "42";
        ModelInferResponse answer = await client.InferAsync(request);
        Assert.Equal(("half", "1", "42"), (answer.ModelName, answer.ModelVersion, answer.Id));
        Assert.Equal(new ModelInferResponse.Types.InferOutputTensor { Name = "y", Datatype = "FP32", Shape = { 3 } }, Assert.Single(answer.Outputs));
        Assert.Equal([2.5f, 3f, 4.5f], Floats(Assert.Single(answer.RawOutputContents)));
    }

    [Theory]
    [InlineData("FP32", 1, 4)]
    [InlineData("FP64", 11, 8)]
    [InlineData("FP16", 10, 2)]
    [InlineData("BF16", 16, 2)]
    [InlineData("INT8", 3, 1)]
    [InlineData("INT16", 5, 2)]
    [InlineData("INT32", 6, 4)]
    [InlineData("INT64", 7, 8)]
    [InlineData("UINT8", 2, 1)]
    [InlineData("UINT16", 4, 2)]
    [InlineData("UINT32", 12, 4)]
    [InlineData("UINT64", 13, 8)]
    [InlineData("BOOL", 9, 1)]
    public async Task Every_datatype_goes_through_raw(string datatype, int type, int size)
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", TestModels.Identity(type)));
        using var client = new GrpcClient(server);
        foreach (int columns in new[] { 0, 1, 3, 5000 }) // none, some, and more than one of the connection's buffers
        {
            byte[] bytes = new byte[2 * columns * size];
            new Random(columns).NextBytes(bytes);
            if (datatype == "BOOL") for (int i = 0; i < bytes.Length; i++) bytes[i] &= 1;
            ModelInferResponse answer = await client.InferAsync(GrpcClient.Raw("identity", datatype, [2, columns], bytes));
            Assert.Equal((datatype, 2L, (long)columns), (answer.Outputs[0].Datatype, answer.Outputs[0].Shape[0], answer.Outputs[0].Shape[1]));
            Assert.Equal(bytes, answer.RawOutputContents[0].ToByteArray());
        }
    }

    public static TheoryData<string, int, string> Typed => new()
    {
        { "FP32", 1, """{"fp32Contents":[0,-1.5,3.4028235e+38,1e-45]}""" },
        { "FP64", 11, """{"fp64Contents":[0,-1.5,1e300,5e-324]}""" },
        { "INT8", 3, """{"intContents":[0,-128,127,-1]}""" },
        { "INT16", 5, """{"intContents":[0,-32768,32767,-1]}""" },
        { "INT32", 6, """{"intContents":[0,-2147483648,2147483647,-1]}""" },
        { "INT64", 7, """{"int64Contents":["0","-9223372036854775808","9223372036854775807","-1"]}""" },
        { "UINT8", 2, """{"uintContents":[0,255,1,2]}""" },
        { "UINT16", 4, """{"uintContents":[0,65535,1,2]}""" },
        { "UINT32", 12, """{"uintContents":[0,4294967295,1,2]}""" },
        { "UINT64", 13, """{"uint64Contents":["0","18446744073709551615","1","2"]}""" },
        { "BOOL", 9, """{"boolContents":[true,false,false,true]}""" },
        { "BYTES", 8, """{"bytesContents":["","YQ==","w6Q=","8J+YgA=="]}""" },
    };

    [Theory]
    [MemberData(nameof(Typed))]
    public async Task Every_datatype_goes_through_typed(string datatype, int type, string contents)
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", TestModels.Identity(type)));
        using var client = new GrpcClient(server);
        ModelInferRequest request = GrpcClient.Announce("identity", datatype, 2, 2);
        request.Inputs[0].Contents = InferTensorContents.Parser.ParseJson(contents);
        ModelInferResponse raw = await client.InferAsync(request);
        Assert.Empty(raw.Outputs[0].Contents?.ToByteArray() ?? []);

        // What comes raw and what comes typed is the same; typed comes where it is asked for.
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "y", Parameters = { ["binary_data"] = s_false } });
        ModelInferResponse typed = await client.InferAsync(request);
        Assert.Equal(request.Inputs[0].Contents, typed.Outputs[0].Contents);
        Assert.Empty(typed.RawOutputContents);
        ModelInferRequest again = GrpcClient.Announce("identity", datatype, 2, 2);
        again.RawInputContents.Add(raw.RawOutputContents);
        again.Outputs.Add(request.Outputs);
        Assert.Equal(typed.Outputs, (await client.InferAsync(again)).Outputs);
    }

    [Fact]
    public async Task Texts_have_their_length_before_them()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("text", TestModels.TextIdentity));
        using var client = new GrpcClient(server);
        byte[] raw = [.. Element("a"), .. Element(""), .. Element("größer 😀")];
        ModelInferResponse answer = await client.InferAsync(GrpcClient.Raw("text", "BYTES", [3], raw));
        Assert.Equal(["y", "y_bytes"], answer.Outputs.Select(output => output.Name));
        Assert.All(answer.RawOutputContents, output => Assert.Equal(raw, output.ToByteArray()));

        static byte[] Element(string text) => [.. BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];
    }

    [Fact]
    public async Task Outputs_are_chosen_and_inputs_matched_by_name()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("two", TestModels.SumAndDifference));
        using var client = new GrpcClient(server);
        ModelInferRequest request = GrpcClient.Raw("two", "FP32", [1, 2], 1f, 2f);
        request.Inputs[0].Name = "b";
        request.Inputs.Add(new ModelInferRequest.Types.InferInputTensor { Name = "a", Datatype = "FP32", Shape = { 1, 2 } });
        request.RawInputContents.Add(ByteString.CopyFrom(MemoryMarshal.AsBytes([10f, 20f])));
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "difference" });
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "sum" });
        ModelInferResponse answer = await client.InferAsync(request);
        Assert.Equal(["difference", "sum"], answer.Outputs.Select(output => output.Name));
        Assert.Equal([9f, 18f], Floats(answer.RawOutputContents[0]));
        Assert.Equal([11f, 22f], Floats(answer.RawOutputContents[1]));
    }

    [Fact]
    public async Task The_best_classes_come_with_their_labels()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", TestModels.Identity(1), labels: "apple\nbanana\npear"));
        using var client = new GrpcClient(server);
        ModelInferRequest request = GrpcClient.Raw("identity", "FP32", [1, 3], 1f, 5f, 0.5f);
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor
        {
            Name = "y",
            Parameters = { ["classification"] = new InferParameter { Int64Param = 2 }, ["binary_data"] = s_false },
        });
        ModelInferResponse answer = await client.InferAsync(request);
        Assert.Equal(("BYTES", 1L, 2L), (answer.Outputs[0].Datatype, answer.Outputs[0].Shape[0], answer.Outputs[0].Shape[1]));
        Assert.Equal(["5:1:banana", "1:0:apple"], answer.Outputs[0].Contents.BytesContents.Select(text => text.ToStringUtf8()));
    }

    private static readonly (string Name, Action<ModelInferRequest> Change, GrpcStatus Status)[] s_refusals =
    [
        ("model", request => request.ModelName = "other", GrpcStatus.NotFound),
        ("version", request => request.ModelVersion = "2", GrpcStatus.NotFound),
        ("no number", request => request.ModelVersion = "newest", GrpcStatus.NotFound),
        ("input", request => request.Inputs[0].Name = "z", GrpcStatus.InvalidArgument),
        ("datatype", request => request.Inputs[0].Datatype = "FP64", GrpcStatus.InvalidArgument),
        ("unknown datatype", request => request.Inputs[0].Datatype = "FLOAT", GrpcStatus.InvalidArgument),
        ("too few bytes", request => request.Inputs[0].Shape[0] = 4, GrpcStatus.InvalidArgument),
        ("negative", request => request.Inputs[0].Shape[0] = -1, GrpcStatus.InvalidArgument),
        ("huge", request => request.Inputs[0].Shape[0] = long.MaxValue, GrpcStatus.InvalidArgument),
        ("rank", request => request.Inputs[0].Shape.Add(1), GrpcStatus.InvalidArgument),
        ("many dimensions", request => request.Inputs[0].Shape.AddRange(new long[40]), GrpcStatus.InvalidArgument),
        ("no input", request => { request.Inputs.Clear(); request.RawInputContents.Clear(); }, GrpcStatus.InvalidArgument),
        ("twice", request => { request.Inputs.Add(request.Inputs[0]); request.RawInputContents.Add(request.RawInputContents[0]); }, GrpcStatus.InvalidArgument),
        ("raw without input", request => request.RawInputContents.Add(ByteString.Empty), GrpcStatus.InvalidArgument),
        ("raw and typed", request => request.Inputs[0].Contents = new InferTensorContents { Fp32Contents = { 1, 2, 3 } }, GrpcStatus.InvalidArgument),
        ("nothing", request => request.RawInputContents.Clear(), GrpcStatus.InvalidArgument),
        ("typed of another type", request => { request.RawInputContents.Clear(); request.Inputs[0].Contents = new InferTensorContents { IntContents = { 1, 2, 3 } }; }, GrpcStatus.InvalidArgument),
        ("too many typed", request => { request.RawInputContents.Clear(); request.Inputs[0].Contents = new InferTensorContents { Fp32Contents = { 1, 2, 3, 4 } }; }, GrpcStatus.InvalidArgument),
        ("output", request => request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "z" }), GrpcStatus.InvalidArgument),
        ("shared memory", request => request.Inputs[0].Parameters["shared_memory_region"] = new InferParameter { StringParam = "r" }, GrpcStatus.InvalidArgument),
        ("sequence", request => request.Parameters["sequence_id"] = new InferParameter { Int64Param = 7 }, GrpcStatus.InvalidArgument),
        ("no value", request => request.Parameters["timeout"] = new InferParameter(), GrpcStatus.InvalidArgument),
        ("no text", request => request.Parameters["timeout"] = new InferParameter { StringParam = "1" }, GrpcStatus.InvalidArgument),
        ("long id", request => request.Id = new string('x', 2000), GrpcStatus.InvalidArgument),
    ];

    [Fact]
    public async Task A_request_that_does_not_fit_is_refused()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        using var client = new GrpcClient(server);
        foreach ((string name, Action<ModelInferRequest> change, GrpcStatus status) in s_refusals)
        {
            ModelInferRequest request = GrpcClient.Raw("half", "FP32", [3], 1f, 2f, 3f);
            change(request);
            GrpcException refused = await client.RefusedAsync(request);
            Assert.Equal((name, status), (name, refused.Status));
            Assert.NotEmpty(refused.Detail);
        }
    }

    [Fact]
    public async Task A_value_that_its_type_does_not_hold_is_refused()
    {
        await using TestServer server = await TestServer.StartAsync(await (await new TestStore().AddAsync("int8", TestModels.Identity(3))).AddAsync("bool", TestModels.Identity(9)));
        using var client = new GrpcClient(server);
        ModelInferRequest request = GrpcClient.Announce("int8", "INT8", 1, 1);
        request.Inputs[0].Contents = new InferTensorContents { IntContents = { 128 } };
        Assert.Equal(GrpcStatus.InvalidArgument, (await client.RefusedAsync(request)).Status);
        Assert.Equal(GrpcStatus.InvalidArgument, (await client.RefusedAsync(GrpcClient.Raw<byte>("bool", "BOOL", [1, 1], 2))).Status);
    }

    [Fact]
    public async Task Half_precision_goes_raw_only()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", TestModels.Identity(10)));
        using var client = new GrpcClient(server);
        ModelInferRequest request = GrpcClient.Announce("identity", "FP16", 1, 1);
        request.Inputs[0].Contents = new InferTensorContents { Fp32Contents = { 1 } };
        Assert.Equal(GrpcStatus.InvalidArgument, (await client.RefusedAsync(request)).Status);
        request = GrpcClient.Raw("identity", "FP16", [1, 1], (Half)1);
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "y", Parameters = { ["binary_data"] = s_false } });
        Assert.Equal(GrpcStatus.InvalidArgument, (await client.RefusedAsync(request)).Status);
    }

    [Fact]
    public async Task A_deadline_stops_a_run_in_the_middle()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("loop", TestModels.Loop), options => options with { Executor = new ExecutorOptions { Threads = 1 } });
        using var client = new GrpcClient(server);
        ModelInferRequest endless = Loop(long.MaxValue);
        Assert.Equal(GrpcStatus.DeadlineExceeded, (await client.RefusedAsync(endless, new GrpcCallOptions { Timeout = TimeSpan.FromMilliseconds(200) })).Status);
        endless.Parameters["timeout"] = new InferParameter { Int64Param = 20_000 };
        Assert.Equal(GrpcStatus.DeadlineExceeded, (await client.RefusedAsync(endless)).Status);
        // The only thread is free again.
        Assert.Equal(3f, Floats((await client.InferAsync(Loop(3))).RawOutputContents[0])[0]);
    }

    [Fact]
    public async Task A_caller_who_leaves_stops_a_run_in_the_middle()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("loop", TestModels.Loop), options => options with { Executor = new ExecutorOptions { Threads = 1 } });
        using var client = new GrpcClient(server);
        using var leave = new CancellationTokenSource();
        Task<ModelInferResponse> endless = client.InferAsync(Loop(long.MaxValue), cancellation: leave.Token);
        // Another request waits behind it, on a connection of its own, until the first one's caller is gone.
        using var other = new GrpcClient(server);
        Task<ModelInferResponse> waiting = other.InferAsync(Loop(3));
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => endless);
        Assert.Equal(3f, Floats((await waiting).RawOutputContents[0])[0]);
    }

    [Fact]
    public async Task A_caller_is_known_by_its_token()
    {
        TestStore store = (await new TestStore().AddAsync("half", TestModels.HalfPlusTwo)).AllowToken("alice", "secret", "half").AllowToken("bob", "other", "nothing");
        store.Anonymous.Clear();
        await using TestServer server = await TestServer.StartAsync(store);
        ModelInferRequest request = GrpcClient.Raw("half", "FP32", [1], 1f);
        foreach ((string? token, GrpcStatus status) in new[] { (null, GrpcStatus.Unauthenticated), ("wrong", GrpcStatus.Unauthenticated), ("other", GrpcStatus.PermissionDenied) })
        {
            using var stranger = new GrpcClient(server, token);
            Assert.Equal(status, (await stranger.RefusedAsync(request)).Status);
        }
        using var client = new GrpcClient(server, "secret");
        Assert.Single((await client.InferAsync(request)).RawOutputContents);

        // A stranger's large message is refused by its length, before it is here.
        using var nobody = new GrpcClient(server);
        await using StreamCall large = nobody.Stream();
        large.Send([0, 0, 16, 0, 0]);
        Assert.Equal("16", await large.StatusAsync());
    }

    [Fact]
    public async Task A_request_over_the_model_s_limit_is_refused()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync(options => options with { MaximumRequestBytes = 100_000 });
        using var client = new GrpcClient(server);
        Assert.Equal(GrpcStatus.ResourceExhausted, (await client.RefusedAsync(GrpcClient.Raw("half", "FP32", [50_000], new float[50_000]))).Status);
    }

    [Fact]
    public async Task A_stream_answers_in_order_and_survives_a_refusal()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        using var client = new GrpcClient(server);
        await using var stream = client.Stream();
        for (int i = 0; i < 5; i++)
        {
            ModelInferRequest request = GrpcClient.Raw(i == 2 ? "other" : "half", "FP32", [1], (float)i);
            request.Id = $"{i}";
            if (i == 4) request.Parameters["triton_enable_empty_final_response"] = s_true;
            stream.Send(request);
        }
        stream.Complete();
        for (int i = 0; i < 5; i++)
        {
            ModelStreamInferResponse answer = ModelStreamInferResponse.Parser.ParseFrom(await stream.ReceiveAsync());
            Assert.Equal(i == 2, answer.ErrorMessage.Length > 0);
            if (i == 2) continue;
            Assert.Equal($"{i}", answer.InferResponse.Id);
            Assert.Equal(i / 2f + 2, BitConverter.ToSingle(answer.InferResponse.RawOutputContents[0].Span));
            Assert.Equal(i == 4, answer.InferResponse.Parameters.TryGetValue("triton_final_response", out InferParameter? final) && final.BoolParam);
        }
        Assert.Equal("0", await stream.StatusAsync());
    }

    [Fact]
    public async Task A_stream_ends_at_a_message_that_cannot_be_read()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        using var client = new GrpcClient(server);
        await using var stream = client.Stream();
        stream.Send([0, 0, 0, 0, 1, 0xFF]);
        stream.Complete();
        Assert.Equal("13", await stream.StatusAsync());
    }

    private static float[] Floats(ByteString raw) => MemoryMarshal.Cast<byte, float>(raw.Span).ToArray();

    private static ModelInferRequest Loop(long rounds)
    {
        ModelInferRequest request = GrpcClient.Raw("loop", "INT64", [], rounds);
        request.Inputs[0].Name = "rounds";
        request.Inputs.Add(new ModelInferRequest.Types.InferInputTensor { Name = "x", Datatype = "FP32", Shape = { 1 } });
        request.RawInputContents.Add(ByteString.CopyFrom(new byte[4]));
        return request;
    }
}
