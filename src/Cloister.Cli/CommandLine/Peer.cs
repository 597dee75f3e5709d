using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Client;
using Cloister.Protocol.Trust;

namespace Cloister.Cli.CommandLine;

/// <summary>Options by which a verb finds its coordinator, knows what to demand of it, and says who it is itself.</summary>
internal static class Peer
{
    public static Option<string> Coordinator() => new("--coordinator") { Description = "The coordinator's client address, for example https://localhost:4433.", Required = true };

    public static Option<string> Policy() => new("--policy") { Description = "What to demand of the coordinator (docs/formats/coordinator-policy.md), from elsewhere than the deployment.", Required = true };

    public static Option<string?> Certificate() => new("--cert") { Description = "The user's certificate, PEM." };

    public static Option<string?> Key() => new("--key") { Description = "The user's private key, PEM." };

    public static Uri Address(string text) => Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : "https://" + text, UriKind.Absolute, out Uri? uri) && uri.Scheme == Uri.UriSchemeHttps
        ? uri
        : throw new CommandException(ExitCode.Usage, $"'{text}' is no https address.");

    public static async Task<CoordinatorPolicy> ReadPolicyAsync(string path, CancellationToken cancellation)
    {
        Outcome<CoordinatorPolicy> policy = CoordinatorPolicy.Read(await LocalFile.ReadAsync(path, cancellation, CoordinatorPolicy.MaxBytes));
        return policy.IsAccepted ? policy.Value : throw new CommandException(ExitCode.BadInput, $"'{path}' is no coordinator policy: {policy.Field}: {policy.Reason}");
    }

    public static async Task<X509Certificate2> ReadIdentityAsync(string? certificate, string? key, CancellationToken cancellation)
    {
        if (certificate is null || key is null)
            throw new CommandException(ExitCode.Usage, "This needs --cert and --key, the identity that the manifest names (or --pkcs11-config, for one in a token). Make one with: cloister user keygen");
        try
        {
            string certificatePem = await LocalFile.ReadTextAsync(certificate, cancellation), keyPem = await LocalFile.ReadTextAsync(key, cancellation);
            using X509Certificate2 pair = X509Certificate2.CreateFromPem(certificatePem, keyPem);
            // A key that only lives in memory cannot be used for TLS on every platform; the round trip through PKCS#12 can.
            return X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null);
        }
        catch (Exception exception) when (exception is System.Security.Cryptography.CryptographicException or ArgumentException or PlatformNotSupportedException)
        {
            throw new CommandException(ExitCode.BadInput, $"'{certificate}' and '{key}' are no certificate and its key: {exception.Message}", exception);
        }
    }

    /// <summary>Verifies, prints every check, and returns the deployment; a refusal is thrown after the checks were printed.</summary>
    public static async Task<VerifiedDeployment> VerifyAsync(Uri coordinator, CoordinatorPolicy policy, Screen screen, CancellationToken cancellation)
    {
        try
        {
            VerifiedDeployment deployment = await new DeploymentVerifier().VerifyCoordinatorAsync(coordinator, policy, cancellation);
            if (deployment.Simulated)
                screen.Line("SIMULATED evidence: it proves nothing against whoever controls that machine.");
            return deployment;
        }
        catch (PeerRefusedException refused)
        {
            Print(refused.Result, screen);
            throw;
        }
    }

    public static void Print(AttestationResult result, Screen screen)
    {
        foreach (Check check in result.Checks)
        {
            string mark = check.Verdict switch { Verdict.Passed => "ok      ", Verdict.Failed => "REFUSED ", _ => "-       " };
            screen.Line($"  {mark}{check.Id}{(check.Value is { Length: > 0 } value ? $" = {value}" : "")}{(check.Verdict == Verdict.Failed ? $": {check.Reason}" : "")}");
        }
    }

    public static JsonArray ToJson(AttestationResult result) => new([.. result.Checks.Select(check => (JsonNode)new JsonObject
    {
        ["id"] = check.Id,
        ["verdict"] = check.Verdict.ToString(),
        ["field"] = check.Field,
        ["value"] = check.Value,
        ["expected"] = check.Expected,
        ["refusal"] = (int)check.Refusal,
        ["reason"] = check.Reason,
    })]);
}
