using System.Text;
using Cloister.Sealing;

namespace Cloister.Workload;

/// <summary>
/// The environment of a command: what the activation grants, and a few harmless variables of the host. The rest of the host's environment
/// stays outside, because it is not measured and a variable such as LD_PRELOAD decides what code runs (docs/decisions/0041).
/// </summary>
internal static class CommandEnvironment
{
    private static readonly string[] Inherited =
        ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TERM", "COLUMNS", "LINES", "HOSTNAME", "TMPDIR", "SystemRoot"];

    /// <summary>Joins both; what was granted wins.</summary>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.ParameterText"/>, with the variable's name.</exception>
    public static Dictionary<string, string> Build(Activation activation, Func<string, string?> host)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in Inherited)
        {
            if (host(name) is { } value)
                environment[name] = value;
        }
        foreach (var (name, value) in GrantedEnvironment.Of(activation))
        {
            using SecretBytes granted = value;
            environment[name] = Encoding.UTF8.GetString(granted.Span);
        }
        return environment;
    }
}
