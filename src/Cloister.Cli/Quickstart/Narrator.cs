using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Quickstart;

/// <summary>Tells the story: who does what, with which command, what they see, how long it took.</summary>
internal sealed class Narrator(Screen screen, TimeProvider time)
{
    private int _step;

    public async Task StepAsync(string party, string title, Func<Step, Task> work)
    {
        var step = new Step();
        screen.Line();
        screen.Line($"{++_step}. {party}: {title}");
        long start = time.GetTimestamp();
        step.Said += line => screen.Line("   " + line);
        await work(step);
        double seconds = time.GetElapsedTime(start).TotalSeconds;
        screen.Line($"   ({seconds:0.00} s)");
        if (screen.Json)
        {
            screen.Result("", new JsonObject
            {
                ["step"] = _step,
                ["party"] = party,
                ["title"] = title,
                ["commands"] = new JsonArray([.. step.Commands.Select(command => (JsonNode)command)]),
                ["said"] = new JsonArray([.. step.Lines.Select(line => (JsonNode)line)]),
                ["seconds"] = Math.Round(seconds, 3),
            });
        }
    }

    public void Attack(string name, bool refused, string by, string reason, double seconds)
    {
        screen.Line();
        screen.Line($"{(refused ? "refused " : "ACCEPTED")}  {name}");
        screen.Line($"          by {by}: {reason}");
        if (screen.Json)
            screen.Result("", new JsonObject { ["attack"] = name, ["refused"] = refused, ["by"] = by, ["reason"] = reason, ["seconds"] = Math.Round(seconds, 3) });
    }
}

/// <summary>What happened in one step.</summary>
internal sealed class Step
{
    public event Action<string>? Said;

    public List<string> Commands { get; } = [];

    public List<string> Lines { get; } = [];

    public void Command(IEnumerable<string> arguments)
    {
        string command = "cloister " + string.Join(' ', arguments.Select(Quote));
        Commands.Add(command);
        Said?.Invoke("$ " + command);
    }

    public void Say(string line)
    {
        Lines.Add(line);
        foreach (string part in line.Split('\n'))
            Said?.Invoke(part);
    }

    private static string Quote(string word) => word.Contains(' ', StringComparison.Ordinal) ? $"'{word}'" : word;
}
