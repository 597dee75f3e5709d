using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Coordinator.Activation;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.Recovery;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Cloister.Sealing;

namespace Cloister.Coordinator.State;

/// <summary>Everything the coordinator knows at one version. Never changes; the next version is another object.</summary>
internal sealed record CoordinatorSnapshot
{
    /// <summary>Grows with every change; 0 is what was never stored.</summary>
    public long Version { get; init; }

    public required CoordinatorState State { get; init; }

    public required CertificateAuthority Authority { get; init; }

    /// <summary>32 bytes that per-marble keys are derived from.</summary>
    public required ReadOnlyMemory<byte> RootSecret { get; init; }

    public ManifestInForce? Manifest { get; init; }

    /// <summary>The root secret before the last rotation; empty if there was none.</summary>
    public ReadOnlyMemory<byte> PreviousRootSecret { get; init; }

    /// <summary>By name: made when the manifest came into force, or uploaded. A user-defined secret that is absent is not set yet.</summary>
    public ImmutableDictionary<string, SecretMaterial> Secrets { get; init; } = Empty<SecretMaterial>();

    /// <summary>What shared secrets were before the last rotation.</summary>
    public ImmutableDictionary<string, SecretMaterial> PreviousSecrets { get; init; } = Empty<SecretMaterial>();

    /// <summary>By name: for which manifest a secret was released, where its owner said so. An update that lets it reach more withholds it.</summary>
    public ImmutableDictionary<string, SecretRelease> Releases { get; init; } = Empty<SecretRelease>();

    /// <summary>Secrets that an update keeps from workloads until their owner acknowledges it: by name, the fingerprint of the manifest to acknowledge.</summary>
    public ImmutableDictionary<string, string> Withheld { get; init; } = Empty<string>();

    /// <summary>By package: the least security version that an update demands, above the manifest's own.</summary>
    public ImmutableDictionary<string, ulong> SecurityVersions { get; init; } = Empty<ulong>();

    /// <summary>An update that waits for acknowledgements.</summary>
    public PendingUpdate? Pending { get; init; }

    /// <summary>Monotonic counters of workloads, by key.</summary>
    public ImmutableDictionary<string, ulong> Counters { get; init; } = Empty<ulong>();

    /// <summary>Which commit of each sealed disk counts, by key.</summary>
    public ImmutableDictionary<string, DiskRecord> Disks { get; init; } = Empty<DiskRecord>();

    /// <summary>Used activations by marble type; only types with a limit are counted.</summary>
    public ImmutableDictionary<string, long> Activations { get; init; } = Empty<long>();

    /// <summary>One JSON line an event, oldest first.</summary>
    public ImmutableList<string> UpdateLog { get; init; } = [];

    /// <summary>Who can recover the state, and by which secrets; null where nobody can.</summary>
    public RecoveryData? Recovery { get; init; }

    /// <summary>The change that brings another one here seals the whole state under it. Not stored; of no use once the change is durable.</summary>
    public SecretBytes? NewDataKey { get; init; }

    /// <summary>Whether the manifest wants the state kept in memory alone.</summary>
    public bool KeepsNothing => Manifest?.Document.Config.SealMode == SealModes.Disabled;

    /// <summary>A stored secret as workloads and readers may have it: null where nobody has set it, or while it is withheld.</summary>
    public SecretMaterial? Granted(string secret) => Withheld.ContainsKey(secret) ? null : Secrets.GetValueOrDefault(secret);

    private static ImmutableDictionary<string, T> Empty<T>() => ImmutableDictionary.Create<string, T>(StringComparer.Ordinal);
}

/// <summary>The manifest that was set.</summary>
/// <param name="Bytes">Exactly as it came.</param>
/// <param name="Fingerprint">SHA-256 of the bytes, hex.</param>
/// <param name="Dialect">The rules it was read by.</param>
/// <param name="Document">What the bytes say.</param>
/// <param name="OwnerSignatures">Signatures that came with it; all of them verified.</param>
/// <param name="RootSignature">The root key's ECDSA signature over the manifest's SHA-256, ASN.1.</param>
internal sealed record ManifestInForce(
    ReadOnlyMemory<byte> Bytes,
    string Fingerprint,
    ManifestDialect Dialect,
    ManifestDocument Document,
    ImmutableArray<OwnerSignature> OwnerSignatures,
    ReadOnlyMemory<byte> RootSignature)
{
    /// <summary>The same, signed by a root.</summary>
    public ManifestInForce SignedBy(CertificateAuthority authority)
    {
        using ECDsa root = authority.Root.GetECDsaPrivateKey()!;
        return this with { RootSignature = root.SignData(Bytes.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence) };
    }

    /// <summary>What each marble type receives.</summary>
    public FrozenDictionary<string, MarblePlan> Plans { get; } = MarblePlan.PlanAll(Document);
}

/// <summary>One commit of a sealed disk.</summary>
/// <param name="Version">From 1; 0 before the first.</param>
/// <param name="Digest">32 bytes, hex; empty before the first.</param>
internal sealed record DiskRecord(ulong Version, string Digest)
{
    public static DiskRecord None { get; } = new(0, "");
}
