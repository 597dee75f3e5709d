using System.Buffers;
using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Verbs;

/// <summary>Identities that a manifest names: users' certificates and callers' bearer tokens.</summary>
internal static class UserVerb
{
    private static readonly SearchValues<char> NotInNames = SearchValues.Create("/\\,=+\"\0");
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(3650);

    public static Command Create() => new Verb("user", "Make the identities that a manifest names.") { Keygen(), Token() };

    private static Command Keygen()
    {
        var name = new Option<string>("--name") { Description = "The common name in the certificate.", Required = true };
        var folder = new Option<string>("--out") { Description = "Folder for NAME.key (secret) and NAME.crt.", Required = true };
        return new Verb("keygen", "Make a P-256 key and a self-signed certificate: for a user of the coordinator, a caller, or the owner who signs manifests.",
            "cloister user keygen --name model-owner --out owner") { name, folder }
            .Runs(async (parsed, screen, cancellation) =>
            {
                string user = parsed.GetRequiredValue(name), target = parsed.GetRequiredValue(folder);
                if (user.Length is 0 or > 64 || user.AsSpan().ContainsAny(NotInNames))
                    throw new CommandException(ExitCode.Usage, "--name is 1 to 64 characters without / \\ , = + and quotes.");
                using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                var request = new CertificateRequest("CN=" + user, key, HashAlgorithmName.SHA256);
                DateTimeOffset now = TimeProvider.System.GetUtcNow();
                using X509Certificate2 certificate = request.CreateSelfSigned(now.AddMinutes(-5), now + Lifetime);
                await LocalFile.WriteSecretAsync(Path.Combine(target, user + ".key"), Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()), cancellation);
                await LocalFile.WriteAsync(Path.Combine(target, user + ".crt"), Encoding.ASCII.GetBytes(certificate.ExportCertificatePem()), cancellation);
                string spki = Convert.ToBase64String(key.ExportSubjectPublicKeyInfo());
                screen.Result(
                    $"wrote {user}.key (keep it) and {user}.crt to '{target}'\npublic key {spki}",
                    new JsonObject { ["key"] = Path.Combine(target, user + ".key"), ["certificate"] = certificate.ExportCertificatePem(), ["publicKey"] = spki });
            });
    }

    private static Command Token()
    {
        var path = new Option<string>("--out") { Description = "The file for the token (secret).", Required = true };
        return new Verb("token", "Make a caller's bearer token; the manifest names its SHA-256.", "cloister user token --out client/token") { path }
            .Runs(async (parsed, screen, cancellation) =>
            {
                string token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
                await LocalFile.WriteSecretAsync(parsed.GetRequiredValue(path), Encoding.ASCII.GetBytes(token), cancellation);
                string digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(token)));
                screen.Result($"wrote the token to '{parsed.GetRequiredValue(path)}'\nTokenSha256 {digest}", new JsonObject { ["tokenSha256"] = digest });
            });
    }
}
