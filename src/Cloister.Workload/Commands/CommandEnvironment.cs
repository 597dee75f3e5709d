using System.Text;
using Cloister.Sealing;

namespace Cloister.Workload;

/// <summary>
/// The environment of a command: what the manifest says, MarbleRun's four predefined variables, and a few harmless
/// variables of the host. The rest of the host's environment stays outside, because it is not measured and a variable
/// such as LD_PRELOAD decides what code runs (docs/decisions/0041).
/// </summary>
internal static class CommandEnvironment
{
    private static readonly string[] Inherited =
        ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TERM", "COLUMNS", "LINES", "HOSTNAME", "TMPDIR", "SystemRoot"];

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Joins the three sources; the manifest wins over the host, this workload's own certificate over both.</summary>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.ParameterText"/>, with the variable's name.</exception>
    public static Dictionary<string, string> Build(Activation activation, Func<string, string?> host)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in Inherited)
        {
            if (host(name) is { } value)
                environment[name] = value;
        }
        foreach (var (name, value) in activation.Parameters.Environment)
        {
            if (name.Length == 0 || name.AsSpan().ContainsAny('=', '\0'))
                throw Refused(name, "its name is empty or holds '=' or a zero byte");
            environment[name] = Text(name, value);
        }
        WorkloadCertificate certificate = activation.Identity.Current;
        environment["MARBLE_PREDEFINED_ROOT_CA"] = activation.MarbleRoot.ExportCertificatePem() + "\n";
        environment["MARBLE_PREDEFINED_COORDINATOR_ROOT_CA"] = activation.CoordinatorRoot.ExportCertificatePem() + "\n";
        environment["MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN"] = certificate.ChainPem;
        environment["MARBLE_PREDEFINED_PRIVATE_KEY"] = certificate.PrivateKeyPem();
        return environment;
    }

    private static string Text(string name, SecretBytes value)
    {
        if (value.Span.Contains((byte)0))
            throw Refused(name, "its value holds a zero byte");
        try
        {
            return StrictUtf8.GetString(value.Span);
        }
        catch (DecoderFallbackException e)
        {
            // The decoder's exception holds bytes of the value, so it is not passed on.
            throw Refused(name, $"its value is not UTF-8 at byte {e.Index}");
        }
    }

    private static WorkloadException Refused(string name, string why) =>
        new(WorkloadError.ParameterText, $"The manifest's environment variable '{name}' cannot be set: {why}. Encode it in the manifest, for instance as base64.");
}
