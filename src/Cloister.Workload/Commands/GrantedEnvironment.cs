using System.Security.Cryptography;
using System.Text;
using Cloister.Sealing;

namespace Cloister.Workload;

/// <summary>The variables that an activation gives a program: the manifest's, and MarbleRun's four predefined ones.</summary>
public static class GrantedEnvironment
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Copies them out of an activation; UTF-8 without zero bytes. This workload's own certificate wins over the manifest.</summary>
    /// <returns>Variables by name. Whoever asked disposes of every value once the program has it.</returns>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.ParameterText"/>, with the variable's name.</exception>
    public static Dictionary<string, SecretBytes> Of(Activation activation)
    {
        ArgumentNullException.ThrowIfNull(activation);
        foreach (var (name, value) in activation.Parameters.Environment)
            Check(name, value.Span);
        var granted = activation.Parameters.Environment.ToDictionary(variable => variable.Key, variable => SecretBytes.Copy(variable.Value.Span), StringComparer.Ordinal);
        WorkloadCertificate certificate = activation.Identity.Current;
        Set("MARBLE_PREDEFINED_ROOT_CA", Encoding.ASCII.GetBytes(activation.MarbleRoot.ExportCertificatePem() + "\n"));
        Set("MARBLE_PREDEFINED_COORDINATOR_ROOT_CA", Encoding.ASCII.GetBytes(activation.CoordinatorRoot.ExportCertificatePem() + "\n"));
        Set("MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN", Encoding.ASCII.GetBytes(certificate.ChainPem));
        Set("MARBLE_PREDEFINED_PRIVATE_KEY", certificate.PrivateKeyPem());
        return granted;

        void Set(string name, byte[] value)
        {
            if (granted.Remove(name, out SecretBytes? before)) before.Dispose();
            granted[name] = SecretBytes.Copy(value);
            CryptographicOperations.ZeroMemory(value);
        }
    }

    private static void Check(string name, ReadOnlySpan<byte> value)
    {
        if (name.Length == 0 || name.AsSpan().ContainsAny('=', '\0'))
            throw Refused(name, "its name is empty or holds '=' or a zero byte");
        if (value.Contains((byte)0))
            throw Refused(name, "its value holds a zero byte");
        try
        {
            _ = StrictUtf8.GetCharCount(value);
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
