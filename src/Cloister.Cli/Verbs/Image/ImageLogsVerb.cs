using System.CommandLine;
using System.Runtime.Versioning;
using Cloister.Cli.CommandLine;
using Cloister.Images.Machines;

namespace Cloister.Cli.Verbs;

internal static class ImageLogsVerb
{
    private static readonly Argument<string> Machine = new("machine") { Description = "Its name, or its folder where it has a slash." };
    private static readonly Option<bool> Follow = new("--follow") { Description = "Go on until the machine ends." };
    private static readonly Option<bool> Serial = new("--console") { Description = "The serial console of a debug image instead." };

    public static Command Create() => new Verb("logs", "Print what a machine and its program said since its last start.",
        "cloister image logs one",
        "cloister image logs one --follow --json") { Machine, Follow, Serial }
        .Runs(PrintAsync);

    private static async Task PrintAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        if (!OperatingSystem.IsLinux())
            throw new CommandException(ExitCode.MissingRequirement, "Measured machines run on Linux.");
        MachineFolder folder = MachineFolder.Named(parsed.GetRequiredValue(Machine));
        folder.Read();
        if (parsed.GetValue(Serial))
            await PrintConsoleAsync(folder, screen, parsed.GetValue(Follow), cancellation);
        else
            await foreach (MachineNews news in MachineLogReader.ReadAsync(folder, parsed.GetValue(Follow), cancellation))
                MachineNewsPrinter.Print(screen, news);
    }

    [SupportedOSPlatform("linux")]
    private static async Task PrintConsoleAsync(MachineFolder folder, Screen screen, bool follow, CancellationToken cancellation)
    {
        if (!File.Exists(folder.Console))
            throw new CommandException(ExitCode.BadInput, "The machine has no console: only debug images have one.");
        await foreach (string line in MachineLogReader.LinesAsync(folder, folder.Console, follow, cancellation))
            screen.Result(line, new() { ["event"] = "console", ["text"] = line });
    }
}
