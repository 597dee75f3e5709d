using System.Security.Cryptography;
using Cloister.Protocol.Grpc;
using Cloister.Serving.TensorFlow.Messages;
using Cloister.Serving.Tests.Server;
using Cloister.Workload;

namespace Cloister.Serving.Tests.TensorFlow;

/// <summary><c>ModelService.HandleReloadConfigRequest</c>: what an administrator may change, and nobody else.</summary>
public sealed class GrpcReloadTests
{
    private const string Reload = "ModelService/HandleReloadConfigRequest";

    [Fact]
    public async Task An_administrator_takes_models_out_brings_them_back_and_names_versions()
    {
        await using TestServer server = await ServeAsync(allow: true);
        using var admin = new GrpcCalls(server, "admin-token");
        using var user = new GrpcCalls(server);
        await ReloadAsync(admin, Model("half"));
        Assert.Equal((GrpcStatus.NotFound, "Servable not found for request: Latest(two)"), await user.RefusedAsync("PredictionService/Predict", GrpcPredictTests.Request("two")));

        ModelConfig labelled = Model("two");
        labelled.ModelVersionPolicy = new() { Specific = new() { Versions = { 1 } } };
        labelled.VersionLabels["stable"] = 1;
        ReloadConfigResponse answer = await ReloadAsync(admin, Model("half"), labelled);
        Assert.Equal(new StatusProto(), answer.Status);
        Metric metric = Assert.Single(answer.Metric);
        Assert.Equal((":tensorflow:serving:any", Metric.ValueIncreaseOneofCase.Int64ValueIncrease, 0), (metric.Name, metric.ValueIncreaseCase, metric.Int64ValueIncrease));
        PredictRequest request = GrpcPredictTests.Request("two", ("a", GrpcPredictTests.Floats(1, 2)), ("b", GrpcPredictTests.Floats(1, 2)));
        request.ModelSpec.VersionLabel = "stable";
        Assert.Equal([2f, 4], (await user.CallAsync("PredictionService/Predict", request, PredictResponse.Parser)).Outputs["sum"].FloatVal);
        (_, string rest) = await server.PostAsync("/v1/models/two/labels/stable:predict", """{"instances":[{"a":[1,2],"b":[1,2]}]}""");
        Assert.Contains("\"sum\": [2.0, 4.0]", rest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_served_is_refused()
    {
        await using TestServer server = await ServeAsync(allow: true);
        using var admin = new GrpcCalls(server, "admin-token");
        async Task Check(GrpcStatus status, string reason, params ModelConfig[] models) => Assert.Equal((status, reason), await admin.RefusedAsync(Reload, Request(models)));
        Assert.Equal((GrpcStatus.InvalidArgument, "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported"), await admin.RefusedAsync(Reload, new ReloadConfigRequest()));
        await Check(GrpcStatus.NotFound, "The manifest does not grant model 'other' to this workload; only its models can be served.", Model("other"));
        await Check(GrpcStatus.InvalidArgument, "Model 'half' is configured twice.", Model("half"), Model("half"));
        await Check(GrpcStatus.InvalidArgument, "A model's name is 1 to 128 letters, digits, '-', '_' and '.', and does not begin with a '.'.", Model("../half"));
        await Check(GrpcStatus.InvalidArgument, "Model 'half': base_path names a folder of the server's machine.", new ModelConfig { Name = "half", BasePath = "gs://bucket/half" });
        await Check(GrpcStatus.InvalidArgument, "Model 'half': a sealed model is ONNX; model_platform is 'onnx', or 'tensorflow' in a configuration that is carried over.", new ModelConfig { Name = "half", ModelPlatform = "caffe" });
        await Check(GrpcStatus.InvalidArgument, "Model 'half': 'specific' needs versions, none of them negative.", new ModelConfig { Name = "half", ModelVersionPolicy = new() { Specific = new() } });
        await Check(GrpcStatus.InvalidArgument, "Model 'half': a version label is 1 to 128 characters without '/' and ':'.", new ModelConfig { Name = "half", VersionLabels = { ["a/b"] = 1 } });
        using var user = new GrpcCalls(server);
        Assert.Equal(6f, (await user.CallAsync("PredictionService/Predict", GrpcPredictTests.Request("half", ("x", new TensorProto { Dtype = DataType.DtFloat, TensorShape = GrpcPredictTests.Shape(1), FloatVal = { 8 } })), PredictResponse.Parser)).Outputs["y"].FloatVal[0]);
    }

    [Theory]
    [InlineData(true, null, GrpcStatus.Unauthenticated), InlineData(true, "user-token", GrpcStatus.PermissionDenied), InlineData(true, "wrong", GrpcStatus.Unauthenticated), InlineData(false, "admin-token", GrpcStatus.PermissionDenied)]
    public async Task Nobody_else_may(bool allow, string? token, GrpcStatus status)
    {
        await using TestServer server = await ServeAsync(allow);
        using var calls = new GrpcCalls(server, token);
        Assert.Equal(status, (await calls.RefusedAsync(Reload, Request())).Item1);
        using var user = new GrpcCalls(server);
        Assert.Equal(ModelVersionStatus.Types.State.Available, (await user.CallAsync("ModelService/GetModelStatus", new GetModelStatusRequest { ModelSpec = new ModelSpec { Name = "two" } }, GetModelStatusResponse.Parser)).ModelVersionStatus[0].State);
    }

    private static async Task<TestServer> ServeAsync(bool allow)
    {
        TestStore store = await (await new TestStore().AddAsync("half", TestModels.HalfPlusTwo)).AddAsync("two", TestModels.SumAndDifference);
        store.AllowToken("user", "user-token", "half");
        store.Callers.Add(new CallerGrant("admin", default, SHA256.HashData("admin-token"u8), ["half", "two"]) { Administers = ["models"] });
        return await TestServer.StartAsync(store, options => options with { Repository = options.Repository with { AllowChanges = allow } });
    }

    private static Task<ReloadConfigResponse> ReloadAsync(GrpcCalls admin, params ModelConfig[] models)
    {
        ReloadConfigRequest request = Request(models);
        request.MetricNames.Add(":tensorflow:serving:any");
        return admin.CallAsync(Reload, request, ReloadConfigResponse.Parser);
    }

    private static ReloadConfigRequest Request(params ModelConfig[] models) =>
        new() { Config = new ModelServerConfig { ModelConfigList = new ModelConfigList { Config = { models } } } };

    private static ModelConfig Model(string name) => new() { Name = name, ModelPlatform = "tensorflow" };
}
