using Cloister.Coordinator.Counters;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Marble;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Coordinator.Tests.Counters;

public sealed class DiskServiceTests : IAsyncLifetime
{
    private static readonly WorkloadIdentity s_workload = new("m", Guid.Parse("3d0ffb2a-6a3f-4f1b-8d4b-0123456789ab"));

    private TestCoordinator _coordinator = null!;

    private DiskService Disks => new(_coordinator.Host.State, NullLogger<DiskService>.Instance);

    public async Task InitializeAsync()
    {
        _coordinator = await TestCoordinator.StartAsync(options => options with { Simulation = true });
        Assert.Equal(200, (await _coordinator.PostAsync("/api/v2/manifest",
            System.Text.Json.JsonSerializer.Serialize(new { manifest = """{"Packages":{"p":{"UniqueID":"77"}},"Marbles":{"m":{"Package":"p"}}}"""u8.ToArray() }))).Code);
    }

    public async Task DisposeAsync() => await _coordinator.DisposeAsync();

    [Fact]
    public async Task What_counts_outlives_the_coordinator()
    {
        Assert.Equal(0ul, await AskAsync("data"));
        Assert.Equal(1ul, await CommitAsync("data", 0, 1));
        Assert.Equal(2ul, await CommitAsync("data", 1, 2));
        await _coordinator.RestartAsync();
        Assert.Equal(2ul, await AskAsync("data"));
        Assert.Equal(2ul, await CommitAsync("data", 1, 2));
        Assert.Equal(3ul, await CommitAsync("data", 2, 3));
        Assert.Equal("bQ==::ZGF0YQ==", Assert.Single(_coordinator.Host.State.Current.Disks).Key);
        Assert.Equal("bQ==:PQ/7Kmo/TxuNSwEjRWeJqw==:", DiskService.OwnerOf(s_workload, machine: true));
    }

    [Fact]
    public async Task Versions_follow_each_other_or_are_refused()
    {
        foreach ((ulong expected, ulong next) in new (ulong, ulong)[] { (0, 0), (0, 2), (1, 1), (2, 1), (ulong.MaxValue, 0) })
            Assert.Equal(CoordinatorError.BadRequest, (await Assert.ThrowsAsync<CoordinatorException>(() => CommitAsync("data", expected, next))).Error);
        foreach (string name in new[] { "", new string('x', 65), "dätä" })
            Assert.Equal(CoordinatorError.BadRequest, (await Assert.ThrowsAsync<CoordinatorException>(() => AskAsync(name))).Error);
        var odd = new DiskReq { Name = "data", Next = new DiskStateMessage { Version = 1, Digest = ByteString.CopyFrom(new byte[33]) } };
        Assert.Equal(CoordinatorError.BadRequest, (await Assert.ThrowsAsync<CoordinatorException>(() => Disks.AnswerAsync(s_workload, odd, default))).Error);
    }

    [Fact]
    public async Task There_is_an_end_to_them()
    {
        string owner = DiskService.OwnerOf(s_workload, machine: false);
        await _coordinator.Host.State.ChangeAsync(current => current with
        {
            Disks = current.Disks.AddRange(Enumerable.Range(0, DiskService.MaxForOneOwner).Select(i => KeyValuePair.Create($"{owner}{i}", new DiskRecord(1, new string('0', 64))))),
        }, default);
        Assert.Equal(CoordinatorError.CounterRefused, (await Assert.ThrowsAsync<CoordinatorException>(() => CommitAsync("more", 0, 1))).Error);
        Assert.Equal(0ul, await AskAsync("more"));
    }

    private async Task<ulong> AskAsync(string name) => (await Disks.AnswerAsync(s_workload, new DiskReq { Name = name }, default)).Counts.Version;

    private async Task<ulong> CommitAsync(string name, ulong expected, ulong next) => (await Disks.AnswerAsync(s_workload,
        new DiskReq { Name = name, Expected = State(expected), Next = State(next) }, default)).Counts.Version;

    private static DiskStateMessage State(ulong version) => version == 0
        ? new DiskStateMessage()
        : new DiskStateMessage { Version = version, Digest = ByteString.CopyFrom(Enumerable.Repeat((byte)version, 32).ToArray()) };
}
