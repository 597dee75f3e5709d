using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Images.Channel;
using Cloister.Images.Machines;

namespace Cloister.Cli.Verbs;

internal static class ImageStopVerb
{
    private static readonly Argument<string> Machine = new("machine") { Description = "Its name, or its folder where it has a slash." };

    public static Command Create() => new Verb("stop", "End a machine: its disks are committed, its programs ended, then its power. A machine that does not answer is ended all the same.",
        "cloister image stop one") { Machine }
        .Runs(async (parsed, screen, cancellation) =>
        {
            if (!OperatingSystem.IsLinux())
                throw new CommandException(ExitCode.MissingRequirement, "Measured machines run on Linux.");
            MachineFolder folder = MachineFolder.Named(parsed.GetRequiredValue(Machine));
            if (folder.Read() is { State: MachineStates.Ended or MachineStates.Killed } record)
            {
                screen.Result($"it does not run: {record.State}", new JsonObject { ["state"] = record.State });
                return;
            }
            await using RemoteMachine machine = await RemoteMachine.ConnectAsync(folder, cancellation);
            MachineStopped stopped = await machine.StopAsync(cancellation);
            screen.Result($"ended: {stopped.Reason}", new JsonObject { ["state"] = MachineStates.Ended, ["code"] = stopped.Code, ["reason"] = stopped.Reason });
        });
}
