using System.Security.Cryptography;
using Cloister.Protocol.Grpc;
using Cloister.Serving.TensorFlow.Messages;
using Cloister.Serving.Tests.Server;
using Cloister.Workload;

namespace Cloister.Serving.Tests.TensorFlow;

/// <summary>Who may call <c>PredictionService</c>, and how often.</summary>
public sealed class GrpcCallerTests
{
    private const string Predict = "PredictionService/Predict";

    [Fact]
    public async Task Strangers_others_and_who_asks_too_often_have_a_status_each()
    {
        TestStore store = (await new TestStore().AddAsync("half", TestModels.HalfPlusTwo)).AllowToken("bob", "other", "nothing");
        store.Callers.Add(new CallerGrant("alice", default, SHA256.HashData("secret"u8), ["half"]) { Limits = [new LimitsGrant("") { Requests = 1, Interval = TimeSpan.FromHours(1) }] });
        store.Anonymous.Clear();
        await using TestServer server = await TestServer.StartAsync(store);
        PredictRequest request = GrpcPredictTests.Request("half", ("x", new TensorProto { Dtype = DataType.DtFloat, TensorShape = GrpcPredictTests.Shape(1), FloatVal = { 8 } }));
        foreach ((string? token, GrpcStatus status) in new[] { (null, GrpcStatus.Unauthenticated), ("wrong", GrpcStatus.Unauthenticated), ("other", GrpcStatus.PermissionDenied) })
        {
            using var stranger = new GrpcCalls(server, token);
            Assert.Equal(status, (await stranger.RefusedAsync(Predict, request)).Item1);
        }
        using var caller = new GrpcCalls(server, "secret");
        Assert.Equal(6f, (await caller.CallAsync(Predict, request, PredictResponse.Parser)).Outputs["y"].FloatVal[0]);
        Assert.Equal(GrpcStatus.ResourceExhausted, (await caller.RefusedAsync(Predict, request)).Item1);
    }
}
