using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Tests.Hosting;

/// <summary>Manifests in Cloister's dialect, and the people in them.</summary>
internal sealed class TestManifest
{
    public const string Measurement = "1111111111111111111111111111111111111111111111111111111111111111";

    private readonly ECDsa _hostKey;

    public TestManifest(ECDsa hostKey) => _hostKey = hostKey;

    /// <summary>May read and write the model's key.</summary>
    public X509Certificate2 Owner { get; } = Certificate("owner");

    /// <summary>May only read it.</summary>
    public X509Certificate2 Reader { get; } = Certificate("reader");

    public static X509Certificate2 Certificate(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // A byte-equal certificate counts; that it expired long ago does not.
        return new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(1));
    }

    public JsonObject Json() => JsonNode.Parse($$"""
        {
          "Packages": { "serving": { "Simulation": { "Digest": "{{Measurement}}", "HostKeys": ["{{Convert.ToBase64String(_hostKey.ExportSubjectPublicKeyInfo())}}"] } } },
          "Marbles": {
            "server": {
              "Package": "serving",
              "Models": ["digits"],
              "Parameters": {
                "Files": { "/tmp/shared": "{{"{{ hex .Secrets.shared }}"}}", "/tmp/own": "{{"{{ raw .Secrets.own }}"}}" },
                "Env": { "ROOT": "{{"{{ pem .MarbleRun.RootCA.Cert }}"}}", "PLAIN": "as it is" },
                "Argv": ["serve", "--port", "8443"]
              }
            },
            "once": { "Package": "serving", "MaxActivations": 2 },
            "free": { "Package": "serving" }
          },
          "Secrets": {
            "model-key": { "Type": "symmetric-key", "Size": 256, "UserDefined": true },
            "shared": { "Type": "symmetric-key", "Size": 128, "Shared": true },
            "own": { "Type": "symmetric-key", "Size": 256 },
            "note": { "Type": "plain", "UserDefined": true }
          },
          "Models": { "digits": { "Digest": "{{new string('a', 64)}}", "MakerKey": "{{Convert.ToBase64String(MakerKey)}}", "Secret": "model-key", "MinimumVersion": 3 } },
          "Callers": { "app": { "TokenSha256": "{{new string('b', 64)}}", "Models": ["digits"] } },
          "AnonymousModels": [],
          "Users": {
            "owner": { "Certificate": {{JsonValue.Create(Owner.ExportCertificatePem()).ToJsonString()}}, "Roles": ["writer", "reader"] },
            "reader": { "Certificate": {{JsonValue.Create(Reader.ExportCertificatePem()).ToJsonString()}}, "Roles": ["reader"] }
          },
          "Roles": {
            "writer": { "ResourceType": "Secrets", "ResourceNames": ["model-key", "note"], "Actions": ["WriteSecret"] },
            "reader": { "ResourceType": "Secrets", "ResourceNames": ["model-key", "shared", "note"], "Actions": ["ReadSecret"] }
          }
        }
        """)!.AsObject();

    public string Text => Json().ToJsonString();

    private static byte[] MakerKey { get; } = CreateMakerKey();

    public static string Fingerprint(string manifest) => ManifestFingerprint.Of(Encoding.UTF8.GetBytes(manifest));

    /// <summary>The body of POST /api/v3/manifest; each owner signs the manifest named.</summary>
    public static string Request(string manifest, params (ECDsa Key, string Over)[] owners) => JsonSerializer.Serialize(new
    {
        manifest = Encoding.UTF8.GetBytes(manifest),
        ownerSignatures = owners.Select(owner =>
        {
            OwnerSignature signature = ManifestOwner.Sign(owner.Key, Fingerprint(owner.Over));
            return new { publicKey = signature.PublicKey.ToArray(), signature = signature.Signature.ToArray() };
        }).ToArray(),
    });

    /// <summary>The body of POST /api/v3/secrets.</summary>
    public static string Upload(string fingerprint, params (string Name, byte[] Key)[] secrets) => JsonSerializer.Serialize(new
    {
        manifestFingerprint = fingerprint,
        secrets = secrets.ToDictionary(secret => secret.Name, secret => new { secret.Key }),
    });

    private static byte[] CreateMakerKey()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportSubjectPublicKeyInfo();
    }
}
