using System.Text;
using Cloister.Images;
using Cloister.Images.Channel;
using Cloister.Images.Machines;

namespace Cloister.Tests.Machines;

public sealed class MachineFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_name_is_one_of_this_users_machines_and_a_path_is_a_path()
    {
        Assert.EndsWith("cloister/machines/one", MachineFolder.Named("one").Path, StringComparison.Ordinal);
        Assert.Equal(Path.GetFullPath("./one"), MachineFolder.Named("./one").Path);
        foreach (string bad in new[] { "a b", ".hidden", "a\nb", new string('a', 65) })
            Assert.Equal(ImageError.MachineOptionInvalid, Assert.Throws<ImageException>(() => MachineFolder.Named(bad)).Error);
    }

    [Fact]
    public void One_process_has_a_folder_at_a_time()
    {
        var folder = new MachineFolder(_folder["m"]);
        using (folder.Take())
            Assert.Equal(ImageError.MachineRunning, Assert.Throws<ImageException>(folder.Take).Error);
        using FileStream again = folder.Take();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder.Path));
    }

    [Fact]
    public void A_supervisor_that_is_no_more_is_not_taken_for_one_that_got_its_number()
    {
        var folder = new MachineFolder(_folder["m"]);
        Assert.Equal(ImageError.MachineFolderInvalid, Assert.Throws<ImageException>(folder.Read).Error);
        Directory.CreateDirectory(folder.Path);
        MachineRecord record = Record();
        folder.Write(record);
        Assert.Equal(MachineStates.Ready, folder.Read().State);
        folder.Write(record with { PidStarted = record.PidStarted + 1 }); // the same number, another process
        Assert.Equal(MachineStates.Killed, folder.Read().State);
        folder.Write(record with { HostBoot = "another" });
        Assert.Equal(MachineStates.Killed, folder.Read().State);
        folder.Write(record with { PidStarted = 1, State = MachineStates.Ended });
        Assert.Equal(MachineStates.Ended, folder.Read().State);
        foreach (string broken in new[] { "", "{", "null", "{}", "[]", new string(' ', 100_000) })
        {
            File.WriteAllText(folder.Record, broken);
            Assert.Equal(ImageError.MachineFolderInvalid, Assert.Throws<ImageException>(folder.Read).Error);
        }
    }

    [Fact]
    public async Task A_machine_that_does_not_run_cannot_be_reached()
    {
        var folder = new MachineFolder(_folder["m"]);
        Directory.CreateDirectory(folder.Path);
        folder.Write(Record() with { State = MachineStates.Ended, Reason = "it was time" });
        ImageException over = await Assert.ThrowsAsync<ImageException>(() => RemoteMachine.ConnectAsync(folder, default));
        Assert.Equal(ImageError.MachineNotRunning, over.Error);
        Assert.Contains("it was time", over.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_has_lines_is_bounded_and_is_followed()
    {
        var folder = new MachineFolder(_folder["m"]);
        Directory.CreateDirectory(folder.Path);
        folder.Write(Record());
        using (var log = new MachineLog(folder.Log, TimeProvider.System, null))
        {
            log.Say(MachineNewsKind.Host, MachineStates.Firmware, "begins");
            log.Wrote(ProgramStream.Output, "one\ntw"u8);
            log.Wrote(ProgramStream.Error, "other\n"u8);
            log.Wrote(ProgramStream.Output, "o\n\nlast"u8);
            await using IAsyncEnumerator<MachineNews> following = MachineLogReader.ReadAsync(folder, follow: true, default).GetAsyncEnumerator();
            foreach (string expected in new[] { "begins", "one", "other", "two", "" })
            {
                Assert.True(await following.MoveNextAsync());
                Assert.Equal(expected, following.Current.Text);
            }
            log.EndLines();
            folder.Write(Record() with { State = MachineStates.Ended });
            Assert.True(await following.MoveNextAsync());
            Assert.Equal("last", following.Current.Text);
            Assert.False(await following.MoveNextAsync());
        }
        using (var log = new MachineLog(folder.Log, TimeProvider.System, null))
        {
            byte[] line = Encoding.ASCII.GetBytes(new string('x', 16_000) + "\n");
            for (int i = 0; i < 2500; i++)
                log.Wrote(ProgramStream.Output, line);
        }
        Assert.True(new FileInfo(folder.Log).Length <= 16 << 20);
        Assert.True(new FileInfo(folder.Log + ".1").Length <= 16 << 20);
    }

    private static MachineRecord Record() => new()
    {
        Format = 1,
        Image = "/image",
        Name = "image",
        State = MachineStates.Ready,
        Pid = Environment.ProcessId,
        PidStarted = HostProcess.StartOf(Environment.ProcessId)!.Value,
        HostBoot = HostProcess.Boot(),
        Since = DateTimeOffset.UnixEpoch,
    };
}
