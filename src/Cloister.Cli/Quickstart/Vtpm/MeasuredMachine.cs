using System.Globalization;
using System.Text.Json.Nodes;

namespace Cloister.Cli.Quickstart.Vtpm;

/// <summary>A measured machine, run by `cloister image run`: what its program writes is told as if the program ran here.</summary>
internal sealed class MeasuredMachine(Stack stack, string image, string folder)
{
    private CloisterProcess? _process;
    private JsonObject _ready = [];

    public CloisterProcess Process => _process ?? throw new InvalidOperationException("The machine was not started.");

    /// <summary>Boots it; returns when it is up.</summary>
    public async Task StartAsync(Step step, IReadOnlyList<int> ports, string? coordinator, string authority, IReadOnlyDictionary<string, string>? environment, CancellationToken cancellation)
    {
        string[] run =
        [
            "image", "run", image, "--machine", folder, "--authority", authority, .. ports.SelectMany(port => new[] { "--port", $"0:{port}" }),
            .. coordinator is null ? Array.Empty<string>() : ["--coordinator", coordinator],
        ];
        step.Command(run);
        _process = stack.Start(Workspace.Program, run, environment, Program);
        _ready = await _process.WaitForAsync("ready", cancellation);
        step.Say((string?)_ready["message"] ?? "the machine is up");
    }

    /// <summary>The port of this host that leads to <paramref name="port"/> of the machine.</summary>
    public int HostPort(int port) => (int)_ready["ports"]![port.ToString(CultureInfo.InvariantCulture)]!;

    // A line that the program inside wrote is the program's own; others are the machine's.
    private static JsonObject Program(JsonObject line) =>
        (string?)line["event"] == "output" && (string?)line["text"] is { } text ? CloisterProcess.Parse(text) : line;
}
