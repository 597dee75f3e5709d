using System.Globalization;
using Cloister.Serving.TensorFlow.Configuration;

namespace Cloister.Serving;

/// <summary>
/// A start line of tensorflow_model_server: its flags, read as it reads them (<c>--flag=value</c>, <c>--flag value</c>, the last one
/// counts). What has no meaning here is taken and noted; what is unknown is refused.
/// </summary>
public sealed class ModelServerFlags
{
    private static readonly Dictionary<string, ModelServerFlag> Known = ModelServerFlagTable.All.ToDictionary(flag => flag.Name, StringComparer.Ordinal);

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    private ModelServerFlags()
    {
    }

    /// <summary>Whether only versions are to be printed.</summary>
    public bool AsksForVersion => Switch("version");

    /// <summary>Every flag with its default and meaning, a line each, those that are followed first.</summary>
    public static IEnumerable<string> Help => ModelServerFlagTable.All
        .Select(flag => $"--{flag.Name}{(flag.Default is "" or "false" ? "" : "=" + flag.Default)}: {(flag.IsFollowed ? "" : "no meaning here: ")}{flag.Meaning}");

    /// <summary>Reads the flags.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.FlagRefused"/>.</exception>
    public static ModelServerFlags Parse(IReadOnlyList<string> arguments)
    {
        var flags = new ModelServerFlags();
        for (int i = 0; i < arguments.Count; i++)
        {
            string argument = arguments[i];
            int dashes = argument.StartsWith("--", StringComparison.Ordinal) ? 2 : argument.StartsWith('-') ? 1 : 0;
            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            string name = argument[dashes..(equals < 0 ? argument.Length : equals)];
            if (dashes == 0 || name.Length == 0) throw Refused($"'{argument}' is not a flag.");
            if (!Known.TryGetValue(name, out ModelServerFlag? flag)) throw Refused($"'--{name}' is not a flag of tensorflow_model_server.");
            string value = equals >= 0 ? argument[(equals + 1)..]
                : flag.Kind == FlagKind.Switch ? "true"
                : i + 1 < arguments.Count && !arguments[i + 1].StartsWith("--", StringComparison.Ordinal) ? arguments[++i]
                : throw Refused($"'--{name}' needs a value.");
            if (flag.Problem(value) is { } problem) throw Refused(problem);
            flags._values[name] = value;
        }
        flags.Demand();
        return flags;
    }

    /// <summary>What these flags, and the files they name, mean.</summary>
    /// <param name="storeFolder">Where models lie that have no base path; null where there is no such folder.</param>
    /// <param name="address">The address to listen at, beside the flags' ports.</param>
    /// <param name="cancellation">Gives up reading.</param>
    /// <exception cref="ServingException">A file cannot be read or followed; <see cref="ServingError.FlagRefused"/> where flags contradict each other.</exception>
    public async Task<ModelServerStart> ReadAsync(string? storeFolder, System.Net.IPAddress address, CancellationToken cancellation = default)
    {
        var notes = new List<string>(_values.Keys.Where(name => !Known[name].IsFollowed).Select(name => $"--{name} has no meaning here: {Known[name].Meaning}."));
        InferenceOptions options = await ModelServerOptions.ReadAsync(this, storeFolder, address, notes, cancellation);
        return new ModelServerStart(options, notes);
    }

    internal string Text(string name) => _values.GetValueOrDefault(name, Known[name].Default);

    internal long Whole(string name) => long.Parse(Text(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    internal bool Switch(string name) => ModelServerFlag.Switch(Text(name)) ?? false;

    internal bool IsGiven(string name) => Text(name).Length > 0;

    internal static ServingException Refused(string reason) => new(ServingError.FlagRefused, reason);

    private void Demand()
    {
        if (Switch("use_alts_credentials")) throw Refused("--use_alts_credentials: the server's identity is its activation's; leave it out.");
        if (IsGiven("batching_parameters_file") && !Switch("enable_batching")) throw Refused("--batching_parameters_file is given without --enable_batching.");
        if (Whole("port") == 0 && Whole("rest_api_port") == 0 && !IsGiven("grpc_socket_path")) throw Refused("--port, --rest_api_port and --grpc_socket_path name no place to listen at.");
        if (Whole("port") != 0 && Whole("port") == Whole("rest_api_port")) throw Refused("--port and --rest_api_port are the same.");
        if (!IsGiven("model_config_file") && Whole("model_config_file_poll_wait_seconds") != 0) throw Refused("--model_config_file_poll_wait_seconds is given without --model_config_file.");
    }
}

/// <summary>What a start line means here.</summary>
/// <param name="Options">How to serve.</param>
/// <param name="Notes">What was asked for and has no meaning here, a sentence each.</param>
public sealed record ModelServerStart(InferenceOptions Options, IReadOnlyList<string> Notes);
