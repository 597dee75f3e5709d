using Cloister.Protocol.Grpc;
using Cloister.Serving.TensorFlow.Messages;
using Cloister.Serving.Tests.Server;
using Google.Protobuf;

namespace Cloister.Serving.Tests.TensorFlow;

/// <summary>Classify, Regress, MultiInference, GetModelMetadata and GetModelStatus.</summary>
public sealed class GrpcExampleTests
{
    [Fact]
    public async Task Classes_and_values_of_examples()
    {
        await using TestServer server = await TestServer.StartAsync(await (await new TestStore().AddAsync("softmax", ExampleTests.Softmax, labels: "car\nbike\nbus")).AddAsync("half", TestModels.HalfPlusTwo));
        using var calls = new GrpcCalls(server);
        var classify = new ClassificationRequest { ModelSpec = new ModelSpec { Name = "softmax" }, Input = Examples(Floats("x", 1, 1, 1), Floats("x", 1000, 0, 0)) };
        ClassificationResponse classes = await calls.CallAsync("PredictionService/Classify", classify, ClassificationResponse.Parser);
        Assert.Equal(new ModelSpec { Name = "softmax", Version = 1, SignatureName = "serving_default" }, classes.ModelSpec);
        Assert.Equal(["car", "bike", "bus"], classes.Result.Classifications[0].Classes.Select(one => one.Label));
        Assert.Equal([1f, 0, 0], classes.Result.Classifications[1].Classes.Select(one => one.Score));

        var regress = new RegressionRequest
        {
            ModelSpec = new ModelSpec { Name = "half", SignatureName = "regression" },
            Input = new Input { ExampleListWithContext = new ExampleListWithContext { Context = Floats("x", 80), Examples = { new Example(), Floats("x", 1.5f), Integers("x", 3) } } },
        };
        RegressionResponse values = await calls.CallAsync("PredictionService/Regress", regress, RegressionResponse.Parser);
        Assert.Equal("regression", values.ModelSpec.SignatureName);
        Assert.Equal([42f, 2.75f, 3.5f], values.Result.Regressions.Select(one => one.Value));
    }

    [Fact]
    public async Task Features_of_every_kind_are_read_in_every_form()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("half", TestModels.HalfPlusTwo));
        using var calls = new GrpcCalls(server);
        // Feature { float_list { value: 8 } } with the value in a field of its own.
        byte[] list = [0x0D, .. BitConverter.GetBytes(8f)];
        byte[] feature = [0x12, (byte)list.Length, .. list];
        byte[] entry = [0x12, (byte)feature.Length, .. feature, 0x0A, 1, (byte)'x'];
        byte[] features = [0x0A, (byte)entry.Length, .. entry];
        byte[] example = [0x0A, (byte)features.Length, .. features];
        var input = new Input { ExampleList = new ExampleList { Examples = { Example.Parser.ParseFrom(example) } } };
        byte[] examples = [0x0A, (byte)example.Length, .. example];
        byte[] raw = [0x12, (byte)(examples.Length + 2), 0x0A, (byte)examples.Length, .. examples, 0x0A, 6, 0x0A, 4, .. "half"u8];
        Assert.Equal([6f], (await calls.CallAsync("PredictionService/Regress", raw, RegressionResponse.Parser)).Result.Regressions.Select(one => one.Value));
        Assert.Equal([6f], (await calls.CallAsync("PredictionService/Regress", new RegressionRequest { ModelSpec = new ModelSpec { Name = "half" }, Input = input }, RegressionResponse.Parser)).Result.Regressions.Select(one => one.Value));
    }

    [Fact]
    public async Task Examples_that_are_none_are_refused()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("half", TestModels.HalfPlusTwo));
        using var calls = new GrpcCalls(server);
        async Task Check(string reason, RegressionRequest request) => Assert.Equal((GrpcStatus.InvalidArgument, reason), await calls.RefusedAsync("PredictionService/Regress", request));
        var half = new ModelSpec { Name = "half" };
        await Check("Input is empty.", new RegressionRequest { ModelSpec = half });
        await Check("Input is empty.", new RegressionRequest { ModelSpec = half, Input = Examples() });
        await Check("Missing ModelSpec", new RegressionRequest { Input = Examples(Floats("x", 1)) });
        await Check("Key: x, Index: 1.  Feature: x (data type: float) is required but could not be found.", new RegressionRequest { ModelSpec = half, Input = Examples(Floats("x", 1), Floats("y", 1)) });
        await Check("Key: x, Index: 0.  Number of float values != expected.  Values size: 2 but output shape: []", new RegressionRequest { ModelSpec = half, Input = Examples(Floats("x", 1, 2)) });
        await Check("Key: x, Index: 0.  Data types don't match. Expected type: float, but it is a list of bytes",
            new RegressionRequest { ModelSpec = half, Input = Examples(Of("x", new Feature { BytesList = new BytesList { Value = { ByteString.CopyFromUtf8("a") } } })) });
        await Check("No signature was found with the name: " + new string('s', 1024 - 38) + "...TRUNCATED", new RegressionRequest { ModelSpec = new ModelSpec { Name = "half", SignatureName = new string('s', 1024) }, Input = Examples(Floats("x", 1)) });
        Assert.Equal((GrpcStatus.InvalidArgument, "Expected classification signature outputs to contain at least one of \"classes\" or \"scores\". Signature was: y: float[-1]"),
            await calls.RefusedAsync("PredictionService/Classify", new ClassificationRequest { ModelSpec = half, Input = Examples(Floats("x", 1)) }));
    }

    [Fact]
    public async Task Several_tasks_share_one_run()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", TestModels.Identity(1), labels: "only"));
        using var calls = new GrpcCalls(server);
        var request = new MultiInferenceRequest
        {
            Tasks = { Job("identity", "classification", "classify"), Job("identity", "regression", "regress") },
            Input = Examples(Floats("x", 3), Floats("x", 4)),
        };
        MultiInferenceResponse answer = await calls.CallAsync("PredictionService/MultiInference", request, MultiInferenceResponse.Parser);
        Assert.Equal(["classification", "regression"], answer.Results.Select(result => result.ModelSpec.SignatureName));
        Assert.Equal([("only", 3f), ("only", 4f)], answer.Results[0].ClassificationResult.Classifications.Select(one => (one.Classes[0].Label, one.Classes[0].Score)));
        Assert.Equal([3f, 4], answer.Results[1].RegressionResult.Regressions.Select(one => one.Value));

        async Task Refused(GrpcStatus status, string reason, params InferenceTask[] tasks) =>
            Assert.Equal((status, reason), await calls.RefusedAsync("PredictionService/MultiInference", new MultiInferenceRequest { Tasks = { tasks }, Input = request.Input }));
        await Refused(GrpcStatus.InvalidArgument, "ModelSpec has no name specified.");
        await Refused(GrpcStatus.InvalidArgument, "Found ModelSpec with an empty model name.", request.Tasks[0], Job("", "regression", "regress"));
        await Refused(GrpcStatus.InvalidArgument, "All ModelSpecs in a MultiInferenceRequest must access the same model name.", request.Tasks[0], Job("other", "regression", "regress"));
        await Refused(GrpcStatus.InvalidArgument, "Duplicate evaluation of signature: serving_default", Job("identity", "", "classify"), Job("identity", "serving_default", "regress"));
        await Refused(GrpcStatus.InvalidArgument, "Requested signature not found in model graph: other", Job("identity", "other", "classify"));
        await Refused(GrpcStatus.Unimplemented, "Unsupported signature method_name: tensorflow/serving/predict", Job("identity", "", "predict"));
        await Refused(GrpcStatus.InvalidArgument, "A request has at most 16 tasks.", [.. Enumerable.Repeat(request.Tasks[0], 17)]);
    }

    [Fact]
    public async Task Metadata_and_status()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("softmax", ExampleTests.Softmax));
        using var calls = new GrpcCalls(server);
        var request = new GetModelMetadataRequest { ModelSpec = new ModelSpec { Name = "softmax" }, MetadataField = { "signature_def" } };
        GetModelMetadataResponse answer = await calls.CallAsync("PredictionService/GetModelMetadata", request, GetModelMetadataResponse.Parser);
        Assert.Equal(new ModelSpec { Name = "softmax", Version = 1 }, answer.ModelSpec);
        Assert.Equal("type.googleapis.com/tensorflow.serving.SignatureDefMap", answer.Metadata["signature_def"].TypeUrl);
        SignatureDefMap map = answer.Metadata["signature_def"].Unpack<SignatureDefMap>();
        Assert.Equal(["classification", "serving_default"], map.SignatureDef.Keys.Order());
        SignatureDef signature = map.SignatureDef["serving_default"];
        Assert.Equal("tensorflow/serving/predict", signature.MethodName);
        Assert.Equal(new TensorInfo { Name = "x", Dtype = DataType.DtFloat, TensorShape = GrpcPredictTests.Shape(-1, 3) }, signature.Inputs["x"]);
        Assert.Equal((GrpcStatus.InvalidArgument, "GetModelMetadataRequest must specify at least one metadata_field"), await calls.RefusedAsync("PredictionService/GetModelMetadata", new GetModelMetadataRequest { ModelSpec = request.ModelSpec }));
        Assert.Equal((GrpcStatus.InvalidArgument, "Metadata field weights is not supported"), await calls.RefusedAsync("PredictionService/GetModelMetadata", new GetModelMetadataRequest { ModelSpec = request.ModelSpec, MetadataField = { "weights" } }));
        Assert.Equal((GrpcStatus.NotFound, "Servable not found for request: Latest(none)"), await calls.RefusedAsync("PredictionService/GetModelMetadata", new GetModelMetadataRequest { ModelSpec = new ModelSpec { Name = "none" }, MetadataField = { "signature_def" } }));

        GetModelStatusResponse status = await calls.CallAsync("ModelService/GetModelStatus", new GetModelStatusRequest { ModelSpec = request.ModelSpec }, GetModelStatusResponse.Parser);
        Assert.Equal(new ModelVersionStatus { Version = 1, State = ModelVersionStatus.Types.State.Available, Status = new StatusProto() }, Assert.Single(status.ModelVersionStatus));
        Assert.Equal((GrpcStatus.InvalidArgument, "Missing ModelSpec"), await calls.RefusedAsync("ModelService/GetModelStatus", new GetModelStatusRequest()));
        Assert.Equal((GrpcStatus.NotFound, "Could not find any versions of model none"), await calls.RefusedAsync("ModelService/GetModelStatus", new GetModelStatusRequest { ModelSpec = new ModelSpec { Name = "none" } }));
        Assert.Equal((GrpcStatus.NotFound, "Could not find version 9 of model softmax"), await calls.RefusedAsync("ModelService/GetModelStatus", new GetModelStatusRequest { ModelSpec = new ModelSpec { Name = "softmax", Version = 9 } }));
    }

    private static Input Examples(params Example[] examples) => new() { ExampleList = new ExampleList { Examples = { examples } } };

    private static Example Floats(string name, params float[] values) => Of(name, new Feature { FloatList = new FloatList { Value = { values } } });

    private static Example Integers(string name, params long[] values) => Of(name, new Feature { Int64List = new Int64List { Value = { values } } });

    private static Example Of(string name, Feature feature) => new() { Features = new Features { Feature = { [name] = feature } } };

    private static InferenceTask Job(string model, string signature, string method) =>
        new() { ModelSpec = new ModelSpec { Name = model, SignatureName = signature }, MethodName = "tensorflow/serving/" + method };
}
