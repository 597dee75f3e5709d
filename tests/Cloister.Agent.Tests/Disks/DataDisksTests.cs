using System.Net.Sockets;
using System.Text;
using Cloister.Images;

namespace Cloister.Agent.Tests.Disks;

/// <summary>What an operator can do with a machine's disks, against a real coordinator.</summary>
public sealed class DataDisksTests : IAsyncLifetime
{
    private DiskRig _rig = null!;

    public async Task InitializeAsync() => _rig = await DiskRig.StartAsync();

    public async Task DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public async Task What_one_machine_commits_the_next_one_finds()
    {
        string file = _rig.NewFile("disk");
        foreach ((string? found, string left) in new[] { (null, "one"), ("one", "two"), ("two", "three") })
        {
            await using DiskMachine machine = await _rig.MachineAsync(file);
            await machine.OpenAsync();
            Assert.Equal(found, machine.Text);
            machine.Text = left;
            Assert.Equal(["data"], await machine.Disks.CommitAsync(CancellationToken.None));
        }
    }

    [Fact]
    public async Task A_disk_that_was_put_back_is_refused()
    {
        string file = _rig.NewFile("disk"), kept = file + ".kept";
        await LiveAsync(file, "one");
        File.Copy(file, kept);
        await LiveAsync(file, "two");
        File.Copy(kept, file, overwrite: true);
        await using DiskMachine machine = await _rig.MachineAsync(file);
        Assert.Equal(ImageError.DiskOld, await machine.RefusedAsync());
    }

    [Fact]
    public async Task An_empty_disk_in_its_place_is_refused_under_any_UUID()
    {
        await LiveAsync(_rig.NewFile("disk"), "one");
        await using DiskMachine machine = await _rig.MachineAsync(_rig.NewFile("empty"));
        Assert.Equal(ImageError.DiskEmpty, await machine.RefusedAsync());
    }

    [Fact]
    public async Task A_disk_of_each_machine_begins_empty_under_another_UUID_and_is_no_others()
    {
        string file = _rig.NewFile("disk");
        await using (DiskMachine machine = await _rig.MachineAsync(file, DiskScope.Machine))
            await machine.LiveAsync("one");
        await using (DiskMachine other = await _rig.MachineAsync(file, DiskScope.Machine))
            Assert.Equal(ImageError.DiskNotEmpty, await other.RefusedAsync());
        await using DiskMachine fresh = await _rig.MachineAsync(_rig.NewFile("fresh"), DiskScope.Machine);
        await fresh.LiveAsync("another one");
    }

    [Fact]
    public async Task Of_two_machines_with_copies_of_one_disk_one_is_lost_and_says_so()
    {
        string file = _rig.NewFile("disk"), copy = file + ".copy";
        await LiveAsync(file, "one");
        File.Copy(file, copy);
        await using DiskMachine first = await _rig.MachineAsync(file), second = await _rig.MachineAsync(copy);
        await first.OpenAsync();
        await second.OpenAsync();
        first.Text = "ours";
        second.Text = "theirs";
        Assert.Equal("committed 2\n", await AskAsync(first, "data"));
        Assert.False(second.Disks.Lost.IsCompleted);
        Assert.StartsWith("refused 508 ", await AskAsync(second, "data"), StringComparison.Ordinal);
        Assert.Equal(ImageError.DiskConflict, (await Assert.ThrowsAsync<ImageException>(() => second.Disks.Lost)).Error);
        Assert.Empty(await second.Disks.CommitAsync(CancellationToken.None));
        await first.Disks.CommitAsync(CancellationToken.None);

        await using (DiskMachine wrong = await _rig.MachineAsync(copy))
            await wrong.RefusedAsync();
        await using DiskMachine right = await _rig.MachineAsync(file);
        await right.OpenAsync();
        Assert.Equal("ours", right.Text);
    }

    [Fact]
    public async Task A_file_that_a_running_machine_uses_is_not_opened_by_another()
    {
        string file = _rig.NewFile("disk");
        await using DiskMachine first = await _rig.MachineAsync(file), second = await _rig.MachineAsync(file);
        await first.OpenAsync();
        Assert.Equal(ImageError.DiskFailed, await second.RefusedAsync());
    }

    [Fact]
    public async Task A_program_asks_for_a_commit_and_learns_when_it_counts()
    {
        string file = _rig.NewFile("disk"), kept = file + ".kept";
        await using (DiskMachine machine = await _rig.MachineAsync(file))
        {
            await machine.OpenAsync();
            machine.Text = "promised";
            Assert.Equal("committed 1\n", await AskAsync(machine, "data"));
            machine.Text = "not promised";
            Assert.StartsWith("refused 500 ", await AskAsync(machine, "other"), StringComparison.Ordinal);
            Assert.Equal(1, machine.Pauses);
            // A copy by the host, which no lock of the machine's keeps out.
            using (var copying = System.Diagnostics.Process.Start("cp", [file, kept]))
                await copying.WaitForExitAsync();
            await machine.Disks.CommitAsync(CancellationToken.None);
        }
        // What was committed after the copy was made counts, so the copy is old.
        await using DiskMachine next = await _rig.MachineAsync(kept);
        Assert.Equal(ImageError.DiskOld, await next.RefusedAsync());
    }

    [Fact]
    public async Task Where_one_disk_is_refused_no_program_sees_the_other()
    {
        string one = _rig.NewFile("one"), two = _rig.NewFile("two");
        DataDisk[] disks = [DiskRig.Disk(), DiskRig.Disk("more")];
        await using (DiskMachine machine = await _rig.MachineAsync(new Dictionary<string, string> { ["data"] = one, ["more"] = two }, disks))
        {
            await machine.OpenAsync();
            machine.Text = "one";
            Assert.Equal(["data", "more"], await machine.Disks.CommitAsync(CancellationToken.None));
        }
        await using (DiskMachine swapped = await _rig.MachineAsync(new Dictionary<string, string> { ["data"] = two, ["more"] = one }, disks))
            Assert.Equal(ImageError.DiskForeign, await swapped.RefusedAsync());
        await using (DiskMachine half = await _rig.MachineAsync(new Dictionary<string, string> { ["data"] = one, ["more"] = _rig.NewFile("empty") }, disks))
            Assert.Equal(ImageError.DiskEmpty, await half.RefusedAsync());
        await using DiskMachine whole = await _rig.MachineAsync(new Dictionary<string, string> { ["data"] = one, ["more"] = two }, disks);
        await whole.OpenAsync();
        Assert.Equal("one", whole.Text);
    }

    [Fact]
    public async Task A_coordinator_that_is_away_is_waited_for_at_the_end()
    {
        string file = _rig.NewFile("disk");
        await using DiskMachine machine = await _rig.MachineAsync(file);
        await machine.OpenAsync();
        machine.Text = "one";
        await _rig.Mesh.Coordinator.DisposeAsync();
        using var host = new CancellationTokenSource();
        Task<IReadOnlyList<string>> committing = machine.Disks.CommitAsync(host.Token);
        await host.CancelAsync(); // the host loses patience
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => committing);
    }

    private async Task LiveAsync(string file, string text)
    {
        await using DiskMachine machine = await _rig.MachineAsync(file);
        await machine.LiveAsync(text);
    }

    private static async Task<string> AskAsync(DiskMachine machine, string disk)
    {
        using var program = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await program.ConnectAsync(new UnixDomainSocketEndPoint(machine.Requests));
        await program.SendAsync(Encoding.ASCII.GetBytes(disk + "\n"));
        var answer = new StringBuilder();
        byte[] buffer = new byte[1024];
        while (await program.ReceiveAsync(buffer) is var read and > 0)
            answer.Append(Encoding.UTF8.GetString(buffer, 0, read));
        return answer.ToString();
    }
}
