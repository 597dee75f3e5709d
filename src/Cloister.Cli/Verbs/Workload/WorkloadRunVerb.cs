using System.CommandLine;
using Cloister.Cli.CommandLine;
using Cloister.Workload;
using Microsoft.Extensions.Logging;

namespace Cloister.Cli.Verbs;

internal static class WorkloadRunVerb
{
    private static readonly Option<string?> Type = Joining.Type();
    private static readonly Option<string?> Coordinator = Joining.Coordinator();
    private static readonly Option<string?> DnsNames = Joining.DnsNames();
    private static readonly Option<string?> UuidFile = Joining.UuidFile();
    private static readonly Option<string?> Simulator = Joining.Simulator();
    private static readonly Option<string?> Tpm = Joining.Tpm();
    private static readonly Argument<string[]> Command = new("command") { Description = "The program and its arguments, after --.", Arity = ArgumentArity.OneOrMore };

    public static Command Create() => new Verb("run", "Be activated, then run any program with the files, environment and arguments that the manifest gives it.",
        "cloister workload run --type job --coordinator localhost:2001 -- /usr/bin/python3 job.py") { Type, Coordinator, DnsNames, UuidFile, Simulator, Tpm, Command }
        .Runs(async (parsed, screen, cancellation) =>
        {
            string[] command = parsed.GetRequiredValue(Command);
            WorkloadOptions options = Joining.Options(parsed.GetValue(Type), parsed.GetValue(Coordinator), parsed.GetValue(DnsNames), parsed.GetValue(UuidFile), parsed.GetValue(Simulator), parsed.GetValue(Tpm));
            using ILoggerFactory logs = Logs.Create(screen);
            // The command owns standard output: what this verb has to say goes beside it.
            var beside = new Screen(Console.Error, Console.Error, screen.Json);
            using Activation activation = await new WorkloadActivator(options, logs.CreateLogger<WorkloadActivator>()).ActivateAsync(Joining.Tell(beside), cancellation);
            return (ExitCode)await CommandRunner.RunAsync(activation, command[0], command[1..], logs.CreateLogger<WorkloadActivator>(), cancellation: cancellation);
        });
}
