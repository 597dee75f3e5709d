using System.Globalization;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Cloister.EndToEnd;

namespace Cloister.Machines;

/// <summary>Unmodified Linux programs in one measured machine, through the verbs that a person uses.</summary>
[Collection(ManyProgramsFixture.Name)]
public sealed class ManyProgramsTests(ManyProgramsFixture fixture)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [MachineFact]
    public async Task Date_runs()
    {
        Ended ended = await fixture.Machine.ExecAsync("date");
        ended.Succeeded();
        Assert.True(DateTime.TryParseExact(ended.Output.Trim(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _), ended.Output);
    }

    [MachineFact]
    public async Task BusyBox_takes_arguments_where_its_entry_allows_them_and_its_exit_code_comes_back()
    {
        Ended factors = await fixture.Machine.ExecAsync("busybox", "--", "factor", "1001");
        factors.Succeeded();
        Assert.Equal("1001: 7 11 13", factors.Output.Trim());
        Assert.Equal(7, (await fixture.Machine.ExecAsync("busybox", "--", "sh", "-c", "exit 7")).Code);
    }

    [MachineFact]
    public async Task Only_variables_that_the_entry_names_may_be_set()
    {
        Ended allowed = await fixture.Machine.ExecAsync("busybox", "--env", "GREETING=hello", "--", "env");
        allowed.Succeeded();
        Assert.Contains("GREETING=hello", allowed.Output, StringComparison.Ordinal);
        Assert.Contains("FIXED=measured", allowed.Output, StringComparison.Ordinal);
        await RefusedAsync(["busybox", "--env", "LD_PRELOAD=/data/evil.so", "--", "env"], "allows these variables");
        await RefusedAsync(["busybox", "--env", "FIXED=other", "--", "env"], "allows these variables");
    }

    [MachineFact]
    public async Task What_is_not_declared_does_not_start()
    {
        await RefusedAsync(["shell"], "no entry of that name");
        await RefusedAsync(["/usr/bin/busybox"], "only entries of the image");
        await RefusedAsync(["date", "--", "-s", "2001-01-01"], "takes no arguments");
    }

    [MachineFact]
    public async Task SQLite_keeps_what_it_was_given_in_memory()
    {
        (await fixture.Machine.ExecAsync("sqlite", "--", "create table notes (text); insert into notes values ('kept in memory');")).Succeeded();
        Ended read = await fixture.Machine.ExecAsync("sqlite", "--", "select upper(text) from notes;");
        read.Succeeded();
        Assert.Equal("KEPT IN MEMORY", read.Output.Trim());
        Ended piped = await fixture.Machine.ExecAsync("select count(*) from notes;\n", ["sqlite"]);
        piped.Succeeded();
        Assert.Equal("1", piped.Output.Trim());
    }

    [MachineFact]
    public async Task Python_reads_its_standard_input_and_writes_both_outputs()
    {
        Ended ended = await fixture.Machine.ExecAsync("one two two\n", ["python"]);
        Assert.Equal(3, ended.Code);
        Assert.Equal("""{"one": 1, "two": 2}""", ended.Output.Trim());
        Assert.Contains("counted", ended.Error, StringComparison.Ordinal);
    }

    [MachineFact]
    public async Task Redis_answers_from_outside_at_the_declared_port_alone()
    {
        using var patience = new CancellationTokenSource(Patience);
        using RedisConnection redis = await RedisConnection.OpenAsync(fixture.DeclaredPort, patience.Token);
        Assert.Equal("+OK", await redis.AskAsync(patience.Token, "SET", "who", "a measured machine"));
        Assert.Equal("a measured machine", await redis.AskAsync(patience.Token, "GET", "who"));

        // A second server listens inside at 6380, and the operator forwards a port to it: the machine's own filter is in between.
        Task<Ended> undeclared = fixture.Machine.ExecAsync("undeclared");
        while (!(await fixture.Machine.ExecAsync("busybox", "--", "sh", "-c", "printf 'PING\\r\\n' | /usr/bin/busybox nc -w 2 127.0.0.1 6380 | /usr/bin/busybox grep -q PONG")).Code.Equals(0))
            patience.Token.ThrowIfCancellationRequested();
        using var brief = CancellationTokenSource.CreateLinkedTokenSource(patience.Token);
        Task<RedisConnection> outside = RedisConnection.OpenAsync(fixture.UndeclaredPort, brief.Token);
        for (int asked = 0; asked < 10; asked++)
            Assert.Equal("a measured machine", await redis.AskAsync(patience.Token, "GET", "who"));
        Assert.False(outside.IsCompletedSuccessfully);
        await brief.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => outside);
        Ended ended = await fixture.Machine.ExecAsync("busybox", "--", "sh", "-c", "printf 'SHUTDOWN NOSAVE\\r\\n' | /usr/bin/busybox nc -w 2 127.0.0.1 6380");
        Assert.Equal(0, (await undeclared).Code);
        Assert.True(ended.Code is 0 or 1, ended.Error);
    }

    [MachineFact]
    public async Task A_containers_file_system_runs_unmodified()
    {
        Ended ended = await fixture.Machine.ExecAsync("container");
        ended.Succeeded();
        Assert.Equal(ContainerArchive.Greeting, ended.Output.Trim());
    }

    [MachineFact]
    public async Task Status_and_logs_tell_of_the_machine()
    {
        JsonObject status = await fixture.Machine.StatusAsync();
        Assert.Equal("many", (string?)status["name"]);
        Assert.Equal("ready", (string?)status["state"]);
        Assert.Equal(fixture.DeclaredPort, (int)status["ports"]!["6379"]!);
        Ended logs = await fixture.Machine.RunAsync("logs");
        logs.Succeeded();
        Assert.Contains("Started 'redis'", logs.Output + logs.Error, StringComparison.Ordinal);
    }

    [MachineFact]
    public async Task A_console_that_the_operator_adds_shows_nothing_and_takes_nothing()
    {
        using (var keyboard = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            await keyboard.ConnectAsync(new UnixDomainSocketEndPoint(fixture.Keyboard));
            await keyboard.SendAsync("\nroot\n\nroot\nreboot\n"u8.ToArray());
        }
        (await fixture.Machine.ExecAsync("date")).Succeeded();
        string console = await File.ReadAllTextAsync(fixture.Console);
        foreach (string word in new[] { "Linux version", "login", "redis", "cloister", "Kernel panic" })
            Assert.DoesNotContain(word, console, StringComparison.OrdinalIgnoreCase);
    }

    [MachineFact]
    public async Task A_register_that_a_program_extends_cannot_be_set_back()
    {
        Ended ended = await fixture.Machine.ExecAsync("quoter");
        ended.Succeeded();
        string[] lines = ended.Output.Trim().Split('\n');
        Assert.Equal(3, lines.Length);
        JsonNode measurements = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(fixture.Image, "measurements.json")))!;
        Assert.Contains(lines[0], measurements.ToJsonString(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(lines[1], measurements.ToJsonString(), StringComparison.OrdinalIgnoreCase);
        Assert.StartsWith("the TPM answered 0x", lines[2], StringComparison.Ordinal);
    }

    private async Task RefusedAsync(string[] arguments, string named)
    {
        Ended ended = await fixture.Machine.ExecAsync(arguments);
        Assert.NotEqual(0, ended.Code);
        Assert.Contains(named, ended.Error, StringComparison.OrdinalIgnoreCase);
    }
}
