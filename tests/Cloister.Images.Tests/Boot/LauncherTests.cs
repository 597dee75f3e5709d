using System.Collections.Immutable;
using Cloister.Images;
using Cloister.Images.Boot;

namespace Cloister.Tests.Boot;

public sealed class LauncherTests
{
    private const string BusyBox = "/bin/busybox";

    private static EntryPoint Entry { get; } = new() { Command = [BusyBox], User = 1234 };

    [LinuxFact(root: true, program: BusyBox)]
    public async Task A_launched_program_has_no_rights_left()
    {
        Running.Result run = await Running.RunAsync(Launcher.Build(Entry, debug: false), [BusyBox, "cat", "/proc/self/status", "/proc/self/limits"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        ImmutableDictionary<string, string> status = Status(run.Output);
        Assert.Equal("1234 1234 1234 1234", status["Uid"]);
        Assert.Equal("1234 1234 1234 1234", status["Gid"]);
        Assert.Equal("", status["Groups"]);
        foreach (string set in new[] { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" })
            Assert.Equal("0000000000000000", status[set]);
        Assert.Equal(("1", "2"), (status["NoNewPrivs"], status["Seccomp"]));
        Assert.Contains("Max core file size        0                    0", run.Output, StringComparison.Ordinal);
    }

    [LinuxFact(root: true, program: BusyBox)]
    public async Task A_program_of_a_debug_image_is_weaker_only_where_said()
    {
        ImmutableDictionary<string, string> user = Status((await Running.RunAsync(Launcher.Build(Entry, debug: true), [BusyBox, "cat", "/proc/self/status"])).Output);
        Assert.Equal(("0000000000000000", "1", "0"), (user["CapBnd"], user["NoNewPrivs"], user["Seccomp"]));
        ImmutableDictionary<string, string> root = Status((await Running.RunAsync(Launcher.Build(Entry with { User = 0 }, debug: true), [BusyBox, "cat", "/proc/self/status"])).Output);
        Assert.NotEqual("0000000000000000", root["CapEff"]);
    }

    [LinuxFact(root: true, program: BusyBox)]
    public async Task Environment_directory_arguments_and_exit_code_pass_through()
    {
        byte[] launcher = Launcher.Build(Entry with { Directory = "/proc" }, debug: false);
        Assert.Equal(new Running.Result(7, "/proc x y z\n", ""), await Running.RunAsync(launcher, [BusyBox, "sh", "-c", "echo $PWD $1 \"$2\" $NAME; exit 7", "sh", "x", "y"], ("NAME", "z")));
    }

    [LinuxTheory]
    [InlineData("mount -t tmpfs none /mnt")]
    [InlineData("unshare -r true")]
    [InlineData("unshare -n true")]
    [InlineData("chroot / /bin/busybox true")]
    [InlineData("dmesg")]
    [InlineData("hostname $(/bin/busybox hostname)")]
    public async Task What_manages_the_kernel_is_denied(string command)
    {
        Running.Result run = await Running.RunAsync(Launcher.Build(Entry, debug: false), [BusyBox, "sh", "-c", $"cd /; {BusyBox} {command}"]);
        Assert.NotEqual(0, run.Code);
        Assert.Matches("not permitted|permission denied", run.Error);
    }

    [LinuxFact(root: true, program: BusyBox)]
    public async Task What_cannot_be_prepared_or_executed_has_its_own_exit_codes()
    {
        Running.Result missing = await Running.RunAsync(Launcher.Build(Entry, debug: false), ["/none"]);
        Assert.Equal(new Running.Result(Launcher.NotExecuted, "", "launcher: execute: error 002\n"), missing);
        Running.Result directory = await Running.RunAsync(Launcher.Build(Entry with { Directory = "/none" }, debug: false), [BusyBox]);
        Assert.Equal(new Running.Result(Launcher.NotPrepared, "", "launcher: directory /none: error 002\n"), directory);
        Assert.Equal(Launcher.NotPrepared, (await Running.RunAsync(Launcher.Build(Entry, debug: false), [])).Code);
    }

    [Fact]
    public void Launchers_are_reproducible_and_user_0_is_for_debug_images()
    {
        Assert.Equal(Launcher.Build(Entry, debug: false), Launcher.Build(Entry, debug: false));
        Assert.Throws<ArgumentException>(() => Launcher.Build(Entry with { User = 0 }, debug: false));
        Assert.Throws<ArgumentException>(() => Launcher.Build(Entry with { User = -1 }, debug: true));
        Assert.Throws<ArgumentException>(() => Launcher.Build(Entry with { Directory = "here" }, debug: true));
    }

    private static ImmutableDictionary<string, string> Status(string text) => text.Split('\n').Select(line => line.Split(':', 2)).Where(pair => pair.Length == 2)
        .DistinctBy(pair => pair[0]).ToImmutableDictionary(pair => pair[0], pair => string.Join(' ', pair[1].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class LinuxTheoryAttribute : TheoryAttribute
    {
        public LinuxTheoryAttribute() => Skip = new LinuxFactAttribute(root: true, program: BusyBox).Skip;
    }
}
