using System.Text;
using Cloister.Serving.Repository;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Repository;

public sealed class WarmUpTests
{
    private const string Good = """{"inputs":[{"name":"x","shape":[2],"datatype":"FP32","data":[1,2]}]}""";

    [Theory]
    [InlineData(Good)]
    [InlineData(Good + "\n" + Good + "\r\n\n")]
    [InlineData("")]
    public async Task A_version_that_answers_its_warm_up_is_served(string requests)
    {
        await using var store = new VersionStore();
        await store.SealAsync("model.sealed", 1, warmUp: requests, configuration: """{"warmup":"zeros"}""");
        await store.StartAsync();
        Assert.Null(store.Slot.Reason);
        Assert.Equal(1, await store.AskAsync());
    }

    [Theory]
    [InlineData(Good + "\n{", "Request 2 of warmup.jsonl failed: ")]
    [InlineData("""{"inputs":[{"name":"y","shape":[1],"datatype":"FP32","data":[1]}]}""", "Request 1 of warmup.jsonl failed: ")]
    [InlineData("""{"inputs":[]}""", "Request 1 of warmup.jsonl failed: ")]
    [InlineData("\u00ff", "Request 1 of warmup.jsonl failed: ")]
    public async Task A_version_that_fails_its_warm_up_is_refused(string requests, string reason)
    {
        await using var store = new VersionStore();
        await store.SealAsync("model.sealed", 1, warmUp: requests);
        await store.StartAsync();
        Assert.Equal(ServingError.WarmUpFailed, store.Slot.Reason!.Error);
        Assert.StartsWith(reason, store.Slot.Reason.Message, StringComparison.Ordinal);
        Assert.False(store.Repository.IsReady);
    }

    [Fact]
    public async Task The_old_version_answers_until_the_new_one_is_warm()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model.sealed", 1);
        await store.StartAsync();
        await store.SealAsync("model.sealed", 2, warmUp: "{}");
        await Assert.ThrowsAsync<ServingException>(() => store.Repository.LoadModelAsync("model", default));
        Assert.Equal(1, await store.AskAsync());
    }

    [Fact]
    public async Task A_warm_up_that_does_not_end_ends_at_the_model_s_own_limit()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model.sealed", 1, TestModels.Loop, configuration: """{"timeoutMilliseconds":50}""",
            warmUp: """{"inputs":[{"name":"rounds","shape":[],"datatype":"INT64","data":[9223372036854775807]},{"name":"x","shape":[1],"datatype":"FP32","data":[0]}]}""");
        await store.StartAsync();
        Assert.Equal(ServingError.WarmUpFailed, store.Slot.Reason!.Error);
    }

    [Fact]
    public async Task Zeros_fit_every_shape_and_texts()
    {
        foreach (byte[] model in new[] { TestModels.TextIdentity, TestModels.SumAndDifference, TestModels.PictureMean, TestModels.Identity(10) })
        {
            await using var store = new VersionStore();
            await store.SealAsync("model.sealed", 1, model, configuration: """{"warmup":"zeros"}""");
            await store.StartAsync();
            Assert.Null(store.Slot.Reason);
        }
    }

    [Fact]
    public void More_requests_than_are_read_are_refused()
    {
        byte[] entry = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{}\n", WarmUp.MaximumRequests + 1)));
        Assert.Equal(ServingError.WarmUpFailed, Assert.Throws<ServingException>(() => WarmUp.Read(entry, false)).Error);
    }
}
