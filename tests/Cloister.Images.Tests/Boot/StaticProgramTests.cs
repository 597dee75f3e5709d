using System.Text;
using Cloister.Images.Boot.Programs;

namespace Cloister.Tests.Boot;

public sealed class StaticProgramTests
{
    private const int CreateNew = 0x40 | 0x80 | 1;

    [LinuxFact]
    public async Task A_program_writes_and_ends_with_its_code()
    {
        var program = new StaticProgram("test");
        program.Do("greet", SystemCall.Write, 1, program.Text("hello\n"), 6);
        program.Exit(42);
        Assert.Equal(new Running.Result(42, "hello\n", ""), await Running.RunAsync(program.Build(), []));
    }

    [LinuxFact]
    public async Task A_step_that_fails_is_named_with_its_error()
    {
        var program = new StaticProgram("test") { FailureCode = 9 };
        program.Do("make root", SystemError.Exists, SystemCall.Mkdir, program.Text("/"), 0x1ED);
        program.Try(SystemCall.Mkdir, program.Text("/proc/none"), 0x1ED);
        program.Do("go nowhere", SystemCall.Chdir, program.Text("/proc/none"));
        program.Exit(0);
        Assert.Equal(new Running.Result(9, "", "test: go nowhere: error 002\n"), await Running.RunAsync(program.Build(), []));
    }

    [LinuxFact]
    public async Task A_failure_is_reported_to_files()
    {
        using var folder = new Folder();
        string one = folder.File("one", []), two = folder.File("two", []);
        var program = new StaticProgram("test", folder.Path + "/none", one, two);
        program.Do("wrong number", (SystemCall)9999);
        Assert.Equal(new Running.Result(1, "", ""), await Running.RunAsync(program.Build(), []));
        Assert.Equal("test: wrong number: error 038\n", await File.ReadAllTextAsync(one));
        Assert.Equal("test: wrong number: error 038\n", await File.ReadAllTextAsync(two));
    }

    [LinuxFact]
    public async Task Results_are_kept_and_files_made()
    {
        using var folder = new Folder();
        var program = new StaticProgram("test");
        program.Do("folder", SystemCall.Mkdir, program.Text(folder.Path + "/made"), 0x1ED);
        Operand file = program.Take("create", SystemCall.Open, program.Text(folder.Path + "/made/file"), CreateNew, 0x1A4);
        program.Do("write", SystemCall.Write, file, program.Bytes("content"u8), 7);
        program.Do("close", SystemCall.Close, file);
        program.Exit(0);
        Assert.Equal(new Running.Result(0, "", ""), await Running.RunAsync(program.Build(), []));
        Assert.Equal("content", await File.ReadAllTextAsync(folder.Path + "/made/file"));
    }

    [LinuxFact]
    public async Task What_comes_late_is_awaited()
    {
        using var folder = new Folder();
        string late = folder.Path + "/late";
        var program = new StaticProgram("test");
        program.Do("ready", SystemCall.Write, 1, program.Text("ready\n"), 6);
        Operand file = program.Await("device", 60, SystemCall.Open, program.Text(late), 0, 0);
        program.Do("close", SystemCall.Close, file);
        program.Exit(5);
        Task<Running.Result> run = Running.RunAsync(program.Build(), []);
        await File.WriteAllTextAsync(late + ".new", "");
        File.Move(late + ".new", late);
        Assert.Equal(5, (await run).Code);
    }

    [LinuxFact]
    public async Task What_never_comes_ends_the_program()
    {
        var program = new StaticProgram("test");
        program.Await("device", 1, SystemCall.Open, program.Text("/proc/none"), 0, 0);
        program.Exit(0);
        Assert.Equal(new Running.Result(1, "", "test: device: error 002\n"), await Running.RunAsync(program.Build(), []));
    }

    [LinuxFact(program: "/bin/busybox")]
    public async Task Arguments_and_environment_are_passed_on()
    {
        var program = new StaticProgram("test");
        program.DemandArguments(3);
        program.Do("execute", SystemCall.Execve, Operand.Argument(1), Operand.ArgumentsFrom(2), Operand.Environment);
        byte[] built = program.Build();
        Assert.Equal("[a b]\n", (await Running.RunAsync(built, ["/bin/busybox", "echo", "[a b]"])).Output);
        Assert.Equal("TWO=2\nONE=1\n".Split('\n').Order(), (await Running.RunAsync(built, ["/bin/busybox", "env"], ("ONE", "1"), ("TWO", "2"))).Output.Split('\n').Order());
        Assert.Equal("test: arguments: error 022\n", (await Running.RunAsync(built, ["/bin/busybox"])).Error);
    }

    [Fact]
    public void The_same_steps_give_the_same_bytes_and_nothing_is_both_written_and_executed()
    {
        static byte[] Build()
        {
            var program = new StaticProgram("test");
            program.Do("greet", SystemCall.Write, 1, program.Text("hello\n"), 6);
            program.Exit(1 << 20);
            return program.Build();
        }
        byte[] file = Build();
        Assert.Equal(file, Build());
        int[] flags = [file[64 + 4], file[64 + 56 + 4], file[64 + 112 + 4]];
        Assert.Equal([5, 6, 6], flags);
        Assert.Throws<ArgumentException>(() => new StaticProgram("test").Text("a\0b"));
        Assert.Contains("hello\n\0", Encoding.ASCII.GetString(file), StringComparison.Ordinal);
    }
}
