using Cloister.Sealing;
using Cloister.Serving.Repository;
using static Cloister.Serving.Tests.Repository.VersionStore;

namespace Cloister.Serving.Tests.Repository;

/// <summary>Which versions are served, and what a plan, the grant and the store have to say about it.</summary>
public sealed class VersionTests
{
    private static readonly VersionPolicy Newest = new VersionPolicy.Latest(1);

    [Theory]
    [InlineData("model.sealed")]
    [InlineData("model/3.sealed")]
    [InlineData("model/3/model.sealed")]
    [InlineData("model/003/model.sealed")]
    public async Task Each_layout_of_the_store_is_read(string place)
    {
        await using var store = new VersionStore();
        await store.SealAsync(place, 3);
        await store.StartAsync();
        Assert.Equal([(3, ModelVersionState.Available)], store.States);
        Assert.True(store.Repository.IsReady);
        Assert.Equal(3, await store.AskAsync());
        Assert.Equal(3, await store.AskAsync(new VersionChoice(3, null)));
        Assert.Equal(ServingError.VersionNotFound, (await Assert.ThrowsAsync<ServingException>(() => store.AskAsync(new VersionChoice(2, null)))).Error);
    }

    [Fact]
    public async Task By_default_the_newest_version_is_served()
    {
        await using VersionStore store = await ManyAsync(1, 2, 10);
        Assert.Equal([(10, ModelVersionState.Available)], store.States);
    }

    [Fact]
    public async Task A_policy_may_want_the_two_newest_all_or_some()
    {
        await using VersionStore store = await ManyAsync(1, 2, 3, 10);
        await store.Repository.ApplyAsync(Plan(new VersionPolicy.Latest(2)), default);
        Assert.Equal([3, 10], store.Slot.LoadedNumbers);
        await store.Repository.ApplyAsync(Plan(new VersionPolicy.All()), default);
        Assert.Equal([1, 2, 3, 10], store.Slot.LoadedNumbers);
        await store.Repository.ApplyAsync(Plan(Specific(2, 3)), default);
        Assert.Equal([2, 3], store.Slot.LoadedNumbers);
        Assert.Equal((2, 3, 3), (await store.AskAsync(new VersionChoice(2, null)), await store.AskAsync(new VersionChoice(3, null)), await store.AskAsync()));
        Assert.Equal([(1, ModelVersionState.End), (2, ModelVersionState.Available), (3, ModelVersionState.Available), (10, ModelVersionState.End)], store.States);
    }

    [Fact]
    public async Task A_file_s_number_must_be_the_one_that_was_signed()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model/1.sealed", 1);
        await store.SealAsync("model/7.sealed", 2);
        await store.StartAsync();
        ServingException reason = Assert.IsType<ServingException>(store.Slot.Reason);
        Assert.Equal((ServingError.VersionMismatch, "model/7.sealed holds version 2, which its maker signed; name it so."), (reason.Error, reason.Message));
        Assert.False(store.Repository.IsReady);
    }

    [Fact]
    public async Task Two_files_of_one_version_are_both_refused()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model/1.sealed", 1);
        await store.SealAsync("model/1/model.sealed", 1);
        await store.StartAsync();
        Assert.Equal("Version 1 is there more than once: model/1.sealed, model/1/model.sealed; leave one.", store.Slot.Reason!.Message);
    }

    [Fact]
    public async Task What_has_no_version_s_name_is_passed_over()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model/2.sealed", 2);
        foreach (string other in new[] { "model/-3.sealed", "model/x.sealed", "model/3.txt", "model/99999999999999999999.sealed", "model/4/other.sealed", "model/ 5.sealed" }) await store.SealAsync(other, 9);
        await store.StartAsync();
        Assert.Equal([(2, ModelVersionState.Available)], store.States);
    }

    [Fact]
    public async Task The_grant_s_least_version_holds_whatever_the_plan_wants()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model/1.sealed", 1);
        await store.SealAsync("model/2.sealed", 2);
        await store.StartAsync(minimum: 2);
        ServingException refusal = await Assert.ThrowsAsync<ServingException>(() => store.Repository.ApplyAsync(Plan(Specific(1)), default));
        Assert.Equal(ServingError.PlanIncomplete, refusal.Error);
        Assert.Contains($"sealing error {(int)SealingError.VersionTooOld}", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(2, await store.AskAsync()); // what answers goes only once something that is wanted answers
        Assert.True(store.Repository.IsReady);
    }

    [Fact]
    public async Task A_digest_pins_one_version_among_many()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model/1.sealed", 1);
        string digest = await store.SealAsync("model/2.sealed", 2);
        await store.SealAsync("model/3.sealed", 3);
        await store.StartAsync(digest: digest);
        Assert.Equal([(2, ModelVersionState.Available)], store.States);
    }

    [Fact]
    public async Task Labels_name_versions_that_are_available()
    {
        await using VersionStore store = await ManyAsync(1, 2);
        await store.Repository.ApplyAsync(Plan(new VersionPolicy.All(), ("stable", 1), ("canary", 2)), default);
        Assert.Equal((1, 2), (await store.AskAsync(new VersionChoice(null, "stable")), await store.AskAsync(new VersionChoice(null, "canary"))));
        Assert.Equal("Model 'model' has no version label 'old'; its labels are canary, stable.",
            (await Assert.ThrowsAsync<ServingException>(() => store.AskAsync(new VersionChoice(null, "old")))).Message);

        ServingException refusal = await Assert.ThrowsAsync<ServingException>(() => store.Repository.ApplyAsync(Plan(new VersionPolicy.All(), ("stable", 5)), default));
        Assert.Equal(ServingError.LabelRefused, refusal.Error);
        Assert.Equal(1, await store.AskAsync(new VersionChoice(null, "stable")));
    }

    [Fact]
    public async Task Labels_of_versions_to_come_are_accepted_where_the_options_say_so()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model/1.sealed", 1);
        await store.StartAsync(new RepositoryOptions { AllowChanges = true, LabelsForUnavailable = true });
        await store.Repository.ApplyAsync(Plan(new VersionPolicy.All(), ("next", 2)), default);
        Assert.Equal(ServingError.VersionNotFound, (await Assert.ThrowsAsync<ServingException>(() => store.AskAsync(new VersionChoice(null, "next")))).Error);
        await store.SealAsync("model/2.sealed", 2);
        await store.Repository.LoadModelAsync("model", default);
        Assert.Equal(2, await store.AskAsync(new VersionChoice(null, "next")));
    }

    [Fact]
    public async Task A_model_is_unloaded_and_loaded_by_name()
    {
        await using VersionStore store = await ManyAsync(1);
        await store.Repository.UnloadModelAsync("model", default);
        await UntilAsync(() => store.States is [(1, ModelVersionState.End)]);
        Assert.Equal((ServingError.ModelNotFound, ModelState.Unavailable), ((await Assert.ThrowsAsync<ServingException>(() => store.AskAsync())).Error, store.Slot.State));
        Assert.True(store.Repository.IsReady); // nothing is wanted
        await store.Repository.LoadModelAsync("model", default);
        Assert.Equal(1, await store.AskAsync());
        Assert.Equal(ServingError.ModelNotGranted, (await Assert.ThrowsAsync<ServingException>(() => store.Repository.LoadModelAsync("other", default))).Error);
    }

    [Fact]
    public async Task A_plan_that_contradicts_itself_changes_nothing()
    {
        await using VersionStore store = await ManyAsync(1);
        ModelPlan model = ModelPlan.Newest("model");
        foreach ((ServingPlan plan, ServingError error) in new[]
        {
            (new ServingPlan([model, model]), ServingError.PlanRefused),
            (new ServingPlan([model with { Versions = new VersionPolicy.Latest(0) }]), ServingError.PlanRefused),
            (new ServingPlan([model with { Versions = Specific() }]), ServingError.PlanRefused),
            (new ServingPlan([model, ModelPlan.Newest("other")]), ServingError.ModelNotGranted),
        })
            Assert.Equal(error, (await Assert.ThrowsAsync<ServingException>(() => store.Repository.ApplyAsync(plan, default))).Error);
        Assert.Equal(1, await store.AskAsync());
    }

    [Fact]
    public async Task Without_leave_to_change_the_key_is_zeroed_and_nothing_changes()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model/1.sealed", 1);
        await store.StartAsync(new RepositoryOptions());
        await store.SealAsync("model/2.sealed", 2);
        Assert.Equal(ServingError.ChangesNotAllowed, (await Assert.ThrowsAsync<ServingException>(() => store.Repository.ApplyAsync(Plan(Newest), default))).Error);
        Assert.Equal(ServingError.ChangesNotAllowed, (await Assert.ThrowsAsync<ServingException>(() => store.Repository.UnloadModelAsync("model", default))).Error);
        Assert.Equal(1, await store.AskAsync());
    }

    [Fact]
    public async Task Another_base_path_is_where_the_plan_says()
    {
        await using var store = new VersionStore();
        await store.SealAsync("elsewhere/deep/4.sealed", 4);
        await store.SealAsync("model.sealed", 1);
        await store.StartAsync();
        Assert.Equal(1, await store.AskAsync());
        foreach (string place in new[] { "elsewhere/deep", "elsewhere/deep/", Path.Combine(store.Folder, "elsewhere/deep") })
        {
            await store.Repository.ApplyAsync(new ServingPlan([ModelPlan.Newest("model") with { BasePath = place }]), default);
            Assert.Equal(4, await store.AskAsync());
        }
    }

    [Fact]
    public async Task A_store_that_is_never_looked_through_serves_what_is_asked_for()
    {
        await using var store = new VersionStore();
        await store.SealAsync("model.sealed", 1);
        await store.StartAsync(new RepositoryOptions { PollInterval = TimeSpan.FromSeconds(-1), AllowChanges = true });
        Assert.Equal((ModelState.Loading, false), (store.Slot.State, store.Repository.IsReady));
        await store.Repository.LoadModelAsync("model", default);
        Assert.Equal((ModelState.Ready, true), (store.Slot.State, store.Repository.IsReady));
    }

    private static async Task<VersionStore> ManyAsync(params long[] versions)
    {
        var store = new VersionStore();
        foreach (long version in versions) await store.SealAsync($"model/{version}.sealed", version);
        return await store.StartAsync();
    }
}
