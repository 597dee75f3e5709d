using System.CommandLine;
using System.Net;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Serving;

namespace Cloister.Cli.Verbs;

internal static class ModelServerVerb
{
    private static readonly Option<string?> Store = new("--store") { Description = "The folder of sealed models that have no base path; it is not trusted." };
    private static readonly Option<string> Bind = new("--bind") { Description = "The IP address of --port and --rest_api_port.", DefaultValueFactory = _ => "0.0.0.0" };
    private static readonly Option<string[]> Accelerators = ServingOptions.Accelerators();
    private static readonly Option<string?> AccessLog = ServingOptions.AccessLog();
    private static readonly Option<bool> OpenStatus = ServingOptions.OpenStatus();
    private static readonly Option<int> Drain = ServingOptions.Drain();
    private static readonly Option<bool> LockMemory = ServingOptions.LockMemory();
    private static readonly Option<bool> ModelControl = ServingOptions.ModelControl();
    private static readonly Option<string?> Type = Joining.Type();
    private static readonly Option<string?> Coordinator = Joining.Coordinator();
    private static readonly Option<string?> DnsNames = Joining.DnsNames();
    private static readonly Option<string?> UuidFile = Joining.UuidFile();
    private static readonly Option<string?> Simulator = Joining.Simulator();
    private static readonly Option<string?> Tpm = Joining.Tpm();

    public static Command Create()
    {
        var verb = new Verb("model-server", "As `serve`, by tensorflow_model_server's flags: change the program's name in its start line, and keep the rest.",
            "EDG_MARBLE_TYPE=inference cloister model-server --port=8500 --rest_api_port=8501 --model_config_file=models.config",
            "cloister model-server --type inference --rest_api_port=8501 --model_name=mnist --model_base_path=/models/mnist")
        {
            Store, Bind, Accelerators, AccessLog, OpenStatus, Drain, LockMemory, ModelControl, Type, Coordinator, DnsNames, UuidFile, Simulator, Tpm,
        };
        // They are read by the library, in their order: the last one of a name counts.
        verb.TreatUnmatchedTokensAsErrors = false;
        verb.More = ["tensorflow_model_server's flags:", .. ModelServerFlags.Help.Select(line => "  " + line)];
        return verb.Runs(RunAsync);
    }

    private static async Task RunAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        ModelServerFlags flags = ModelServerFlags.Parse(parsed.UnmatchedTokens);
        if (flags.AsksForVersion)
        {
            screen.Result($"Cloister ModelServer: {VersionVerb.Own}", new JsonObject { ["version"] = VersionVerb.Own });
            return;
        }
        if (!IPAddress.TryParse(parsed.GetRequiredValue(Bind), out IPAddress? address))
            throw new CommandException(ExitCode.Usage, $"'{parsed.GetValue(Bind)}' is no IP address.");
        ModelServerStart start = await flags.ReadAsync(parsed.GetValue(Store), address, cancellation);
        InferenceOptions options = ServingOptions.Apply(start.Options, parsed.GetValue(Accelerators), parsed.GetValue(AccessLog), parsed.GetValue(OpenStatus), parsed.GetValue(Drain), parsed.GetValue(LockMemory), parsed.GetValue(ModelControl));
        await Serving.RunAsync(Joining.Options(parsed.GetValue(Type), parsed.GetValue(Coordinator), parsed.GetValue(DnsNames), parsed.GetValue(UuidFile), parsed.GetValue(Simulator), parsed.GetValue(Tpm)), options, start.Notes, screen, cancellation);
    }
}
