using System.Diagnostics;
using Cloister.Platform;
using Cloister.Platform.Simulation;

namespace Cloister.Tests;

public sealed class MeasurementTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public MeasurementTests()
    {
        _folder.Write("app/b", "two");
        _folder.Write("app/a", "one");
        _folder.Write("app/a.d/c", "");
        _folder.Write("app/Z/é", "three");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_measurement_is_frozen()
    {
        Assert.Equal("f27da24fd092c5b22a8b94678351bfa8f9eb35822a2af553d7f2c5ad85e3353f", Folder());
        Assert.Equal("e6d41ae48baedae20e27ec0bdae208b7c1ca38e2183861daa0839b2bafedfc5c", Convert.ToHexStringLower(SimulationMeasurement.OfCommand(_folder["app"], _folder["app/b"], ["--port", "", "é"])));
    }

    [Fact]
    public void Every_change_gives_another_measurement()
    {
        var seen = new HashSet<string> { Folder() };
        void Changed(string how) => Assert.True(seen.Add(Folder()), how);

        File.WriteAllText(_folder["app/a"], "One");
        Changed("content");
        File.Move(_folder["app/b"], _folder["app/bb"]);
        Changed("name");
        File.Move(_folder["app/bb"], _folder["app/a.d/bb"]);
        Changed("place");
        _folder.Write("app/.hidden", "");
        Changed("hidden file");
        File.Delete(_folder["app/a.d/c"]);
        Changed("deleted file");
    }

    [Fact]
    public void An_empty_folder_within_and_times_change_nothing()
    {
        string before = Folder();
        Directory.CreateDirectory(_folder["app/empty"]);
        File.SetLastWriteTimeUtc(_folder["app/a"], DateTime.UnixEpoch);
        Assert.Equal(before, Folder());
    }

    [Fact]
    public void The_folders_own_name_changes_nothing()
    {
        string before = Folder();
        Directory.Move(_folder["app"], _folder["elsewhere"]);
        Assert.Equal(before, Convert.ToHexStringLower(SimulationMeasurement.OfFolder(_folder["elsewhere"] + "/")));
    }

    [Fact]
    public void Files_of_every_size_are_read_whole()
    {
        byte[] content = new byte[3 << 20];
        new Random(1).NextBytes(content);
        var seen = new HashSet<string>();
        foreach (int size in (int[])[0, 1, (256 << 10) - 1, 256 << 10, (256 << 10) + 1, content.Length])
        {
            File.WriteAllBytes(_folder["app/large"], content[..size]);
            Assert.True(seen.Add(Folder()));
        }
        content[^1] ^= 1;
        File.WriteAllBytes(_folder["app/large"], content);
        Assert.True(seen.Add(Folder()));
    }

    [Theory]
    [InlineData("file link")]
    [InlineData("folder link")]
    [InlineData("dangling link")]
    [InlineData("pipe")]
    public void Links_and_special_files_are_refused(string kind)
    {
        string path = _folder["app/a.d/special"];
        switch (kind)
        {
            case "file link": File.CreateSymbolicLink(path, _folder["app/a"]); break;
            case "folder link": Directory.CreateSymbolicLink(path, _folder["app/Z"]); break;
            case "dangling link": File.CreateSymbolicLink(path, "/nowhere"); break;
            case "pipe":
                using (var process = Process.Start("mkfifo", path)) process.WaitForExit();
                break;
            default: throw new ArgumentOutOfRangeException(nameof(kind));
        }
        var refused = Assert.Throws<PlatformException>(Folder);
        Assert.Equal(PlatformError.MeasurementSpecialFile, refused.Error);
        Assert.Contains("special", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_there_or_empty_is_refused()
    {
        Assert.Equal(PlatformError.MeasurementUnreadable, Assert.Throws<PlatformException>(() => SimulationMeasurement.OfFolder(_folder["nowhere"])).Error);
        Assert.Equal(PlatformError.MeasurementEmpty, Assert.Throws<PlatformException>(() => SimulationMeasurement.OfFolder(Directory.CreateDirectory(_folder["empty"]).FullName)).Error);
        Assert.Equal(PlatformError.MeasurementUnreadable, Assert.Throws<PlatformException>(() => SimulationMeasurement.OfCommand(_folder["app"], _folder["nowhere"], [])).Error);
    }

    [Fact]
    public void A_folder_deeper_than_is_measured_is_refused()
    {
        _folder.Write("app/" + string.Concat(Enumerable.Repeat("d/", 32)) + "f", "");
        Folder();
        _folder.Write("app/" + string.Concat(Enumerable.Repeat("d/", 33)) + "f", "");
        Assert.Equal(PlatformError.MeasurementTooLarge, Assert.Throws<PlatformException>(Folder).Error);
        Directory.Delete(_folder["app/d"], true);
        _folder.Write("app/" + string.Concat(Enumerable.Repeat("d/", 40)) + "f", "");
        Assert.Equal(PlatformError.MeasurementTooLarge, Assert.Throws<PlatformException>(Folder).Error);
    }

    [Fact]
    public void Measuring_can_be_cancelled() =>
        Assert.ThrowsAny<OperationCanceledException>(() => SimulationMeasurement.OfFolder(_folder["app"], new CancellationToken(true)));

    [Fact]
    public void A_command_is_measured_with_its_program_and_arguments()
    {
        string[] all =
        [
            Folder(),
            Command(_folder["app/a"]),
            Command(_folder["app/b"]),
            Command(_folder["app/a"], ""),
            Command(_folder["app/a"], "x", "y"),
            Command(_folder["app/a"], "xy"),
            Command(_folder["app/a"], "y", "x"),
        ];
        Assert.Equal(all.Length, all.Distinct().Count());
    }

    [Fact]
    public void A_command_is_found_as_the_shell_finds_it()
    {
        string tool = _folder.Write("bin/tool", "");
        File.SetUnixFileMode(tool, UnixFileMode.UserExecute | UnixFileMode.UserRead);
        _folder.Write("first/tool", "not executable");
        Assert.Equal(tool, CommandLocator.Find("tool", _folder.Path, $"/nowhere:{_folder["first"]}:{_folder["bin"]}"));
        Assert.Equal(tool, CommandLocator.Find("tool", _folder.Path, "first:bin"));
        Assert.Equal(tool, CommandLocator.Find("./bin/../bin/tool", _folder.Path, null));
        Assert.Equal(tool, CommandLocator.Find(tool, "/", null));
        foreach (string missing in (string[])["tool", "", "bin", "./tool"])
            Assert.Equal(PlatformError.CommandNotFound, Assert.Throws<PlatformException>(() => CommandLocator.Find(missing, _folder.Path, "first")).Error);
    }

    private string Folder() => Convert.ToHexStringLower(SimulationMeasurement.OfFolder(_folder["app"]));

    private string Command(string executable, params string[] arguments) => Convert.ToHexStringLower(SimulationMeasurement.OfCommand(_folder["app"], executable, arguments));
}
