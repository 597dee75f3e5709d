using Cloister.Protocol.Grpc;
using Cloister.Protocol.Grpc.Health;

namespace Cloister.Protocol.Tests.Grpc;

public sealed class GrpcHealthTests
{
    private readonly GrpcHealthTable _table = new();

    private Task<GrpcTestServer> StartAsync()
    {
        _table.Set("", GrpcServingStatus.Serving);
        _table.Set("model", GrpcServingStatus.NotServing);
        return GrpcTestServer.StartAsync(routes => routes.MapGrpcHealth(_table));
    }

    private static async Task<HealthCheckResponse> CheckAsync(GrpcTestServer server, string service)
    {
        using HttpMessageInvoker http = server.Client();
        return await new GrpcChannel(http, server.Address).UnaryAsync("/grpc.health.v1.Health/Check", new HealthCheckRequest { Service = service }, HealthCheckResponse.Parser);
    }

    private static async Task<int?> NextAsync(StreamCall watch) =>
        await watch.ReceiveAsync() is { } message ? (int)HealthCheckResponse.Parser.ParseFrom(message).Status : null;

    [Fact]
    public async Task CheckTellsAStatusOrThatThereIsNoSuchService()
    {
        await using GrpcTestServer server = await StartAsync();
        Assert.Equal(1, (int)(await CheckAsync(server, "")).Status);
        Assert.Equal(2, (int)(await CheckAsync(server, "model")).Status);
        GrpcException refused = await Assert.ThrowsAsync<GrpcException>(() => CheckAsync(server, "other"));
        Assert.Equal(GrpcStatus.NotFound, refused.Status);
    }

    [Fact]
    public async Task ListTellsAll()
    {
        await using GrpcTestServer server = await StartAsync();
        using HttpMessageInvoker http = server.Client();
        HealthListResponse list = await new GrpcChannel(http, server.Address).UnaryAsync("/grpc.health.v1.Health/List", new HealthListRequest(), HealthListResponse.Parser);
        Assert.Equal((2, 1, 2), (list.Statuses.Count, (int)list.Statuses[""].Status, (int)list.Statuses["model"].Status));
    }

    [Fact]
    public async Task WatchTellsEveryChangeOnce()
    {
        await using GrpcTestServer server = await StartAsync();
        await using var watch = new StreamCall(server.Client(), server.Address, "/grpc.health.v1.Health/Watch");
        watch.Send(new HealthCheckRequest { Service = "late" });
        watch.Complete();
        Assert.Equal(3, await NextAsync(watch)); // unknown, and worth waiting for
        _table.Set("model", GrpcServingStatus.Serving); // another's change
        _table.Set("late", GrpcServingStatus.NotServing);
        Assert.Equal(2, await NextAsync(watch));
        _table.Set("late", GrpcServingStatus.NotServing); // no change
        _table.Set("late", GrpcServingStatus.Serving);
        Assert.Equal(1, await NextAsync(watch));
        _table.Remove("late");
        Assert.Equal(3, await NextAsync(watch));
    }

    [Fact]
    public async Task AStoppingServerEndsAWatch()
    {
        await using GrpcTestServer server = await StartAsync();
        await using var watch = new StreamCall(server.Client(), server.Address, "/grpc.health.v1.Health/Watch");
        watch.Send(new HealthCheckRequest());
        watch.Complete();
        Assert.Equal(1, await NextAsync(watch));
        Task<string?> status = watch.StatusAsync();
        await server.StopAsync();
        Assert.Equal("14", await status);
    }
}
