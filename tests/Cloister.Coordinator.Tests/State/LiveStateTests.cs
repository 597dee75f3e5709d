using Cloister.Coordinator.State;
using Cloister.Coordinator.Stores;

namespace Cloister.Coordinator.Tests.State;

public sealed class LiveStateTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly MemoryStore _stored = new();
    private GatedStore _gate = null!;
    private LiveState _state = null!;

    public async Task InitializeAsync()
    {
        _gate = new GatedStore(_stored);
        _state = await LiveState.OpenAsync(_gate, Snapshots.First, default);
    }

    public ValueTask DisposeAsync() => _state.DisposeAsync();

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    [Fact]
    public async Task What_waits_is_stored_in_one_commit_and_everybody_gets_its_own_outcome()
    {
        Task<CoordinatorSnapshot> first = await BeginAsync(Add("n"));
        int commits = _gate.Commits;
        Task<CoordinatorSnapshot>[] waiting = [.. Enumerable.Range(0, 40).Select(_ => _state.ChangeAsync(Add("n"), default))];
        _gate.Let();
        await _gate.ArrivedAsync();
        Assert.Equal(1, (await first).Activations["n"]);
        Assert.Equal(1, _state.Current.Activations["n"]);
        Assert.All(waiting, change => Assert.False(change.IsCompleted));
        _gate.Open();
        CoordinatorSnapshot[] outcomes = await Task.WhenAll(waiting);
        Assert.Equal(commits + 1, _gate.Commits);
        // Each its own count, in the order they came, and the version of the one commit.
        Assert.Equal(Enumerable.Range(2, 40).Select(n => (long)n), outcomes.Select(outcome => outcome.Activations["n"]));
        Assert.All(outcomes, outcome => Assert.Equal(_state.Current.Version, outcome.Version));
        Assert.Equal(41, _state.Current.Activations["n"]);
        Assert.Equal(41, (await StoredAsync()).Activations["n"]);
    }

    [Fact]
    public async Task One_that_refuses_fails_alone_and_changes_nothing()
    {
        Task<CoordinatorSnapshot> first = await BeginAsync(Add("n"));
        Task<CoordinatorSnapshot> before = _state.ChangeAsync(Add("n"), default);
        Task<CoordinatorSnapshot> refused = _state.ChangeAsync(_ => throw new CoordinatorException(CoordinatorError.BudgetSpent, "spent"), default);
        Task<CoordinatorSnapshot> after = _state.ChangeAsync(Add("n"), default);
        _gate.Open();
        await Task.WhenAll(first, before, after);
        Assert.Equal(CoordinatorError.BudgetSpent, (await Assert.ThrowsAsync<CoordinatorException>(() => refused)).Error);
        Assert.Equal(3, (await after).Activations["n"]);
    }

    [Fact]
    public async Task A_failed_commit_fails_all_of_its_group_and_leaves_the_old_state()
    {
        Task<CoordinatorSnapshot> first = await BeginAsync(Add("n"));
        Task<CoordinatorSnapshot>[] group = [.. Enumerable.Range(0, 5).Select(_ => _state.ChangeAsync(Add("n"), default))];
        _gate.Let();
        await _gate.ArrivedAsync();
        Task<CoordinatorSnapshot> later = _state.ChangeAsync(Add("n"), default);
        _gate.Let(_ => throw new StoreException(StoreError.WriteFailed, "No space left on device"));
        foreach (Task<CoordinatorSnapshot> change in group)
            Assert.Equal(StoreError.WriteFailed, (await Assert.ThrowsAsync<StoreException>(() => change)).Error);
        Assert.Equal(1, (await first).Activations["n"]);
        _gate.Open();
        Assert.Equal(2, (await later).Activations["n"]);
        Assert.Equal(2, (await StoredAsync()).Activations["n"]);
    }

    [Fact]
    public async Task What_was_decided_on_changes_that_were_never_stored_fails_with_them()
    {
        Task<CoordinatorSnapshot> first = await BeginAsync(Add("n"));
        Task<CoordinatorSnapshot> refusedByStored = _state.ChangeAsync(Once("n"), default);
        Task<CoordinatorSnapshot> unchanged = _state.ChangeAsync(current => current, default);
        Task<CoordinatorSnapshot> change = _state.ChangeAsync(Once("m"), default);
        Task<CoordinatorSnapshot> refusedByUnstored = _state.ChangeAsync(Once("m"), default);
        Task<CoordinatorSnapshot> unchangedAfter = _state.ChangeAsync(current => current, default);
        _gate.Let();
        await _gate.ArrivedAsync();
        _gate.Let(_ => throw new StoreException(StoreError.WriteFailed, "No space left on device"));
        Assert.Equal(CoordinatorError.BudgetSpent, (await Assert.ThrowsAsync<CoordinatorException>(() => refusedByStored)).Error);
        Assert.Equal((await first).Version, (await unchanged).Version);
        foreach (Task<CoordinatorSnapshot> failed in new[] { change, refusedByUnstored, unchangedAfter })
            Assert.Equal(StoreError.WriteFailed, (await Assert.ThrowsAsync<StoreException>(() => failed)).Error);
        Assert.False(_state.Current.Activations.ContainsKey("m"));
    }

    [Fact]
    public async Task Cancelling_withdraws_what_waits_and_not_what_was_taken_up()
    {
        using var cancellation = new CancellationTokenSource();
        Task<CoordinatorSnapshot> taken = await BeginAsync(Add("taken"), cancellation.Token);
        Task<CoordinatorSnapshot> waiting = _state.ChangeAsync(Add("waiting"), cancellation.Token), other = _state.ChangeAsync(Add("other"), default);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _state.ChangeAsync(Add("waiting"), cancellation.Token));
        Assert.False(taken.IsCompleted);
        _gate.Open();
        await Task.WhenAll(taken, other);
        Assert.Equal(["other", "taken"], (await StoredAsync()).Activations.Keys.Order());
    }

    [Fact]
    public async Task Where_another_wrote_in_between_all_of_the_group_decide_again()
    {
        await using LiveState other = await LiveState.OpenAsync(new GatedStore(_stored), Snapshots.First, default);
        Task<CoordinatorSnapshot> first = await BeginAsync(Add("n"));
        Task<CoordinatorSnapshot> add = _state.ChangeAsync(Add("n"), default), once = _state.ChangeAsync(Once("m"), default), again = _state.ChangeAsync(Once("m"), default);
        _gate.Let();
        await _gate.ArrivedAsync();
        await first;
        await other.ChangeAsync(Add("m"), default);
        _gate.Open();
        // The group's own "m" was refused on what the other stored.
        Assert.Equal(2, (await add).Activations["n"]);
        foreach (Task<CoordinatorSnapshot> refused in new[] { once, again })
            Assert.Equal(CoordinatorError.BudgetSpent, (await Assert.ThrowsAsync<CoordinatorException>(() => refused)).Error);
        Assert.Equal(1, (await StoredAsync()).Activations["m"]);
    }

    [Fact]
    public async Task One_that_cannot_be_stored_fails_alone()
    {
        Task<CoordinatorSnapshot> first = await BeginAsync(Add("n"));
        Task<CoordinatorSnapshot> before = _state.ChangeAsync(Add("n"), default);
        Task<CoordinatorSnapshot> tooLong = _state.ChangeAsync(Add(new string('x', StoreTransaction.MaxKeyBytes)), default);
        Task<CoordinatorSnapshot> after = _state.ChangeAsync(Add("n"), default);
        _gate.Open();
        await Assert.ThrowsAsync<ArgumentException>(() => tooLong);
        await Task.WhenAll(first, before, after);
        Assert.Equal(3, (await StoredAsync()).Activations["n"]);
    }

    [Fact]
    public async Task Closing_stores_what_waits_and_refuses_what_comes_later()
    {
        Task<CoordinatorSnapshot> first = await BeginAsync(Add("n")), waiting = _state.ChangeAsync(Add("n"), default);
        ValueTask closing = _state.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _state.ChangeAsync(Add("n"), default));
        _gate.Open();
        await closing;
        Assert.Equal(2, (await waiting).Activations["n"]);
        Assert.True(first.IsCompletedSuccessfully);
    }

    /// <summary>A change that has reached the store and waits there; the gate stays closed.</summary>
    private async Task<Task<CoordinatorSnapshot>> BeginAsync(Func<CoordinatorSnapshot, CoordinatorSnapshot> decide, CancellationToken cancellation = default)
    {
        _gate.Closed = true;
        Task<CoordinatorSnapshot> change = _state.ChangeAsync(decide, cancellation);
        await _gate.ArrivedAsync();
        return change;
    }

    private async Task<CoordinatorSnapshot> StoredAsync() => SnapshotRecords.Read(await _stored.ReadAllAsync(default))!;

    private static Func<CoordinatorSnapshot, CoordinatorSnapshot> Add(string name) => Snapshots.Add(name);

    private static Func<CoordinatorSnapshot, CoordinatorSnapshot> Once(string name) => current => current.Activations.ContainsKey(name)
        ? throw new CoordinatorException(CoordinatorError.BudgetSpent, "spent")
        : Snapshots.Add(name)(current);
}
