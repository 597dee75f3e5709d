using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Images.Machines;

namespace Cloister.Cli.Verbs;

internal static class ImageStatusVerb
{
    private static readonly Argument<string?> Machine = new("machine") { Description = "Its name, or its folder where it has a slash; without one, all of yours.", Arity = ArgumentArity.ZeroOrOne };

    public static Command Create() => new Verb("status", "Say what a machine does, its ports, and the root certificate of its TPM.",
        "cloister image status",
        "cloister image status one --json") { Machine }
        .Runs((parsed, screen, _) =>
        {
            if (!OperatingSystem.IsLinux())
                throw new CommandException(ExitCode.MissingRequirement, "Measured machines run on Linux.");
            MachineFolder[] folders = parsed.GetValue(Machine) is { } name ? [MachineFolder.Named(name)] : [.. MachineFolder.All()];
            foreach (MachineFolder folder in folders)
            {
                MachineRecord record = folder.Read();
                var document = new JsonObject { ["state"] = record.State, ["folder"] = folder.Path, ["since"] = record.Since.ToString("O", CultureInfo.InvariantCulture) };
                MachineNewsPrinter.Describe(document, record);
                if (record.Code is { } code)
                    document["code"] = code;
                if (record.Reason is { } reason)
                    document["reason"] = reason;
                if (screen.Json)
                    screen.Result("", document);
                else
                    screen.Line(Text(folder.Path, record));
            }
            if (folders.Length == 0)
                screen.Line("no machine was started yet");
            return Task.CompletedTask;
        });

    private static string Text(string folder, MachineRecord record)
    {
        bool over = record.State is MachineStates.Ended or MachineStates.Killed;
        string ports = string.Concat(record.Ports.Select(port => string.Create(CultureInfo.InvariantCulture, $"\n  {port.Address}:{port.Host} leads to port {port.Guest}")));
        return $"{record.Name}: {(over ? record.State : "running, " + record.State)}{(record.Debug ? ", DEBUG" : "")}{(record.Reason is { } reason ? ": " + reason : "")}\n  {folder}" +
            (over ? "" : string.Create(CultureInfo.InvariantCulture, $"\n  supervised by process {record.Pid}, {record.Accelerator}, TPM {record.TpmCertificate} certified by {record.TpmRoot}{ports}"));
    }
}
