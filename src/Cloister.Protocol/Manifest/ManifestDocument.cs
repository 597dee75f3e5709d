using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Protocol.Certificates;

namespace Cloister.Protocol.Manifest;

/// <summary>
/// What may run in a deployment and what it receives: MarbleRun's members, and Cloister's (<see cref="Models"/>,
/// <see cref="Callers"/>, <see cref="TokenIssuers"/>, <see cref="AnonymousModels"/>, <see cref="AnonymousQuota"/>). Only <see cref="ManifestReader"/> makes one, so whoever holds one
/// holds a checked one. Names are in ordinal order. Format: docs/formats/manifest.md.
/// </summary>
public sealed record ManifestDocument
{
    internal ManifestDocument() { }

    /// <summary><see cref="ManifestFingerprint.Of"/> of the bytes it was read from.</summary>
    public string Fingerprint { get; internal init; } = "";

    /// <summary>Programs that may run.</summary>
    public ImmutableSortedDictionary<string, ManifestPackage> Packages { get; internal init; } = Names.Empty<ManifestPackage>();
    /// <summary>SGX platforms; MarbleRun reads and does not enforce them.</summary>
    public ImmutableSortedDictionary<string, ManifestInfrastructure> Infrastructures { get; internal init; } = Names.Empty<ManifestInfrastructure>();
    /// <summary>Workload types.</summary>
    public ImmutableSortedDictionary<string, ManifestMarble> Marbles { get; internal init; } = Names.Empty<ManifestMarble>();
    /// <summary>Secrets, generated or uploaded.</summary>
    public ImmutableSortedDictionary<string, ManifestSecret> Secrets { get; internal init; } = Names.Empty<ManifestSecret>();
    /// <summary>Users of the client API.</summary>
    public ImmutableSortedDictionary<string, ManifestUser> Users { get; internal init; } = Names.Empty<ManifestUser>();
    /// <summary>What users may do.</summary>
    public ImmutableSortedDictionary<string, ManifestRole> Roles { get; internal init; } = Names.Empty<ManifestRole>();
    /// <summary>By name: PEM RSA public keys that recovery secrets are encrypted to.</summary>
    public ImmutableSortedDictionary<string, string> RecoveryKeys { get; internal init; } = Names.Empty<string>();
    /// <summary>MarbleRun's transparent TLS, by tag.</summary>
    public ImmutableSortedDictionary<string, ManifestTlsTag> Tls { get; internal init; } = Names.Empty<ManifestTlsTag>();
    /// <summary>Settings of the coordinator.</summary>
    public ManifestConfig Config { get; internal init; } = new();

    /// <summary>Cloister: sealed models that workloads may open. Empty in MarbleRun's dialect.</summary>
    public ImmutableSortedDictionary<string, ManifestModel> Models { get; internal init; } = Names.Empty<ManifestModel>();
    /// <summary>Cloister: who may call which models. Empty in MarbleRun's dialect.</summary>
    public ImmutableSortedDictionary<string, ManifestCaller> Callers { get; internal init; } = Names.Empty<ManifestCaller>();
    /// <summary>Cloister: who issues JWTs for callers. Empty in MarbleRun's dialect.</summary>
    public ImmutableSortedDictionary<string, ManifestTokenIssuer> TokenIssuers { get; internal init; } = Names.Empty<ManifestTokenIssuer>();
    /// <summary>Cloister: models that anybody may call. Empty in MarbleRun's dialect.</summary>
    public ImmutableArray<string> AnonymousModels { get; internal init; } = [];
    /// <summary>Cloister: how much all who are nobody in particular may call together; null: as much as the server can.</summary>
    public ManifestQuota? AnonymousQuota { get; internal init; }

    /// <summary>The user whose certificate has these bytes (DER), or null. MarbleRun's rule: equality of bytes alone counts.</summary>
    public string? UserOf(ReadOnlySpan<byte> certificate)
    {
        foreach ((string name, ManifestUser user) in Users)
            if (certificate.SequenceEqual(user.CertificateDer.Span)) return name;
        return null;
    }

    /// <summary>Whether a user may do something to a resource, by any of its roles. Actions compare without case, as MarbleRun's do.</summary>
    /// <param name="user">A name in <see cref="Users"/>.</param>
    /// <param name="action">For example <see cref="ManifestActions.WriteSecret"/>.</param>
    /// <param name="resourceType">For example <see cref="ManifestActions.Secrets"/>.</param>
    /// <param name="resource">The resource's name; ignored for the manifest itself.</param>
    public bool Allows(string user, string action, string resourceType, string resource)
    {
        if (!Users.TryGetValue(user, out ManifestUser? found)) return false;
        foreach (string name in found.Roles)
        {
            if (!Roles.TryGetValue(name, out ManifestRole? role) || role.ResourceType != resourceType) continue;
            if (resourceType != ManifestActions.Manifest && !role.ResourceNames.Contains(resource)) continue;
            foreach (string allowed in role.Actions)
                if (allowed.Equals(action, StringComparison.OrdinalIgnoreCase)) return true;
        }
        return false;
    }

    /// <summary>By model: the modes that a workload of this marble must state in its evidence, those of its models whose <see cref="ManifestModel.Mode"/> the manifest states.</summary>
    public ImmutableSortedDictionary<string, string> ModesOf(ManifestMarble marble)
    {
        ArgumentNullException.ThrowIfNull(marble);
        ImmutableSortedDictionary<string, string>.Builder modes = Names.Empty<string>().ToBuilder();
        foreach (string name in marble.Models)
            if (Models.TryGetValue(name, out ManifestModel? model) && model.Mode is { } mode) modes[name] = mode;
        return modes.ToImmutable();
    }

    internal static class Names
    {
        public static ImmutableSortedDictionary<string, T> Empty<T>() => ImmutableSortedDictionary.Create<string, T>(StringComparer.Ordinal);
    }
}

/// <summary>Words of the manifest's roles.</summary>
public static class ManifestActions
{
    /// <summary>Resource type: packages.</summary>
    public const string Packages = "Packages";
    /// <summary>Resource type: secrets.</summary>
    public const string Secrets = "Secrets";
    /// <summary>Resource type: the manifest itself.</summary>
    public const string Manifest = "Manifest";

    /// <summary>Raise a package's security version.</summary>
    public const string UpdateSecurityVersion = "UpdateSecurityVersion";
    /// <summary>Read a secret's value.</summary>
    public const string ReadSecret = "ReadSecret";
    /// <summary>Upload a secret's value.</summary>
    public const string WriteSecret = "WriteSecret";
    /// <summary>Replace the manifest.</summary>
    public const string UpdateManifest = "UpdateManifest";
}

/// <summary>A program that may run: MarbleRun's SGX properties, or a policy for any TEE.</summary>
public sealed record ManifestPackage
{
    internal ManifestPackage() { }

    /// <summary>Cloister's policy; null where the package names SGX properties only (and always in MarbleRun's dialect).</summary>
    public PackagePolicy? Policy { get; internal init; }

    /// <summary>SGX MRENCLAVE as hex, compared without case; null or empty where not named.</summary>
    public string? UniqueId { get; internal init; }
    /// <summary>SGX MRSIGNER as hex, compared without case.</summary>
    public string? SignerId { get; internal init; }
    /// <summary>SGX ISVPRODID.</summary>
    public ulong? ProductId { get; internal init; }
    /// <summary>Smallest ISVSVN.</summary>
    public ulong? SecurityVersion { get; internal init; }
    /// <summary>Whether the quote's debug flag must be set.</summary>
    public bool Debug { get; internal init; }
    /// <summary>TCB statuses beside UpToDate; MarbleRun's default where empty is SWHardeningNeeded.</summary>
    public ImmutableArray<string> AcceptedTcbStatuses { get; internal init; } = [];
    /// <summary>Advisories accepted with SWHardeningNeeded; empty accepts all.</summary>
    public ImmutableArray<string> AcceptedAdvisories { get; internal init; } = [];

    /// <summary>This package with at least a security version, as an update of packages raises it.</summary>
    public ManifestPackage AtLeast(ulong securityVersion) => SecurityVersion >= securityVersion ? this : this with { SecurityVersion = securityVersion };
}

/// <summary>An SGX platform.</summary>
public sealed record ManifestInfrastructure
{
    internal ManifestInfrastructure() { }

    /// <summary>CPU security version number.</summary>
    public ReadOnlyMemory<byte> CpuSvn { get; internal init; }
    /// <summary>Quoting enclave's security version.</summary>
    public ushort? QeSvn { get; internal init; }
    /// <summary>Provisioning certification enclave's security version.</summary>
    public ushort? PceSvn { get; internal init; }
    /// <summary>Root certificate.</summary>
    public ReadOnlyMemory<byte> RootCa { get; internal init; }
}

/// <summary>A workload type.</summary>
public sealed record ManifestMarble
{
    internal ManifestMarble() { }

    /// <summary>Name of its package.</summary>
    public string Package { get; internal init; } = "";
    /// <summary>How many instances may be activated; 0 = any number.</summary>
    public ulong MaxActivations { get; internal init; }
    /// <summary>Files, environment and arguments it receives.</summary>
    public ManifestParameters Parameters { get; internal init; } = new();
    /// <summary>Tags in <see cref="ManifestDocument.Tls"/>.</summary>
    public ImmutableArray<string> Tls { get; internal init; } = [];
    /// <summary>Whether generated symmetric keys are the same for every type (MarbleRun before 1.6).</summary>
    public bool DisableSecretBinding { get; internal init; }
    /// <summary>Cloister: names in <see cref="ManifestDocument.Models"/> that it receives the keys of.</summary>
    public ImmutableArray<string> Models { get; internal init; } = [];
}

/// <summary>What a workload receives.</summary>
public sealed record ManifestParameters
{
    internal ManifestParameters() { }

    /// <summary>Files by path.</summary>
    public ImmutableSortedDictionary<string, ManifestContent> Files { get; internal init; } = ManifestDocument.Names.Empty<ManifestContent>();
    /// <summary>Environment variables by name.</summary>
    public ImmutableSortedDictionary<string, ManifestContent> Env { get; internal init; } = ManifestDocument.Names.Empty<ManifestContent>();
    /// <summary>Arguments, the first one being the program's name.</summary>
    public ImmutableArray<string> Argv { get; internal init; } = [];
}

/// <summary>A file's or variable's content: decoded bytes, a template unless <see cref="NoTemplates"/>.</summary>
/// <param name="Data">The bytes after decoding.</param>
/// <param name="NoTemplates">Whether the bytes are delivered as they are.</param>
public sealed record ManifestContent(ReadOnlyMemory<byte> Data, bool NoTemplates);

/// <summary>A secret.</summary>
public sealed record ManifestSecret
{
    internal ManifestSecret() { }

    /// <summary>One of <see cref="ManifestSecretTypes"/>.</summary>
    public string Type { get; internal init; } = "";
    /// <summary>Bits.</summary>
    public ulong Size { get; internal init; }
    /// <summary>Whether all marbles have the same value.</summary>
    public bool Shared { get; internal init; }
    /// <summary>Whether a user uploads it; it is then never generated.</summary>
    public bool UserDefined { get; internal init; }
    /// <summary>Days a certificate is valid; 0 = 365, unless its template says its end.</summary>
    public ulong ValidFor { get; internal init; }
    /// <summary>What its certificate is to be; empty where the manifest does not say.</summary>
    public CertificateTemplate Certificate { get; internal init; } = CertificateTemplate.Empty;

    /// <summary>Days a certificate is valid where the manifest does not say.</summary>
    public const uint DefaultDays = 365;

    /// <summary>When a certificate ends that begins at <paramref name="notBefore"/>.</summary>
    /// <exception cref="ProtocolException">CertificateTemplateWrong: after the year 9999.</exception>
    public DateTimeOffset NotAfter(DateTimeOffset notBefore)
    {
        if (Certificate.NotAfter is { } end) return end;
        ulong days = ValidFor == 0 ? DefaultDays : ValidFor;
        return days < (ulong)(DateTimeOffset.MaxValue - notBefore).TotalDays
            ? notBefore.AddDays(days)
            : throw CertificateDer.Wrong("asn1: structure error: cannot represent time as GeneralizedTime");
    }
}

/// <summary>Types of secrets.</summary>
public static class ManifestSecretTypes
{
    /// <summary>Symmetric key.</summary>
    public const string SymmetricKey = "symmetric-key";
    /// <summary>RSA key with a certificate.</summary>
    public const string CertRsa = "cert-rsa";
    /// <summary>ECDSA key with a certificate.</summary>
    public const string CertEcdsa = "cert-ecdsa";
    /// <summary>Ed25519 key with a certificate.</summary>
    public const string CertEd25519 = "cert-ed25519";
    /// <summary>Any bytes that a user uploads.</summary>
    public const string Plain = "plain";
}

/// <summary>A user of the client API.</summary>
public sealed record ManifestUser
{
    internal ManifestUser() { }

    /// <summary>PEM as it stands in the manifest.</summary>
    public string Certificate { get; internal init; } = "";
    /// <summary>Its first block, DER; a user is whoever holds this certificate's key.</summary>
    public ReadOnlyMemory<byte> CertificateDer { get; internal init; }
    /// <summary>Names in <see cref="ManifestDocument.Roles"/>.</summary>
    public ImmutableArray<string> Roles { get; internal init; } = [];
}

/// <summary>What a role's users may do to which resources.</summary>
public sealed record ManifestRole
{
    internal ManifestRole() { }

    /// <summary><see cref="ManifestActions.Packages"/>, <see cref="ManifestActions.Secrets"/> or <see cref="ManifestActions.Manifest"/>.</summary>
    public string ResourceType { get; internal init; } = "";
    /// <summary>Names of the resources; empty for the manifest.</summary>
    public ImmutableArray<string> ResourceNames { get; internal init; } = [];
    /// <summary>Words of <see cref="ManifestActions"/> in any case.</summary>
    public ImmutableArray<string> Actions { get; internal init; } = [];
}

/// <summary>Transparent TLS of a tag.</summary>
public sealed record ManifestTlsTag
{
    internal ManifestTlsTag() { }

    /// <summary>Connections to the marble.</summary>
    public ImmutableArray<ManifestTlsEntry> Incoming { get; internal init; } = [];
    /// <summary>Connections from the marble.</summary>
    public ImmutableArray<ManifestTlsEntry> Outgoing { get; internal init; } = [];
}

/// <summary>One connection of a tag.</summary>
public sealed record ManifestTlsEntry
{
    internal ManifestTlsEntry() { }

    /// <summary>Port, as text.</summary>
    public string Port { get; internal init; } = "";
    /// <summary>Address, of an outgoing connection.</summary>
    public string Addr { get; internal init; } = "";
    /// <summary>Name of the secret whose certificate is presented; empty = the marble's own.</summary>
    public string Cert { get; internal init; } = "";
    /// <summary>Whether any client is admitted.</summary>
    public bool DisableClientAuth { get; internal init; }
}

/// <summary>Settings of the coordinator.</summary>
public sealed record ManifestConfig
{
    internal ManifestConfig() { }

    /// <summary>"", ProductKey, UniqueKey or Disabled.</summary>
    public string SealMode { get; internal init; } = "";
    /// <summary>SignQuoteEndpoint, MonotonicCounter, AzureHSMSealing in any case.</summary>
    public ImmutableArray<string> FeatureGates { get; internal init; } = [];
    /// <summary>Users who must agree to a full update; 0 = all.</summary>
    public ulong UpdateThreshold { get; internal init; }
    /// <summary>Recovery secrets needed; 0 = all.</summary>
    public ulong RecoveryThreshold { get; internal init; }
    /// <summary>Whether an update regenerates symmetric keys.</summary>
    public bool RotateRootSecret { get; internal init; }
}
