using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Platform.Simulation;

namespace Cloister.Cli.Verbs;

internal static class WorkloadMeasureVerb
{
    private static readonly Argument<string> Folder = new("folder") { Description = "The folder of the program that asks for evidence." };
    private static readonly Argument<string[]> Command = new("command") { Description = "With `workload run -- command`: the command and its arguments.", Arity = ArgumentArity.ZeroOrMore };

    public static Command Create() => new Verb("measure", "Print the digest under which the simulated TEE attests a program, for a manifest's package.",
        "cloister workload measure ./publish",
        "cloister workload measure ./publish -- /usr/bin/python3 job.py") { Folder, Command }
        .Runs((parsed, screen, cancellation) =>
        {
            string folder = parsed.GetRequiredValue(Folder);
            if (!Directory.Exists(folder))
                throw new CommandException(ExitCode.BadInput, $"There is no folder '{folder}'.");
            string[] command = parsed.GetValue(Command) ?? [];
            byte[] digest = command is [var executable, .. var arguments]
                ? SimulationMeasurement.OfCommand(folder, CommandLocator.Find(executable, Environment.CurrentDirectory, Environment.GetEnvironmentVariable("PATH")), arguments, cancellation)
                : SimulationMeasurement.OfFolder(folder, cancellation);
            string hex = Convert.ToHexStringLower(digest);
            screen.Result(hex, new JsonObject { ["digest"] = hex, ["folder"] = Path.GetFullPath(folder), ["simulated"] = true });
            return Task.CompletedTask;
        });
}
