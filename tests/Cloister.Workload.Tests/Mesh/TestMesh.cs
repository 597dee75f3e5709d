using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Attestation;
using Cloister.Client;
using Cloister.Coordinator;
using Cloister.Platform;
using Cloister.Platform.Simulation;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Trust;
using Cloister.Workload;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Tests.Mesh;

/// <summary>A real coordinator on loopback, with everything around it: owner, user, evidence of known measurements.</summary>
internal sealed class TestMesh : IAsyncDisposable
{
    public const string Type = "digits", OtherType = "letters", SecretName = "model_key", Token = "caller's token";
    public static readonly byte[] ModelKey = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    private readonly TemporaryFolder _folder = new();
    private readonly ECDsa _hostKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa _userKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private TestMesh()
    {
        CoordinatorIssuer = new TestOnlyIssuer(_hostKey, Enumerable.Repeat((byte)0xC0, 32).ToArray());
        WorkloadIssuer = new TestOnlyIssuer(_hostKey, Enumerable.Repeat((byte)0x3A, 32).ToArray());
        var request = new CertificateRequest("CN=model owner", _userKey, HashAlgorithmName.SHA256);
        User = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        Policy = new CoordinatorPolicy(CoordinatorIssuer.Policy, new OwnerRequirement.SignedBy([Owner.ExportSubjectPublicKeyInfo()]), ManifestRequirement.AnyManifest);
    }

    public TestOnlyIssuer CoordinatorIssuer { get; }

    public TestOnlyIssuer WorkloadIssuer { get; }

    public ECDsa Owner { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public X509Certificate2 User { get; }

    public CoordinatorPolicy Policy { get; }

    public CoordinatorHost Coordinator { get; private set; } = null!;

    public string Folder => _folder.Path;

    public Uri ClientApi => new($"https://localhost:{Coordinator.ClientAddress.Port}");

    public string MeshAddress => $"localhost:{Coordinator.MeshAddress.Port}";

    /// <summary>Starts a coordinator; without a manifest unless asked.</summary>
    public static async Task<TestMesh> StartAsync(bool withManifest = true, string? manifest = null)
    {
        var mesh = new TestMesh();
        var options = new CoordinatorOptions
        {
            ClientAddress = "localhost:0",
            MeshAddress = "localhost:0",
            SealFolder = mesh._folder.At("state"),
            HostKeyFolder = mesh._folder.At("host"),
        };
        mesh.Coordinator = await CreateCoordinatorAsync(null, options, mesh.CoordinatorIssuer, VerifierRegistry.CreateDefault(), NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        if (withManifest)
            await mesh.SetManifestAsync(manifest ?? mesh.Manifest());
        return mesh;
    }

    /// <summary>A manifest with two workload types of one package, one model with an uploaded key, and one caller.</summary>
    public string Manifest(PackagePolicy? package = null, int maxActivations = 0)
    {
        var policy = (SimulationPolicy)(package ?? WorkloadIssuer.Policy);
        string hostKeys = string.Join(',', policy.HostKeys.Select(k => $"\"{Convert.ToBase64String(k.Span)}\""));
        return $$$"""
            {
              "Packages": { "serving": { "Simulation": { "Digest": "{{{((Requirement<string>.Exactly)policy.Digest).Value}}}", "HostKeys": [{{{hostKeys}}}] } } },
              "Marbles": {
                "digits": {
                  "Package": "serving",
                  "MaxActivations": {{{maxActivations}}},
                  "Models": ["digits"],
                  "Parameters": {
                    "Files": { "{{{_folder.At("out", "greeting.txt")}}}": "hello" },
                    "Env": { "GREETING": "hello", "KEY_HEX": "{{ hex .Secrets.model_key }}" }
                  }
                },
                "letters": { "Package": "serving" }
              },
              "Secrets": { "model_key": { "Type": "symmetric-key", "Size": 256, "UserDefined": true } },
              "Users": { "owner": { "Certificate": {{{System.Text.Json.JsonSerializer.Serialize(User.ExportCertificatePem())}}}, "Roles": ["model-owner", "updater"] } },
              "Roles": { "model-owner": { "ResourceType": "Secrets", "ResourceNames": ["model_key"], "Actions": ["WriteSecret", "ReadSecret"] }, "updater": { "ResourceType": "Manifest", "Actions": ["UpdateManifest"] } },
              "Models": { "digits": { "Digest": "{{{new string('d', 64)}}}", "MakerKey": "{{{Convert.ToBase64String(Owner.ExportSubjectPublicKeyInfo())}}}", "Secret": "model_key", "MinimumVersion": 3 } },
              "Callers": { "anna": { "TokenSha256": "{{{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Token)))}}}", "Models": ["digits"] } },
              "AnonymousModels": []
            }
            """;
    }

    public async Task<string> SetManifestAsync(string manifest, bool signed = true)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(manifest);
        OwnerSignature[] signatures = signed ? [ManifestOwner.Sign(Owner, ManifestFingerprint.Of(bytes))] : [];
        return (await UnverifiedCoordinator.SetManifestAsync(ClientApi, bytes, signatures)).Fingerprint;
    }

    /// <summary>Puts another manifest in the place of the one in force, as its one updater.</summary>
    public async Task<UpdateResultV3> UpdateAsync(string manifest)
    {
        using var client = new CoordinatorClient(await VerifyAsync(), User);
        byte[] bytes = Encoding.UTF8.GetBytes(manifest);
        return await client.UpdateAsync(bytes, [ManifestOwner.Sign(Owner, ManifestFingerprint.Of(bytes))]);
    }

    /// <summary>As the owner of the model's key, agrees to the manifest in force.</summary>
    public async Task AcknowledgeAsync()
    {
        using var client = new CoordinatorClient(await VerifyAsync(), User);
        await client.AcknowledgeSecretsAsync([SecretName]);
    }

    public Task<VerifiedDeployment> VerifyAsync() => new DeploymentVerifier().VerifyCoordinatorAsync(ClientApi, Policy);

    public async Task SetModelKeyAsync()
    {
        using var client = new CoordinatorClient(await VerifyAsync(), User);
        await client.SetSecretsAsync(new Dictionary<string, SecretValue> { [SecretName] = new(Key: [.. ModelKey]) });
    }

    /// <summary>An activator of a new workload, whose policy file lies in a folder of its own.</summary>
    public WorkloadActivator Activator(string type = Type, CoordinatorPolicy? policy = null, IEvidenceIssuer? issuer = null, string? address = null, TimeProvider? time = null, ILogger? logger = null)
    {
        string folder = _folder.At($"workload-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        string policyFile = Path.Combine(folder, CoordinatorPolicy.FileName);
        File.WriteAllBytes(policyFile, (policy ?? Policy).ToBytes());
        var options = new WorkloadOptions
        {
            MarbleType = type,
            CoordinatorAddress = address ?? MeshAddress,
            DnsNames = ["localhost", "127.0.0.1"],
            UuidFile = Path.Combine(folder, "uuid"),
            CoordinatorPolicyFile = policyFile,
        };
        return new WorkloadActivator(options, issuer ?? WorkloadIssuer, VerifierRegistry.CreateDefault(), logger, time);
    }

    public async ValueTask DisposeAsync()
    {
        await Coordinator.DisposeAsync();
        _hostKey.Dispose();
        _userKey.Dispose();
        Owner.Dispose();
        User.Dispose();
        _folder.Dispose();
    }

    // The tests' process runs inside the shared dotnet host, which no simulator measures: the evidence's source is given.
    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "CreateAsync")]
    private static extern Task<CoordinatorHost> CreateCoordinatorAsync(
        CoordinatorHost? type, CoordinatorOptions options, IEvidenceIssuer? issuer, VerifierRegistry verifiers, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellation);
}
