using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Protocol.Manifest;

namespace Cloister.Protocol.Tests.Manifest;

/// <summary>A manifest with every member of Cloister's dialect, as text and as a tree that tests change.</summary>
internal static class ManifestSamples
{
    public const string Digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    public const string Key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==";

    public static readonly string Certificate = MakeCertificate("user");
    public static readonly string OtherCertificate = MakeCertificate("other");

    public static JsonNode Full() => JsonNode.Parse($$$"""
        {
          "Packages": { "serving": { "Simulation": { "Digest": "{{{Digest}}}", "HostKeys": ["{{{Key}}}"] } } },
          "Marbles": {
            "serving": {
              "Package": "serving",
              "MaxActivations": 3,
              "Models": ["digits"],
              "Parameters": {
                "Files": { "/etc/root.pem": "{{ pem .MarbleRun.RootCA.Cert }}", "/etc/raw": { "Data": "AAEC", "Encoding": "base64", "NoTemplates": true } },
                "Env": { "LEVEL": "info", "TOKEN": "{{ string .Secrets.token }}" },
                "Argv": ["serve", "--port", "8443"]
              }
            }
          },
          "Secrets": {
            "modelKey": { "Type": "symmetric-key", "Size": 256, "UserDefined": true },
            "token": { "Type": "plain", "UserDefined": true }
          },
          "Users": { "owner": { "Certificate": {{{System.Text.Json.JsonSerializer.Serialize(Certificate)}}}, "Roles": ["keys", "updates"] } },
          "Roles": {
            "keys": { "ResourceType": "Secrets", "ResourceNames": ["modelKey", "token"], "Actions": ["WriteSecret"] },
            "updates": { "ResourceType": "Manifest", "Actions": ["UpdateManifest"] }
          },
          "Config": { "UpdateThreshold": 1 },
          "Models": { "digits": { "Digest": "{{{Digest}}}", "MakerKey": "{{{Key}}}", "Secret": "modelKey", "MinimumVersion": 2 } },
          "Callers": {
            "shop": { "TokenSha256": "{{{Digest}}}", "Models": ["digits"] },
            "bank": { "Certificate": {{{System.Text.Json.JsonSerializer.Serialize(OtherCertificate)}}}, "Models": ["digits"] }
          },
          "AnonymousModels": ["digits"]
        }
        """)!;

    public static ManifestOutcome Read(JsonNode manifest, ManifestDialect dialect = ManifestDialect.Cloister) => Read(manifest.ToJsonString(), dialect);

    public static ManifestOutcome Read(string json, ManifestDialect dialect = ManifestDialect.Cloister) => ManifestReader.Read(Encoding.UTF8.GetBytes(json), dialect);

    private static string MakeCertificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return certificate.ExportCertificatePem();
    }
}
