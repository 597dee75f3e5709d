using System.Collections.Immutable;
using System.Globalization;
using Cloister.Platform;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator;

/// <summary>How a coordinator is started. None of it has to be trusted by anyone but the operator: what clients rely on is in the evidence.</summary>
public sealed record CoordinatorOptions
{
    /// <summary>Where the client API listens: <c>host:port</c> or <c>:port</c>; port 0 takes a free one.</summary>
    public string ClientAddress { get; init; } = ":4433";

    /// <summary>Where workloads are activated.</summary>
    public string MeshAddress { get; init; } = ":2001";

    /// <summary>DNS names in the coordinator's certificates; used when the state is made.</summary>
    public ImmutableArray<string> DnsNames { get; init; } = ["localhost"];

    /// <summary>The folder of <c>sealed_data</c> and <c>sealed_key</c>.</summary>
    public string SealFolder { get; init; } = "marblerun-coordinator-data";

    /// <summary>The folder of the host's sealing key; it must not be inside <see cref="SealFolder"/>.</summary>
    public string HostKeyFolder { get; init; } = "coordinator-host-key";

    /// <summary>MarbleRun's simulation: its null quotes, and any marble is activated on its wire without proof. For tests only.</summary>
    public bool Simulation { get; init; }

    /// <summary>The socket of Cloister's simulator, or null.</summary>
    public string? SimulatorSocket { get; init; }

    /// <summary>This machine's TPM, such as <c>/dev/tpmrm0</c>, or null. It comes before a simulator.</summary>
    public string? Tpm { get; init; }

    /// <summary>Whether the state's key is sealed to the TPM and the measured boot instead of a host key.</summary>
    public bool SealToTpm { get; init; }

    /// <summary>The folder of Intel's collateral for SGX quotes on MarbleRun's wire, laid out as docs/formats/collateral-folder.md says; null verifies none.</summary>
    public string? CollateralFolder { get; init; }

    /// <summary>The service that fills <see cref="CollateralFolder"/>: <c>intel</c>, or the <c>https</c> address of a PCCS. Null fetches nothing.</summary>
    public string? CollateralService { get; init; }

    /// <summary>Where metrics and events are served in plain HTTP; null serves none.</summary>
    public string? PrometheusAddress { get; init; }

    /// <summary>A file with the manifest to set at the start; null waits for one. Refused if another manifest is in force.</summary>
    public string? StartupManifest { get; init; }

    /// <summary>Roots that quotes on MarbleRun's wire are proven up to; the pinned ones but in tests.</summary>
    internal Cloister.Attestation.Anchors Anchors { get; init; } = Cloister.Attestation.Anchors.Pinned;

    /// <summary>If any: the manifest must be signed by one of these keys (SubjectPublicKeyInfo, DER).</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> OwnerKeys { get; init; } = [];

    /// <summary>How long a workload's certificate is valid in Cloister's mode.</summary>
    public TimeSpan LeafLifetime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Connections at once on each port, as far as the process may open files; when all are taken, the oldest idle one makes room.</summary>
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>How long a request's head may take, and a body may stay under 240 bytes a second.</summary>
    public TimeSpan SlowClientGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Reads MarbleRun's variables (EDG_COORDINATOR_CLIENT_ADDR, _MESH_ADDR, _DNS_NAMES, _SEAL_DIR, _PROMETHEUS_ADDR, EDG_STARTUP_MANIFEST, OE_SIMULATION)
    /// and Cloister's (CLOISTER_SIMULATOR, CLOISTER_TPM, CLOISTER_HOST_KEY_DIR: without it a TPM seals, CLOISTER_OWNER_KEYS: base64, separated by commas, CLOISTER_LEAF_LIFETIME: d.hh:mm:ss,
    /// CLOISTER_COLLATERAL_DIR, CLOISTER_COLLATERAL_SERVICE). docs/coordinator.md lists all that are known.
    /// </summary>
    /// <exception cref="ArgumentException">A variable's value makes no sense; the text names it.</exception>
    public static CoordinatorOptions FromEnvironment() => FromEnvironment(Environment.GetEnvironmentVariable);

    /// <inheritdoc cref="FromEnvironment()"/>
    /// <param name="variable">Gives a variable's value, or null.</param>
    public static CoordinatorOptions FromEnvironment(Func<string, string?> variable)
    {
        string? Value(string name) => variable(name) is { Length: > 0 } value ? value : null;
        RefuseDistribution(Value);
        var defaults = new CoordinatorOptions();
        return (defaults with
        {
            ClientAddress = Value("EDG_COORDINATOR_CLIENT_ADDR") ?? defaults.ClientAddress,
            MeshAddress = Value("EDG_COORDINATOR_MESH_ADDR") ?? defaults.MeshAddress,
            DnsNames = Value("EDG_COORDINATOR_DNS_NAMES") is { } names
                ? [.. names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)]
                : defaults.DnsNames,
            SealFolder = Value("EDG_COORDINATOR_SEAL_DIR") ?? defaults.SealFolder,
            HostKeyFolder = Value("CLOISTER_HOST_KEY_DIR") ?? defaults.HostKeyFolder,
            Simulation = Value("OE_SIMULATION") == "1",
            SimulatorSocket = Value(PlatformOptions.SimulatorVariable),
            Tpm = Value(PlatformOptions.TpmVariable),
            SealToTpm = Value(PlatformOptions.TpmVariable) is not null && Value("CLOISTER_HOST_KEY_DIR") is null,
            CollateralFolder = Value("CLOISTER_COLLATERAL_DIR"),
            CollateralService = Value("CLOISTER_COLLATERAL_SERVICE"),
            PrometheusAddress = Value("EDG_COORDINATOR_PROMETHEUS_ADDR"),
            StartupManifest = Value("EDG_STARTUP_MANIFEST"),
            OwnerKeys = [.. (Value("CLOISTER_OWNER_KEYS") ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(ReadOwnerKey)],
            LeafLifetime = Value("CLOISTER_LEAF_LIFETIME") is not { } lifetime ? defaults.LeafLifetime
                : TimeSpan.TryParse(lifetime, CultureInfo.InvariantCulture, out TimeSpan read) ? read
                : throw new ArgumentException($"CLOISTER_LEAF_LIFETIME: '{lifetime}' is no time span such as 24:00:00."),
        }).Checked();
    }

    /// <summary>These options, or an <see cref="ArgumentException"/> that names the one that cannot work.</summary>
    internal CoordinatorOptions Checked()
    {
        _ = ListenAddress.Parse(ClientAddress, nameof(ClientAddress));
        _ = ListenAddress.Parse(MeshAddress, nameof(MeshAddress));
        if (PrometheusAddress is { } metrics)
            _ = ListenAddress.Parse(metrics, nameof(PrometheusAddress));
        if (CollateralService is not null)
        {
            if (CollateralFolder is null)
                throw new ArgumentException($"{nameof(CollateralService)}: name in {nameof(CollateralFolder)} (CLOISTER_COLLATERAL_DIR) where to keep what is fetched.");
            _ = Sgx.CollateralSource.AddressOf(CollateralService);
        }
        if (SealToTpm && Tpm is null)
            throw new ArgumentException($"{nameof(SealToTpm)}: name the TPM in {nameof(Tpm)} ({PlatformOptions.TpmVariable}).");
        if (LeafLifetime < TimeSpan.FromMinutes(1) || LeafLifetime > TimeSpan.FromDays(90))
            throw new ArgumentException($"{nameof(LeafLifetime)}: {LeafLifetime} is not between one minute and 90 days.");
        if (MaxConnections < 1)
            throw new ArgumentException($"{nameof(MaxConnections)}: at least 1 is needed.");
        if (SlowClientGrace <= TimeSpan.FromSeconds(1))
            throw new ArgumentException($"{nameof(SlowClientGrace)}: more than a second is needed.");
        if (OwnerKeys.Any(key => !ManifestOwner.IsOwnerKey(key.Span)))
            throw new ArgumentException($"{nameof(OwnerKeys)}: an owner's key is ECDSA P-256 or P-384 as DER SubjectPublicKeyInfo.");
        string seal = WithSeparator(SealFolder), host = WithSeparator(HostKeyFolder);
        if (host.StartsWith(seal, StringComparison.Ordinal))
            throw new ArgumentException($"{nameof(HostKeyFolder)}: {HostKeyFolder} lies in {SealFolder}; who copies the state would copy its key.");
        return this;
    }

    // Several coordinators over one Kubernetes secret: one that silently ran alone would split the deployment's state.
    private static void RefuseDistribution(Func<string, string?> value)
    {
        foreach (string name in (ReadOnlySpan<string>)["EDG_DISTRIBUTED_COORDINATOR", "EDG_ENTERPRISE_LICENSED_FEATURES"])
        {
            if (value(name) is { } set && (set == "1" || set.Contains("distributedcoordinator", StringComparison.OrdinalIgnoreCase)))
                throw new ArgumentException($"{name}: this coordinator does not run distributed over a Kubernetes secret. Unset it, and run one coordinator with a folder of its own (EDG_COORDINATOR_SEAL_DIR).");
        }
    }

    private static string WithSeparator(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) + Path.DirectorySeparatorChar;

    private static ReadOnlyMemory<byte> ReadOwnerKey(string base64)
    {
        byte[] key = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, key, out int length)
            ? key.AsMemory(0, length)
            : throw new ArgumentException("CLOISTER_OWNER_KEYS: a key is not base64.");
    }
}
