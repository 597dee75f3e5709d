using Cloister.Coordinator.State;
using Cloister.Coordinator.Stores;
using Cloister.Coordinator.Tests.Stores;
using Cloister.Sealing;

namespace Cloister.Coordinator.Tests.State;

/// <summary>
/// Many changes at once on a disk that crashes or fills up. Each change takes the next number, so that what is found afterwards shows the order:
/// whatever happened, it is the changes of the first so many commits, and every acknowledged one is among them.
/// </summary>
public sealed class LiveStateFaultTests
{
    private const string DataPath = "/seal/sealed_data";
    private const int Changes = 12;

    [Fact]
    public async Task A_crash_after_any_operation_leaves_whole_commits_with_all_that_was_acknowledged()
    {
        int crashes = 0;
        for (int operations = 0; ; operations++)
        {
            Run run = await RunAsync(operations, disk => disk.OperationsLeft = operations);
            await CheckAsync(run);
            if (run.Failures.Count == 0)
                break;
            Assert.All(run.Failures, failure => Assert.IsType<SimulatedDisk.CrashException>(failure));
            crashes++;
        }
        Assert.True(crashes > 4, $"{crashes} crashes");
    }

    [Theory, InlineData(1), InlineData(4)]
    public async Task A_disk_that_fails_at_any_operation_fails_whole_groups_and_loses_nothing(int failures)
    {
        int failed = 0, faulted = 0;
        for (int operation = 0; ; operation++)
        {
            Run run = await RunAsync(operation, disk => (disk.FailsAt, disk.Failures) = (operation, failures));
            await CheckAsync(run);
            if (run.Failures.Count == 0)
                break;
            failed++;
            StoreError[] errors = [.. run.Failures.Select(failure => Assert.IsType<StoreException>(failure).Error).Distinct()];
            Assert.All(errors, error => Assert.True(error is StoreError.WriteFailed or StoreError.Faulted, $"{error}"));
            // Unless the outcome is unknown, the disk holds what was acknowledged and nothing else.
            if (errors.Contains(StoreError.Faulted))
                faulted++;
            else
                Assert.Equal(run.Acknowledged.Order(), await FoundAsync(run.Disk));
        }
        Assert.True(failed > 4, $"{failed} failed");
        // How often the outcome is open depends on what is written whole, which groups form by chance; a disk that keeps failing leaves it open.
        Assert.True(failures == 1 || faulted > 0, $"{faulted} of {failed} of unknown outcome");
    }

    [Fact]
    public async Task Generated_changes_end_as_a_model_of_the_acknowledged_ones_says()
    {
        for (int seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            var disk = new SimulatedDisk();
            var model = new Dictionary<string, long>();
            await using (LiveState state = await OpenAsync(FileStore.Open(DataPath, disk)))
            {
                for (int round = 0; round < 4; round++)
                {
                    if (random.Next(3) == 0)
                        (disk.FailsAt, disk.Failures) = (random.Next(3), 1);
                    using var cancellation = new CancellationTokenSource();
                    (string Name, int Kind, Task<CoordinatorSnapshot> Outcome)[] changes = [.. Enumerable.Range(0, random.Next(1, 25)).Select(_ =>
                    {
                        (string name, int kind) = ($"k{random.Next(5)}", random.Next(6));
                        return (name, kind, Task.Run(() => state.ChangeAsync(Decision(name, kind), kind == 0 ? cancellation.Token : default)));
                    })];
                    await cancellation.CancelAsync();
                    foreach ((string name, int kind, Task<CoordinatorSnapshot> outcome) in changes)
                    {
                        await outcome.ContinueWith(_ => { }, TaskScheduler.Default);
                        if (outcome.IsCompletedSuccessfully && kind is not 2)
                            model[name] = model.GetValueOrDefault(name) + 1;
                        else if (kind == 1)
                            Assert.True(outcome.Exception!.InnerException is CoordinatorException or StoreException, $"seed {seed}: {outcome.Exception.InnerException}");
                    }
                    AssertSame(model, state.Current, seed);
                    disk.FailsAt = -1;
                }
            }
            await using LiveState again = await OpenAsync(FileStore.Open(DataPath, disk));
            AssertSame(model, again.Current, seed);
        }

        // 0 may be cancelled, 1 refuses, 2 changes nothing, the others count.
        static Func<CoordinatorSnapshot, CoordinatorSnapshot> Decision(string name, int kind) => kind switch
        {
            1 => _ => throw new CoordinatorException(CoordinatorError.BudgetSpent, "spent"),
            2 => current => current,
            _ => Snapshots.Add(name),
        };
    }

    private static async Task<Run> RunAsync(int seed, Action<SimulatedDisk> fault)
    {
        var run = new Run(new SimulatedDisk(), [], [], []);
        await using LiveState state = await OpenAsync(new RecordingStore(FileStore.Open(DataPath, run.Disk), run.Commits));
        run.Commits.Clear();
        fault(run.Disk);
        var random = new Random(seed);
        foreach (int size in new[] { 1, random.Next(1, Changes), Changes })
        {
            Task<CoordinatorSnapshot>[] changes = [.. Enumerable.Range(0, size).Select(_ => Task.Run(() => state.ChangeAsync(
                current => current with { Activations = current.Activations.Add($"n{current.Activations.Count}", 1) }, default)))];
            foreach (Task<CoordinatorSnapshot> change in changes)
            {
                await change.ContinueWith(_ => { }, TaskScheduler.Default);
                if (change.IsCompletedSuccessfully)
                    run.Acknowledged.Add((await change).Activations.Count - 1);
                else
                    run.Failures.Add(change.Exception!.InnerException!);
            }
        }
        Assert.Equal(run.Acknowledged.Count, run.Acknowledged.Distinct().Count());
        return run;
    }

    private static async Task CheckAsync(Run run)
    {
        foreach (SimulatedDisk left in run.Disk.AfterCrash())
        {
            int[] found = await FoundAsync(left);
            Assert.Equal(Enumerable.Range(0, found.Length), found);
            Assert.True(run.Acknowledged.All(n => n < found.Length), "An acknowledged change was lost.");
            Assert.Contains(found.Length, run.Commits.Prepend(0));
        }
    }

    private static async Task<int[]> FoundAsync(SimulatedDisk disk)
    {
        await using LiveState state = await OpenAsync(FileStore.Open(DataPath, disk));
        return [.. state.Current.Activations.Keys.Select(name => int.Parse(name[1..], null)).Order()];
    }

    private static async Task<LiveState> OpenAsync(IStore file) =>
        await LiveState.OpenAsync(await SealedStore.OpenAsync(file, SecretBytes.Copy(new byte[32]), "test", default), Snapshots.First, default);

    private static void AssertSame(Dictionary<string, long> model, CoordinatorSnapshot snapshot, int seed) =>
        Assert.True(model.Count == snapshot.Activations.Count && model.All(entry => snapshot.Activations.GetValueOrDefault(entry.Key) == entry.Value), $"seed {seed}");

    /// <param name="Disk">Where it ran.</param>
    /// <param name="Commits">How many changes there were in all after each commit that was tried.</param>
    /// <param name="Acknowledged">Numbers of the changes that were answered with success.</param>
    /// <param name="Failures">What the others were answered.</param>
    private sealed record Run(SimulatedDisk Disk, List<int> Commits, List<int> Acknowledged, List<Exception> Failures);

    private sealed class RecordingStore(IStore inner, List<int> commits) : IStore
    {
        public ValueTask<StoreRecord?> GetAsync(string key, CancellationToken cancellation) => inner.GetAsync(key, cancellation);

        public ValueTask<IReadOnlyDictionary<string, StoreRecord>> ReadAllAsync(CancellationToken cancellation) => inner.ReadAllAsync(cancellation);

        public ValueTask<long?> CommitAsync(StoreTransaction transaction, CancellationToken cancellation)
        {
            // Below the sealing names can be read.
            int[] numbers = [.. transaction.Writes.Keys.Where(key => key.StartsWith("record/activations:n", StringComparison.Ordinal)).Select(key => int.Parse(key["record/activations:n".Length..], null))];
            if (numbers.Length > 0)
                commits.Add(numbers.Max() + 1);
            return inner.CommitAsync(transaction, cancellation);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
