using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Protocol.Rest;

namespace Cloister.Cli.CommandLine;

/// <summary>Values of secrets in a file: MarbleRun's JSON, or PEM. The caller wipes them with <see cref="Wipe"/>.</summary>
internal static class SecretFile
{
    /// <summary><c>{"name": {"Key": base64}, "other": {"Cert": base64, "Private": base64}}</c>; names of the inner members in any case.</summary>
    public static async Task<Dictionary<string, SecretValue>> ReadJsonAsync(string path, CancellationToken cancellation)
    {
        byte[] bytes = await LocalFile.ReadAsync(path, cancellation);
        try
        {
            return ReadJson(bytes) is { Count: > 0 } secrets ? secrets : throw new FormatException("it names no secret");
        }
        catch (Exception malformed) when (malformed is JsonException or FormatException or InvalidOperationException)
        {
            // The parser's text may repeat a value: the reason alone is said.
            string why = malformed is FormatException ? malformed.Message : "not JSON of this form";
            throw new CommandException(ExitCode.BadInput, $$$"""'{{{path}}}' holds no secrets: {{{why}}}. Expected: {"name": {"Key": "<base64>"}} or {"name": {"Cert": "<base64 DER>", "Private": "<base64 PKCS#8>"}}""");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>The first certificate and the first private key in a PEM file, as one secret.</summary>
    public static async Task<Dictionary<string, SecretValue>> ReadPemAsync(string path, string name, CancellationToken cancellation)
    {
        byte[] bytes = await LocalFile.ReadAsync(path, cancellation);
        char[] text = Encoding.UTF8.GetChars(bytes);
        try
        {
            byte[]? certificate = null, key = null;
            ReadOnlySpan<char> rest = text;
            while ((certificate is null || key is null) && PemEncoding.TryFind(rest, out PemFields fields))
            {
                ReadOnlySpan<char> label = rest[fields.Label];
                var data = new byte[fields.DecodedDataLength];
                _ = Convert.TryFromBase64Chars(rest[fields.Base64Data], data, out int written);
                if (label is "CERTIFICATE")
                    certificate ??= Certificate(data[..written], path);
                else if (label.Contains("PRIVATE", StringComparison.Ordinal))
                    key ??= data[..written];
                else
                    throw new CommandException(ExitCode.BadInput, $"'{path}' holds a {label}; a secret is made of a CERTIFICATE and a PRIVATE KEY.");
                rest = rest[fields.Location.End..];
            }
            return certificate is null && key is null
                ? throw new CommandException(ExitCode.BadInput, $"'{path}' holds neither a certificate nor a private key in PEM.")
                : new(StringComparer.Ordinal) { [name] = new SecretValue(Cert: certificate, Private: key) };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
            Array.Clear(text);
        }
    }

    public static void Wipe(IReadOnlyDictionary<string, SecretValue> secrets)
    {
        foreach (SecretValue secret in secrets.Values)
        {
            CryptographicOperations.ZeroMemory(secret.Key);
            CryptographicOperations.ZeroMemory(secret.Private);
        }
    }

    private static Dictionary<string, SecretValue> ReadJson(byte[] bytes)
    {
        using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
        var secrets = new Dictionary<string, SecretValue>(StringComparer.Ordinal);
        foreach (JsonProperty secret in document.RootElement.EnumerateObject())
        {
            byte[]? key = null, certificate = null, secretKey = null;
            foreach (JsonProperty member in secret.Value.EnumerateObject())
            {
                if (member.Value.ValueKind == JsonValueKind.Null)
                    continue;
                byte[] value = member.Value.TryGetBytesFromBase64(out byte[]? read) ? read : throw new FormatException($"'{secret.Name}': {member.Name} is not base64");
                if (member.Name.Equals("Key", StringComparison.OrdinalIgnoreCase)) key = value;
                else if (member.Name.Equals("Cert", StringComparison.OrdinalIgnoreCase)) certificate = value;
                else if (member.Name.Equals("Private", StringComparison.OrdinalIgnoreCase)) secretKey = value;
                else throw new FormatException($"'{secret.Name}' has the member {member.Name}; known are Key, Cert and Private");
            }
            secrets.Add(secret.Name, new SecretValue(key, certificate, secretKey));
        }
        return secrets;
    }

    private static byte[] Certificate(byte[] der, string path)
    {
        try
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);
            return certificate.RawData;
        }
        catch (CryptographicException malformed)
        {
            throw new CommandException(ExitCode.BadInput, $"The certificate in '{path}' cannot be read: {malformed.Message}", malformed);
        }
    }
}
