using System.Collections.Concurrent;
using Cloister.Sealing;
using Cloister.Serving.Repository;
using Cloister.Serving.Tests.Execution;
using static Cloister.Serving.Tests.Repository.VersionStore;

namespace Cloister.Serving.Tests.Repository;

/// <summary>Files that change while their model answers.</summary>
public sealed class HotSwapTests
{
    private static readonly RepositoryOptions Polling = new() { PollInterval = TimeSpan.FromMilliseconds(20) };

    [Fact]
    public async Task A_new_version_is_found_and_takes_over()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model/1.sealed", 1);
        await store.StartAsync(Polling);
        await store.SealAsync("model/2.sealed", 2);
        await UntilAsync(() => store.States is [(1, ModelVersionState.End), (2, ModelVersionState.Available)]);
        Assert.Equal(2, await store.AskAsync());
    }

    [Fact]
    public async Task A_single_file_that_is_replaced_is_opened_anew_whatever_its_version()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model.sealed", 1);
        await store.StartAsync(Polling);
        await store.SealAsync("model.sealed", 2);
        await UntilAsync(() => store.Slot.LoadedNumbers is [2]);
        await store.SealAsync("model.sealed", 2, Model(20)); // another model under the same version
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await store.AskAsync() != 20) await Task.Delay(5, limit.Token);
        await store.SealAsync("model.sealed", 1); // back: the grant allows it
        await UntilAsync(() => store.Slot.LoadedNumbers is [1]);
        Assert.Equal(1, await store.AskAsync());
    }

    [Fact]
    public async Task A_version_below_the_grant_s_least_never_takes_over()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model.sealed", 5);
        await store.StartAsync(new RepositoryOptions { AllowChanges = true }, minimum: 5);
        await store.SealAsync("model.sealed", 4);
        Assert.Equal(ServingError.PlanIncomplete, (await Assert.ThrowsAsync<ServingException>(() => store.Repository.LoadModelAsync("model", default))).Error);
        Assert.Equal(5, await store.AskAsync());
        Assert.True(store.Repository.IsReady);
    }

    [Theory]
    [InlineData("tampered"), InlineData("truncated"), InlineData("foreign"), InlineData("broken"), InlineData("named")]
    public async Task A_new_version_that_is_refused_does_not_take_the_old_one_down(string how)
    {
        await using var store = new VersionStore();
        await store.SealAsync("model/1.sealed", 1);
        await store.StartAsync();
        await SpoilAsync(store, how);
        ServingException refusal = await Assert.ThrowsAsync<ServingException>(() => store.Repository.LoadModelAsync("model", default));
        Assert.Equal(ServingError.PlanIncomplete, refusal.Error);
        Assert.Equal(1, await store.AskAsync());
        Assert.Equal([(1, ModelVersionState.Available), (2, ModelVersionState.End)], store.States);
        Assert.NotNull(store.Slot.Versions[1].Reason);
        Assert.True(store.Repository.IsReady);

        await store.SealAsync("model/2.sealed", 2); // the file changes: it is opened
        await store.Repository.ApplyAsync(store.Repository.Plan, default);
        Assert.Equal(2, await store.AskAsync());
    }

    [Fact]
    public async Task A_refused_file_is_not_read_again_before_it_changes()
    {
        var time = new ManualTime();
        await using var store = new VersionStore();
        await SpoilAsync(store, "tampered");
        await store.StartAsync(new RepositoryOptions { AllowChanges = true }, time: time);
        ServingException first = store.Slot.Reason!;
        Assert.Same(first, (await Assert.ThrowsAsync<ServingException>(() => store.Repository.ApplyAsync(store.Repository.Plan, default))).InnerException);
        Assert.NotSame(first, (await Assert.ThrowsAsync<ServingException>(() => store.Repository.LoadModelAsync("model", default))).InnerException); // asked for by name: tried again
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_file_that_cannot_be_read_is_tried_again_as_often_as_the_options_say(bool freed)
    {
        var time = new ManualTime();
        await using var store = new VersionStore();
        await store.SealAsync("model/1.sealed", 1);
        using var held = new FileStream(Path.Combine(store.Folder, "model", "1.sealed"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        await store.StartAsync(new RepositoryOptions { LoadRetries = 2, RetryInterval = TimeSpan.FromMinutes(1) }, time: time);
        Assert.Equal((ModelState.Unavailable, ServingError.StoreUnreadable), (store.Slot.State, store.Slot.Reason!.Error));
        Assert.DoesNotContain(store.Folder, store.Slot.Reason.Message, StringComparison.Ordinal);
        for (int retry = 0; retry < 2; retry++)
        {
            if (freed && retry == 1) held.Dispose();
            ServingException before = store.Slot.Reason!;
            await UntilAsync(() =>
            {
                time.Advance(TimeSpan.FromSeconds(20));
                return !ReferenceEquals(store.Slot.Reason, before) && store.Slot.State != ModelState.Loading;
            });
        }
        Assert.Equal(freed ? ModelState.Ready : ModelState.Unavailable, store.Slot.State);
        ServingException? last = store.Slot.Reason;
        for (int i = 0; i < 9; i++) time.Advance(TimeSpan.FromMinutes(1));
        Assert.Same(last, store.Slot.Reason);
    }

    [Fact]
    public async Task A_version_that_is_leased_answers_though_it_is_withdrawn()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model/1.sealed", 1);
        await store.StartAsync();
        ModelLease lease = store.Slot.Lease(default);
        await store.SealAsync("model/2.sealed", 2);
        await store.Repository.LoadModelAsync("model", default);
        Assert.Equal([(1, ModelVersionState.Unloading), (2, ModelVersionState.Available)], store.States);
        Assert.Equal((1, 2), (await VersionStore.AskAsync(lease), await store.AskAsync()));
        lease.Dispose();
        await UntilAsync(() => store.States is [(1, ModelVersionState.End), (2, ModelVersionState.Available)]);
    }

    [Fact]
    public async Task Where_memory_is_short_the_old_version_goes_first()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model.sealed", 1);
        await store.StartAsync(new RepositoryOptions { AllowChanges = true, UnloadFirst = true });
        ModelLease lease = store.Slot.Lease(default);
        await store.SealAsync("model.sealed", 2);
        Task loading = store.Repository.LoadModelAsync("model", default);
        await UntilAsync(() => store.States is [(1, ModelVersionState.Unloading)]);
        Assert.False(loading.IsCompleted);
        lease.Dispose();
        await loading;
        Assert.Equal(2, await store.AskAsync());
    }

    [Fact]
    public async Task An_emptied_store_takes_nothing_down()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model/1.sealed", 1);
        await store.StartAsync();
        store.Delete("model/1.sealed");
        await Assert.ThrowsAsync<ServingException>(() => store.Repository.LoadModelAsync("model", default));
        Assert.Equal(1, await store.AskAsync());
    }

    [Fact]
    public async Task A_thousand_swaps_under_load_lose_no_request_and_no_memory()
    {
        const int swaps = 1000;
        await using var store = new VersionStore();
        await store.SealAsync("model/1.sealed", 1);
        await store.SealAsync("model/2.sealed", 2);
        await store.StartAsync();
        using var stop = new CancellationTokenSource();
        var answers = new ConcurrentDictionary<long, int>();
        Task[] callers = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                using ModelLease lease = store.Repository.Find("model").Lease(default);
                long answer = await VersionStore.AskAsync(lease);
                Assert.Equal(lease.Model.Version, answer);
                answers.AddOrUpdate(answer, 1, (_, count) => count + 1);
            }
        }))];
        var old = new List<WeakReference>();
        for (int swap = 0; swap < swaps; swap++)
        {
            if (swap % 50 == 0) old.Add(new WeakReference(store.Slot.Require(default)));
            await store.Repository.ApplyAsync(Plan(Specific(swap % 2 + 1)), default);
        }
        await stop.CancelAsync();
        await Task.WhenAll(callers);
        Assert.Equal([1, 2], answers.Keys.Order());
        await store.Repository.ApplyAsync(Plan(Specific(1)), default);
        await UntilAsync(() => store.Slot.LoadedNumbers is [1]);
        // Nothing holds on to a version that has gone.
        await UntilAsync(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return old.Count(model => model.IsAlive) <= 2;
        });
        Assert.InRange(store.Slot.Versions.Length, 1, 2);
    }

    [Fact]
    public async Task Weights_that_are_used_in_place_are_given_back_with_their_version()
    {
        const int width = 256;
        byte[] Dense(int version) => new Cloister.Onnx.Tests.Runtime.HandmadeModel().Input("x", 1, -1).Inline("w", 1, [width, width], Enumerable.Repeat((float)version, width * width).ToArray())
            .Inline("i", 7, [1], 0L).Node("Gather", ["w", "i"], ["row"]).Node("ReduceMax", ["row"], ["top"], Cloister.Onnx.Tests.Runtime.HandmadeModel.Int("keepdims", 0))
            .Node("Add", ["x", "top"], ["y"]).Output("y", 1, -1).ToBytes();
        byte[] Chain(int version) => new Cloister.Onnx.Tests.Runtime.HandmadeModel().Input("x", 1, -1).Inline("w", 1, [1, width * width], Enumerable.Repeat((float)version, width * width).ToArray())
            .Inline("rows", 7, [2], 1L, -1L).Inline("flat", 7, [1], -1L).Node("Reshape", ["x", "rows"], ["row"]).Node("Add", ["row", "w"], ["sum"])
            .Node("ReduceMax", ["sum"], ["top"], Cloister.Onnx.Tests.Runtime.HandmadeModel.Int("keepdims", 0)).Node("Reshape", ["top", "flat"], ["y"]).Output("y", 1, -1).ToBytes();
        await using var store = new VersionStore();
        await store.SealAsync("model.sealed", 1, Chain(1), configuration: """{"weights":"in-place"}""");
        await store.StartAsync();
        long one = store.Memory.Held;
        Assert.True(one > width * width * sizeof(float));
        for (int version = 2; version <= 40; version++)
        {
            await store.SealAsync("model.sealed", version, Chain(version), configuration: """{"weights":"in-place"}""");
            await store.Repository.LoadModelAsync("model", default);
            Assert.Equal(version, await store.AskAsync());
        }
        await UntilAsync(() => store.Memory.Held == one);
        await store.SealAsync("model.sealed", 41, Dense(41), configuration: """{"weights":"in-place"}"""); // folded: copied, and its memory goes
        await store.Repository.LoadModelAsync("model", default);
        Assert.Equal(41, await store.AskAsync());
        await store.Repository.UnloadModelAsync("model", default);
        await UntilAsync(() => store.Memory.Held == Environment.SystemPageSize); // the key
    }

    [Theory]
    [InlineData(null, true)] // large enough to be used in place unless the maker says otherwise
    [InlineData("""{"weights":"packed"}""", false)]
    public async Task Large_weights_stay_where_they_were_decrypted(string? configuration, bool stay)
    {
        const int length = 17 << 20;
        byte[] model = new Cloister.Onnx.Tests.Runtime.HandmadeModel().Input("x", 1, -1).Inline("w", 2, [length], new byte[length])
            .Node("Cast", ["x"], ["at"], Cloister.Onnx.Tests.Runtime.HandmadeModel.Int("to", 7)).Node("Gather", ["w", "at"], ["picked"])
            .Node("Cast", ["picked"], ["number"], Cloister.Onnx.Tests.Runtime.HandmadeModel.Int("to", 1)).Node("Add", ["x", "number"], ["y"]).Output("y", 1, -1).ToBytes();
        await using var store = new VersionStore();
        await store.SealAsync("model.sealed", 1, model, configuration: configuration);
        await store.StartAsync();
        Assert.Equal(0, await store.AskAsync());
        Assert.Equal(stay, store.Memory.Held > length);
    }

    [Fact]
    public async Task Who_asked_for_a_change_may_stop_waiting_and_it_goes_on()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model.sealed", 1);
        await store.StartAsync();
        using ModelLease lease = store.Slot.Lease(default);
        await store.SealAsync("model.sealed", 2);
        using var given = new CancellationTokenSource();
        Task change = store.Repository.LoadModelAsync("model", given.Token);
        await given.CancelAsync();
        await Task.WhenAny(change);
        await store.Repository.LoadModelAsync("model", default);
        Assert.Equal(2, await store.AskAsync());
    }

    private static async Task SpoilAsync(VersionStore store, string how)
    {
        const string place = "model/2.sealed";
        string path = Path.Combine(store.Folder, place);
        using MakerKey other = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);
        switch (how)
        {
            case "foreign": await store.SealAsync(place, 2, maker: other); return;
            case "broken": await store.SealAsync(place, 2, [1, 2, 3]); return;
            case "named": await store.SealAsync(place, 3); return;
        }
        await store.SealAsync(place, 2);
        byte[] bytes = await File.ReadAllBytesAsync(path);
        if (how == "truncated") bytes = bytes[..^10];
        else bytes[^40] ^= 1;
        await File.WriteAllBytesAsync(path, bytes);
    }
}
