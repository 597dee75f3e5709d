using System.CommandLine;
using System.CommandLine.Help;
using Cloister.Cli.CommandLine;
using Cloister.Cli.Verbs;

var root = new RootCommand("Confidential AI: seal models, attest workloads, release keys, predict - and prove what runs.")
{
    QuickstartVerb.Create(),
    SimulatorVerb.Create(),
    CoordinatorVerb.Create(),
    ManifestVerb.Create(),
    VerifyVerb.Create(),
    StatusVerb.Create(),
    CheckVerb.Create(),
    CertificateVerb.Create(),
    SecretVerb.Create(),
    UserVerb.Create(),
    ModelVerb.Create(),
    AcceleratorVerb.Create(),
    ServeVerb.Create(),
    ModelServerVerb.Create(),
    PredictVerb.Create(),
    WorkloadVerb.Create(),
    AttestVerb.Create(),
    HeVerb.Create(),
    ImageVerb.Create(),
    RecoverVerb.Create(),
    RecoverWithSignatureVerb.Create(),
    PackageInfoVerb.Create(),
    VersionVerb.Create(),
};
root.Add(Execution.Json);
foreach (Option option in root.Options)
{
    if (option is HelpOption { Action: HelpAction help } helpOption)
        helpOption.Action = new HelpWithExamples(help);
}
ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0 && parsed.Action is not HelpWithExamples)
{
    foreach (var error in parsed.Errors)
        Console.Error.WriteLine("cloister: " + error.Message);
    Console.Error.WriteLine($"Try: cloister {string.Join(' ', args.TakeWhile(word => !word.StartsWith('-')).Take(2))} --help");
    return (int)ExitCode.Usage;
}
// A machine that is asked to end commits its disks first.
TimeSpan ending = TimeSpan.FromSeconds(parsed.CommandResult.Command == ImageRunVerb.Command ? 90 : 20);
return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = ending });
