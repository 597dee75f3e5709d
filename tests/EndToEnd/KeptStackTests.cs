using System.Diagnostics;
using System.Text.Json.Nodes;
using Cloister.Tests;

namespace Cloister.EndToEnd;

/// <summary>The stack that `quickstart --keep` leaves running, met with curl, with bad input and with an interrupt.</summary>
public sealed class KeptStackTests : IAsyncLifetime
{
    private Process _quickstart = null!;
    private JsonObject _kept = null!;

    private string Workspace => (string)_kept["workspace"]!;

    public async Task InitializeAsync()
    {
        _quickstart = CloisterCommand.Start("quickstart", "--keep", "--json");
        _kept = await CloisterCommand.WaitForAsync(_quickstart, "kept");
    }

    public async Task DisposeAsync()
    {
        if (!_quickstart.HasExited)
            _quickstart.Kill(entireProcessTree: true);
        await _quickstart.WaitForExitAsync();
        _quickstart.Dispose();
    }

    [Fact]
    public async Task The_printed_curl_commands_work()
    {
        foreach (JsonNode? command in _kept["curl"]!.AsArray())
        {
            (int code, string output) = await ShellAsync((string)command! + " -w '%{http_code}'");
            Assert.True(code == 0 && output.EndsWith("200", StringComparison.Ordinal), $"{command}: {code} {output}");
        }
    }

    [Fact]
    public async Task Bad_input_gets_a_precise_error_and_the_stack_goes_on()
    {
        string notPicture = Path.Combine(TestData.RepositoryRoot, "README.md");
        Ended picture = await PredictAsync("--image", notPicture);
        Assert.Equal(4, picture.Code);
        Assert.Contains("PNG", picture.Error, StringComparison.Ordinal);

        string wrongToken = Path.Combine(Workspace, "client", "wrong-token");
        await File.WriteAllTextAsync(wrongToken, new string('0', 64));
        Ended stranger = await PredictAsync("--token", wrongToken);
        Assert.Equal(6, stranger.Code);

        Ended model = await PredictAsync("--model", "no-such-model");
        Assert.True(model.Code is 4 or 6, model.Error);
        Assert.Contains("no-such-model", model.Error, StringComparison.Ordinal);

        Ended type = await PredictAsync("--type", "no-such-type");
        Assert.Equal(3, type.Code);

        string workload = (string)_kept["workload"]!;
        (int code, string output) = await ShellAsync($"head -c 200000000 /dev/zero | curl -sk -o /dev/null -w '%{{http_code}}' -H 'Content-Type: application/json' -H \"Authorization: Bearer $(cat {Workspace}/client/token)\" --data-binary @- {workload}/v2/models/classifier/infer");
        Assert.True(output is "413" or "000" || code != 0, $"{code} {output}");

        (await PredictAsync()).Succeeded();
    }

    [Fact]
    public async Task An_interrupt_ends_everything_and_leaves_nothing()
    {
        using Process interrupt = Process.Start("kill", ["-INT", _quickstart.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await interrupt.WaitForExitAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await _quickstart.WaitForExitAsync(patience.Token);
        Assert.False(Directory.Exists(Workspace));
        (int code, _) = await ShellAsync($"curl -sk {_kept["workload"]}/v2/health/live");
        Assert.NotEqual(0, code);
    }

    /// <summary>`predict` against the stack; the options given replace those of the same name.</summary>
    private Task<Ended> PredictAsync(params string[] changed)
    {
        var options = new Dictionary<string, string>
        {
            ["--coordinator"] = (string)_kept["coordinator"]!,
            ["--policy"] = Path.Combine(Workspace, "client", "policy.json"),
            ["--workload"] = (string)_kept["workload"]!,
            ["--type"] = "inference",
            ["--model"] = "classifier",
            ["--token"] = Path.Combine(Workspace, "client", "token"),
            ["--image"] = Path.Combine(TestData.RepositoryRoot, "samples", "Shapes", "pictures", "star.png"),
        };
        for (int i = 0; i < changed.Length; i += 2)
            options[changed[i]] = changed[i + 1];
        return CloisterCommand.RunAsync(["predict", .. options.SelectMany(option => new[] { option.Key, option.Value })]);
    }

    private static async Task<(int Code, string Output)> ShellAsync(string command)
    {
        var start = new ProcessStartInfo("/bin/bash", ["-c", command]) { RedirectStandardOutput = true };
        using Process shell = Process.Start(start)!;
        string output = await shell.StandardOutput.ReadToEndAsync();
        await shell.WaitForExitAsync();
        return (shell.ExitCode, output);
    }
}
