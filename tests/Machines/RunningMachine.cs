using System.Text.Json.Nodes;
using Cloister.EndToEnd;

namespace Cloister.Machines;

/// <summary>A machine that was started by `cloister image start` and is stopped at the end.</summary>
internal sealed class RunningMachine : IAsyncDisposable
{
    private readonly IReadOnlyDictionary<string, string> _environment;

    private RunningMachine(string folder, IReadOnlyDictionary<string, string> environment) => (Folder, _environment) = (folder, environment);

    public string Folder { get; }

    public static async Task<RunningMachine> StartAsync(string image, string folder, string? searchPath, params string[] options)
    {
        var environment = searchPath is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["PATH"] = searchPath };
        (await CloisterCommand.RunWithAsync(environment, null, ["image", "start", image, "--machine", folder, .. options, "--json"])).Succeeded();
        return new RunningMachine(folder, environment);
    }

    public Task<Ended> RunAsync(params string[] arguments) => CloisterCommand.RunWithAsync(_environment, null, ["image", arguments[0], Folder, .. arguments[1..]]);

    public Task<Ended> ExecAsync(params string[] arguments) => RunAsync(["exec", .. arguments]);

    public Task<Ended> ExecAsync(string input, string[] arguments) => CloisterCommand.RunWithAsync(_environment, input, ["image", "exec", Folder, .. arguments]);

    public async Task<JsonObject> StatusAsync()
    {
        Ended ended = await RunAsync("status", "--json");
        ended.Succeeded();
        return ended.Lines[^1];
    }

    public async ValueTask DisposeAsync() => await RunAsync("stop");
}
