using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Cloister.Onnx.Tests.Runtime;
using Cloister.Protocol.Grpc;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow.Messages;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.TensorFlow;

/// <summary>Several versions of a model at once, by number and by label, on both surfaces.</summary>
public sealed class VersionTests
{
    [Theory]
    [InlineData("", 11), InlineData("/versions/1", 2), InlineData("/versions/10", 11), InlineData("/labels/stable", 2), InlineData("/labels/canary%2D1", 11)]
    public async Task Rest_reaches_each_version(string address, int answer)
    {
        await using TestServer server = await ServeAsync();
        Assert.Equal((HttpStatusCode.OK, $"{{\n    \"predictions\": [{answer}.0\n    ]\n}}"), await server.PostAsync($"/v1/models/plus{address}:predict", """{"instances":[1]}"""));
        Assert.Equal((HttpStatusCode.OK, $"{{\n    \"results\": [{answer}.0]\n}}"), await server.PostAsync($"/v1/models/plus{address}:regress", """{"examples":[{"x":1}]}"""));
        using JsonDocument metadata = JsonDocument.Parse((await server.GetAsync($"/v1/models/plus{address}/metadata")).Body);
        Assert.Equal((answer - 1).ToString(System.Globalization.CultureInfo.InvariantCulture), metadata.RootElement.GetProperty("model_spec").GetProperty("version").GetString());
    }

    [Fact]
    public async Task The_status_lists_the_newest_first_and_what_is_not_there_is_said()
    {
        await using TestServer server = await ServeAsync();
        Assert.Equal(["10", "1"], await VersionsAsync(server, "/v1/models/plus"));
        Assert.Equal(["1"], await VersionsAsync(server, "/v1/models/plus/versions/1"));
        Assert.Equal((HttpStatusCode.NotFound, Refusal.Body("Could not find version 5 of model plus")), await server.GetAsync("/v1/models/plus/versions/5"));
        Assert.Equal((HttpStatusCode.NotFound, Refusal.Body("Servable not found for request: Specific(plus, 5)")), await server.PostAsync("/v1/models/plus/versions/5:predict", "{}"));
        Assert.Equal((HttpStatusCode.BadRequest, Refusal.Body("Unrecognized servable version label: beta")), await server.PostAsync("/v1/models/plus/labels/beta:predict", "{}"));
    }

    [Fact]
    public async Task Grpc_reaches_each_version()
    {
        await using TestServer server = await ServeAsync();
        using var calls = new GrpcCalls(server);
        async Task<(float, long?)> Ask(ModelSpec spec)
        {
            PredictRequest request = GrpcPredictTests.Request("plus", ("x", new TensorProto { Dtype = DataType.DtFloat, TensorShape = GrpcPredictTests.Shape(1), FloatVal = { 1 } }));
            request.ModelSpec = spec;
            PredictResponse answer = await calls.CallAsync("PredictionService/Predict", request, PredictResponse.Parser);
            return (answer.Outputs["y"].FloatVal[0], answer.ModelSpec.Version);
        }
        Assert.Equal((11, 10), await Ask(new ModelSpec { Name = "plus" }));
        Assert.Equal((2, 1), await Ask(new ModelSpec { Name = "plus", Version = 1 }));
        Assert.Equal((2, 1), await Ask(new ModelSpec { Name = "plus", VersionLabel = "stable" }));
        Assert.Equal((11, 10), await Ask(new ModelSpec { Name = "plus", VersionLabel = "canary-1" }));
        GetModelStatusResponse status = await calls.CallAsync("ModelService/GetModelStatus", new GetModelStatusRequest { ModelSpec = new ModelSpec { Name = "plus" } }, GetModelStatusResponse.Parser);
        Assert.Equal([10L, 1], status.ModelVersionStatus.Select(version => version.Version));
        Assert.Equal(GrpcStatus.NotFound, (await calls.RefusedAsync("PredictionService/Predict", new PredictRequest { ModelSpec = new ModelSpec { Name = "plus", Version = 0 } })).Item1);
    }

    private static async Task<TestServer> ServeAsync()
    {
        TestStore store = await new TestStore().AddVersionsAsync("plus", (1, Plus(1)), (10, Plus(10)));
        ImmutableDictionary<string, long> labels = ImmutableDictionary<string, long>.Empty.Add("stable", 1).Add("canary-1", 10);
        return await TestServer.StartAsync(store, options => options with
        {
            Repository = options.Repository with { Plan = new ServingPlan([new ModelPlan("plus", null, new VersionPolicy.All(), labels)]) },
        });
    }

    private static byte[] Plus(float amount) =>
        new HandmadeModel().Input("x", 1, -1).Inline("n", 1, [1], amount).Node("Add", ["x", "n"], ["y"]).Output("y", 1, -1).ToBytes();

    private static async Task<string[]> VersionsAsync(TestServer server, string path)
    {
        using JsonDocument status = JsonDocument.Parse((await server.GetAsync(path)).Body);
        return [.. status.RootElement.GetProperty("model_version_status").EnumerateArray().Select(version => version.GetProperty("version").GetString()!)];
    }
}
