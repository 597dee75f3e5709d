using System.Net;
using Cloister.Onnx.Tests.Runtime;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Partitioned;

/// <summary>How many items a request may have: one caller's long run must not look to everybody as an accelerator that stalls.</summary>
public sealed class RequestSizeTests
{
    [Fact]
    public async Task More_items_than_its_maker_allows_are_refused_and_nothing_of_them_goes_out()
    {
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync(tcp: true);
        await using var proxy = AcceleratorProxy.Before(accelerator);
        TestStore store = await new TestStore().AddPartsAsync("m", TestParts.Small, """{"partition":{"maxRequestItems":3}}""");
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Accelerators = [proxy.Address] });
        await RefusedAsync(server, PartitionedServingTests.Request(TestParts.Rows(4)), "has 4 items; model 'm' takes 3 at once");
        Assert.Empty(proxy.Runs);
        await PartitionedServingTests.InferAsync(server, "m", TestParts.Rows(3));
        Assert.Single(proxy.Runs);
    }

    [Fact]
    public async Task No_item_at_all_is_refused()
    {
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync();
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddPartsAsync("m", TestParts.Small), options => options with { Accelerators = [accelerator.Address] });
        await RefusedAsync(server, PartitionedServingTests.Request(), "item");
    }

    [Theory]
    [InlineData(1, -1)]
    [InlineData(-1, 1)]
    public async Task Parts_that_take_one_item_refuse_two(int back, int tail)
    {
        float[] weights = [.. Enumerable.Range(0, TestParts.Crossing * TestParts.Classes).Select(index => index / 20f)];
        TestParts parts = TestParts.Small with
        {
            Back = new HandmadeModel().Input("h", 1, back, TestParts.Crossing).Inline("w", 1, [TestParts.Crossing, TestParts.Classes], weights)
                .Node("MatMul", ["h", "w"], ["logits"]).Output("logits", 1, back, TestParts.Classes).ToBytes(),
            Tail = new HandmadeModel().Input("logits", 1, tail, TestParts.Classes).Node("Softmax", ["logits"], ["p"]).Output("p", 1, tail, TestParts.Classes).ToBytes(),
        };
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync();
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddPartsAsync("m", parts), options => options with { Accelerators = [accelerator.Address] });
        await PartitionedServingTests.InferAsync(server, "m", TestParts.Rows(1));
        await RefusedAsync(server, PartitionedServingTests.Request(TestParts.Rows(2)), back == 1 ? "takes 1 at once" : "send another number of items");
    }

    private static async Task RefusedAsync(TestServer server, string request, string reason)
    {
        (HttpStatusCode status, string body) = await server.PostAsync("/v2/models/m/infer", request);
        Assert.True(status == HttpStatusCode.BadRequest, $"{status} {body}");
        Assert.Contains(reason, body, StringComparison.Ordinal);
    }
}
