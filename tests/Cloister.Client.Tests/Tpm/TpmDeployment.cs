using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Coordinator;
using Cloister.Platform;
using Cloister.Protocol.Trust;
using Cloister.Tests.Mesh;
using Cloister.Tests.Tpm;
using Cloister.Workload;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Client.Tests.Tpm;

/// <summary>A coordinator in one TPM that activates workloads in others, all of one authority; nothing is simulated.</summary>
internal sealed class TpmDeployment : IAsyncDisposable
{
    public const string Type = "measured";

    private readonly TemporaryFolder _folder = new();
    private readonly TpmMachines _machines;

    private TpmDeployment(TpmMachines machines) => _machines = machines;

    public CoordinatorHost Coordinator { get; private set; } = null!;

    public Uri ClientApi => new($"https://localhost:{Coordinator.ClientAddress.Port}");

    public string MeshAddress => $"localhost:{Coordinator.MeshAddress.Port}";

    /// <summary>The coordinator's image in a TPM of the authority.</summary>
    public CoordinatorPolicy Policy => PolicyOf(_machines.One.Wants(TpmMachines.Image));

    /// <param name="machines">The coordinator is on <see cref="TpmMachines.One"/>.</param>
    /// <param name="coordinator">Its source of evidence, if not that machine's.</param>
    public static async Task<TpmDeployment> StartAsync(TpmMachines machines, IEvidenceIssuer? coordinator = null)
    {
        var deployment = new TpmDeployment(machines);
        var options = new CoordinatorOptions
        {
            ClientAddress = "localhost:0",
            MeshAddress = "localhost:0",
            SealFolder = deployment._folder.At("state"),
            HostKeyFolder = deployment._folder.At("host"),
        };
        deployment.Coordinator = await CreateCoordinatorAsync(null, options, coordinator ?? machines.One.Issuer, VerifierRegistry.CreateDefault(), NullLoggerFactory.Instance, TimeProvider.System, default);
        var manifest = new JsonObject
        {
            ["Packages"] = new JsonObject { [Type] = JsonNode.Parse(PolicyWriter.Write(machines.One.Wants(TpmMachines.Image))) },
            ["Marbles"] = new JsonObject { [Type] = new JsonObject { ["Package"] = Type } },
        };
        await UnverifiedCoordinator.SetManifestAsync(deployment.ClientApi, Encoding.UTF8.GetBytes(manifest.ToJsonString()), []);
        return deployment;
    }

    public static CoordinatorPolicy PolicyOf(PackagePolicy coordinator) => new(coordinator, OwnerRequirement.AnyOwner, ManifestRequirement.AnyManifest);

    public Task<VerifiedDeployment> VerifyAsync(CoordinatorPolicy? policy = null, Uri? at = null) => new DeploymentVerifier().VerifyCoordinatorAsync(at ?? ClientApi, policy ?? Policy);

    public Task<Activation> ActivateAsync(IEvidenceIssuer issuer, CoordinatorPolicy? policy = null, string? address = null) => Activator(issuer, policy, address).ActivateAsync();

    public WorkloadActivator Activator(IEvidenceIssuer issuer, CoordinatorPolicy? policy = null, string? address = null, TimeProvider? time = null)
    {
        string folder = _folder.At($"workload-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        string policyFile = Path.Combine(folder, CoordinatorPolicy.FileName);
        File.WriteAllBytes(policyFile, (policy ?? Policy).ToBytes());
        var options = new WorkloadOptions
        {
            MarbleType = Type,
            CoordinatorAddress = address ?? MeshAddress,
            DnsNames = ["localhost", "127.0.0.1"],
            UuidFile = Path.Combine(folder, "uuid"),
            CoordinatorPolicyFile = policyFile,
        };
        return new WorkloadActivator(options, issuer, VerifierRegistry.CreateDefault(), time: time);
    }

    public async ValueTask DisposeAsync()
    {
        await Coordinator.DisposeAsync();
        _folder.Dispose();
    }

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "CreateAsync")]
    private static extern Task<CoordinatorHost> CreateCoordinatorAsync(
        CoordinatorHost? type, CoordinatorOptions options, IEvidenceIssuer? issuer, VerifierRegistry verifiers, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellation);
}
