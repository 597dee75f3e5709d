using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Cloister.Tests.Mesh;

namespace Cloister.Workload.Tests;

/// <summary>What a coordinator remembers of sealed disks, asked over the real wire.</summary>
public sealed class DiskCommitsTests
{
    private static readonly DiskCommit s_none = new(0, default);

    [Fact]
    public async Task One_commit_follows_the_other_and_a_lost_answer_is_asked_for_again()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        await mesh.SetModelKeyAsync();
        WorkloadActivator activator = mesh.Activator();
        using Activation activation = await activator.ActivateAsync();
        var disks = new DiskCommits(activator, activation);

        AssertSame(s_none, await disks.ReadAsync("data", machine: false));
        DiskCommit one = Commit(1, 0x11), two = Commit(2, 0x22);
        AssertSame(one, await disks.RaiseAsync("data", false, s_none, one));
        AssertSame(one, await disks.RaiseAsync("data", false, s_none, one));
        AssertSame(two, await disks.RaiseAsync("data", false, one, two));
        AssertSame(two, await disks.ReadAsync("data", false));
        // What came before is never answered as if it had worked.
        AssertSame(two, await disks.RaiseAsync("data", false, s_none, one));
        AssertSame(two, await disks.RaiseAsync("data", false, one, Commit(2, 0x33)));
        AssertSame(two, await disks.RaiseAsync("data", false, Commit(2, 0x33), Commit(3, 0x33)));
        AssertSame(two, await disks.ReadAsync("data", false));
    }

    [Fact]
    public async Task A_workloads_disk_is_the_same_under_every_UUID_and_a_machines_is_not()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        WorkloadActivator first = mesh.Activator(TestMesh.OtherType), second = mesh.Activator(TestMesh.OtherType);
        using Activation one = await first.ActivateAsync(), other = await second.ActivateAsync();
        Assert.NotEqual(one.Uuid, other.Uuid);
        DiskCommits ours = new(first, one), theirs = new(second, other);

        DiskCommit commit = Commit(1, 0x11);
        AssertSame(commit, await ours.RaiseAsync("data", machine: false, s_none, commit));
        AssertSame(commit, await theirs.ReadAsync("data", machine: false));
        AssertSame(commit, await theirs.RaiseAsync("data", machine: false, s_none, Commit(1, 0x22)));

        AssertSame(s_none, await ours.ReadAsync("data", machine: true));
        AssertSame(commit, await ours.RaiseAsync("data", machine: true, s_none, commit));
        AssertSame(s_none, await theirs.ReadAsync("data", machine: true));
        AssertSame(s_none, await ours.ReadAsync("other", machine: true));
    }

    [Fact]
    public async Task Types_do_not_reach_each_others_disks()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        await mesh.SetModelKeyAsync();
        WorkloadActivator digits = mesh.Activator(), letters = mesh.Activator(TestMesh.OtherType);
        using Activation one = await digits.ActivateAsync(), other = await letters.ActivateAsync();
        DiskCommit commit = Commit(1, 0x11);
        AssertSame(commit, await new DiskCommits(digits, one).RaiseAsync("data", false, s_none, commit));
        AssertSame(s_none, await new DiskCommits(letters, other).ReadAsync("data", false));
    }

    [Fact]
    public async Task Of_many_that_commit_at_once_one_counts_and_all_are_told_which()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        WorkloadActivator activator = mesh.Activator(TestMesh.OtherType);
        using Activation activation = await activator.ActivateAsync();
        var disks = new DiskCommits(activator, activation);
        DiskCommit[] counts = await Task.WhenAll(Enumerable.Range(1, 8).Select(i => disks.RaiseAsync("data", false, s_none, Commit(1, (byte)i))));
        Assert.Single(counts.Select(c => Convert.ToHexString(c.Digest.Span)).Distinct());
        AssertSame(counts[0], await disks.ReadAsync("data", false));
    }

    [Fact]
    public async Task Another_coordinator_that_the_policy_would_want_is_not_asked()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        WorkloadActivator activator = mesh.Activator(TestMesh.OtherType);
        using Activation activation = await activator.ActivateAsync();
        using Activation elsewhere = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        // As if it had been activated by another: the same measurement and manifest, another root.
        using X509Certificate2 root = TestActivation.Create().CoordinatorRoot;
        var moved = new Activation(activation.Identity, elsewhere.MarbleRoot, root, activation.Parameters, [], activation.Rights);
        var e = await Assert.ThrowsAsync<WorkloadException>(() => new DiskCommits(activator, moved).ReadAsync("data", false));
        Assert.Equal(WorkloadError.CoordinatorRefused, e.Error);
    }

    [Fact]
    public async Task Whoever_has_no_certificate_of_the_coordinator_is_refused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using var key = new WorkloadKey();
        using X509Certificate2 self = key.CreateSelfSigned(DateTimeOffset.UtcNow);
        using var connection = new CoordinatorConnection(new Uri($"https://{mesh.MeshAddress}"), SslStreamCertificateContext.Create(self, null, offline: true), TimeProvider.System);
        var e = await Assert.ThrowsAsync<GrpcException>(() => connection.Channel.UnaryAsync(MarbleService.DiskPath, new DiskReq { Name = "data" }, DiskResp.Parser, new GrpcCallOptions()));
        Assert.Equal(GrpcStatus.PermissionDenied, e.Status);
    }

    [Fact]
    public async Task What_the_coordinator_refuses_and_what_it_does_not_answer_are_told_apart()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        WorkloadActivator activator = mesh.Activator(TestMesh.OtherType);
        using Activation activation = await activator.ActivateAsync();
        var disks = new DiskCommits(activator, activation);
        foreach (string name in new[] { new string('x', 65), "dätä" })
            Assert.Equal(WorkloadError.DiskRefused, (await Assert.ThrowsAsync<WorkloadException>(() => disks.ReadAsync(name, false))).Error);
        Assert.Equal(WorkloadError.DiskRefused, (await Assert.ThrowsAsync<WorkloadException>(() => disks.RaiseAsync("data", false, s_none, new DiskCommit(1, new byte[31])))).Error);
        await Assert.ThrowsAsync<ArgumentException>(() => disks.RaiseAsync("data", false, s_none, Commit(2, 1)));
        await mesh.Coordinator.DisposeAsync();
        Assert.Equal(WorkloadError.DiskUnanswered, (await Assert.ThrowsAsync<WorkloadException>(() => disks.ReadAsync("data", false))).Error);
    }

    private static DiskCommit Commit(ulong version, byte digest) => new(version, Enumerable.Repeat(digest, 32).ToArray());

    private static void AssertSame(DiskCommit expected, DiskCommit actual) =>
        Assert.Equal((expected.Version, Convert.ToHexString(expected.Digest.Span)), (actual.Version, Convert.ToHexString(actual.Digest.Span)));
}
